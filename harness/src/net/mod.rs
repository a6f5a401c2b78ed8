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
//! - [`latency`]: distributions of the delay of a link
//! - [`link`]: what one direction of an access link does to each packet
//! - [`loss`], [`queue`]: loss in bursts; bandwidth and the queue in front of it
//! - [`presets`]: link profiles by name
//! - [`firewall`]: the packets that a host lets in
//! - [`nat`]: address and port translation, and the packets that a NAT lets in
//! - [`conditions`]: fault conditions in force on a link
//! - [`switch`]: the interface of each TCP connection on a host that changes its network
//! - [`topology`]: hosts, interfaces and their names, as data
//! - [`path`]: departure, transit and arrival of a packet, put together

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
mod resend;
pub mod switch;
pub mod topology;
