//! The API for code under test: it finds its host by itself, so that no handle of the world passes through an app.
//!
//! | in a run | outside |
//! |---|---|
//! | [`net`]: sockets and names, as in `tokio::net` | an error that names `tokio::net` |
//! | [`checkpoint`]: a step that the plan can slow down | returns at once |
//! | [`fault_point`]: the plan's ruling on a message of the app | everything passes |
//! | [`sometimes!`], [`always!`]: marks and invariants | nothing |
//! | [`Timeline`], [`LogBridge`]: the app's log in the trace | nothing |
//!
//! Peer connections are in [`crate::webrtc`]. Plain `tokio::spawn`, `tokio::time`, `std`'s hash maps and `rand` are
//! deterministic as they are, and belong to the host of the task that uses them.

mod claims;
mod lines;
pub mod net;
mod points;

pub use claims::{reached, violated};
pub use lines::{LogBridge, Timeline};
pub use points::{PointRuling, checkpoint, fault_point, follow};

pub use crate::{
    always, sometimes,
    world::{Host, NoHost},
};
