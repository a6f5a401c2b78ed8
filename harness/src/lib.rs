//! Sleet: a deterministic network simulator and chaos test harness for WebRTC call software.
#![deny(rustdoc::broken_intra_doc_links)]

pub mod ambient;
pub mod fault;
pub mod net;
pub mod nic;
pub mod oracle;
pub mod peer;
pub mod run;
pub mod scenario;
pub mod seed;
pub mod signaling;
pub mod socket;
pub mod time;
pub mod trace;
pub mod world;
