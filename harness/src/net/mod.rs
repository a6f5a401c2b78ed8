//! The packet path: what happens to a packet between the host that sends it and the host that gets it.
//!
//! Pure state machines that are told the time; no tokio, no sockets, no randomness but the streams they
//! are given. A host reaches the network over an *interface*, which has an address and an access link
//! with two directions; the links meet in the core, which takes no time:
//!
//! ```text
//! alice ── firewall ── alice->net ──(core)── net->bob ── firewall ── bob
//!              depart                 transit                arrive
//! ```
//!
//! - [`latency`]: how long a link takes
//! - [`link`]: what one direction of an access link does to each packet
//! - [`loss`], [`queue`]: loss in bursts; bandwidth and what waits for it
//! - [`presets`]: link profiles by name
//! - [`firewall`]: which packets a host lets in
//! - [`nat`]: how a NAT translates addresses and ports, and whom it lets in
//! - [`conditions`]: what lies over a link now
//! - [`switch`]: over which interface each connection of a host goes that has changed its network
//! - [`topology`]: hosts, interfaces and their names, as data
//! - [`path`]: the three stages put together

pub mod conditions;
mod draws;
pub mod firewall;
pub mod latency;
pub mod link;
pub mod loss;
pub mod nat;
pub mod path;
pub mod presets;
mod profile;
pub mod queue;
pub mod switch;
pub mod topology;
