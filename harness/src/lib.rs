//! Sleet: a deterministic network simulator and chaos test harness for WebRTC call software.
//!
//! One seed decides everything that happens in a run: real peers, a real WebSocket signaling server and
//! the network between them run in one process, on simulated time. The same scenario, seed, plan and build
//! give the same trace, byte for byte.
//!
//! # Reading map
//!
//! Lower layers first; a module imports only from layers above it in this list.
//!
//! - [`time`], [`seed`], [`explore`]: simulated time; labelled random streams; every order of the free steps of a run
//! - [`ambient`], [`trace`]: the process's clock and entropy under our control; events and their digest
//! - [`net`]: the packet path, as pure state machines that are told the time
//! - [`world`], [`socket`]: runtime, event loop and hosts; UDP and TCP
//! - [`nic`], [`servers`], [`peer`], [`signaling`]: what stands on sockets
//! - [`fault`], [`swarm`], [`reach`], [`oracle`]: plans, plans drawn at random, who can reach whom, and what must hold
//! - [`driver`]: starts apps and servers, and is the hand of the users
//! - [`app`], [`webrtc`]: what code under test uses in place of `tokio::net` and of `webrtc`'s peer connection
//! - [`scenario`], [`run`], [`shrink`], [`explain`]: what a user calls
//! - [`search`]: plans bred from those that reached something new
//! - [`schema`]: JSON Schemas of what runs write and read
//! - [`prelude`]: what a scenario needs, in one `use`
//!
//! # Example
//!
//! ```
//! use std::time::Duration;
//!
//! use sleet::{
//!     net::{link::LinkProfile, topology::{HostSpec, Topology}},
//!     seed::Seed,
//!     socket::UdpSocket,
//!     world::{self, WorldSpec},
//! };
//!
//! let topology = Topology::new([
//!     HostSpec::new("alice", "10.0.0.1", LinkProfile::default()),
//!     HostSpec::new("bob", "10.0.0.2", LinkProfile::default()),
//! ]);
//! let spec = WorldSpec::new(Seed(1), topology);
//! let ending = world::run(spec, |sim| async move {
//!     let (alice, bob) = (sim.host("alice"), sim.host("bob"));
//!     let to = UdpSocket::bind(&bob, "10.0.0.2:9".parse().unwrap()).await.unwrap();
//!     let from = UdpSocket::bind(&alice, "10.0.0.1:9".parse().unwrap()).await.unwrap();
//!     from.send_to(b"hello", to.local_addr()).await.unwrap();
//!     let mut buf = [0; 16];
//!     assert_eq!(to.recv_from(&mut buf).await.unwrap().0, 5);
//! })?;
//! assert_eq!(ending.packets, 1);
//! assert_eq!(ending.at.as_millis(), 20, "two links of 10 ms");
//! # Ok::<(), sleet::world::WorldError>(())
//! ```

// Documentation is built without the flags of a build.
#[cfg(not(any(tokio_unstable, doc, doctest)))]
compile_error!(
    "sleet needs tokio's task hooks and its seeded scheduler: add `[build] rustflags = [\"--cfg\", \"tokio_unstable\"]` to \
     `.cargo/config.toml` of your workspace"
);

pub mod ambient;
pub mod app;
pub mod driver;
pub mod explain;
pub mod explore;
pub mod fault;
pub mod net;
pub mod nic;
pub mod oracle;
pub mod peer;
pub mod prelude;
pub mod reach;
pub mod run;
pub mod scenario;
pub mod schema;
pub mod search;
pub mod seed;
pub mod servers;
pub mod shrink;
pub mod signaling;
pub mod socket;
pub mod swarm;
pub mod sweep;
pub mod time;
pub mod trace;
pub mod world;

pub use peer::raw as webrtc;
