//! What code under test uses: it finds its host by itself, so that no handle of the world passes through an app.
//!
//! - [`net`]: sockets and names, as in `tokio::net`

pub mod net;

pub use crate::world::{Host, NoHost};
