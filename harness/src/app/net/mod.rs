//! Sockets for code under test: the types of [`tokio::net`], on the host of the task that uses them.
//!
//! They have the names, methods and error kinds of tokio's, so that code that imports its network from here in place of
//! `tokio::net` runs unchanged. Each finds its host when it is created (`Host::current`) and stays on it. A crash of
//! the host closes all of them, and operations that a task of that life still waits for never complete. Names of hosts
//! are looked up in the topology of the run.
//!
//! Differences from a kernel's sockets: no socket listens on both families at `[::]`; a datagram to a closed port gets
//! no answer; there are no vectored writes, no `from_std` and no raw descriptors.
//!
//! # Example
//!
//! ```
//! use sleet::{
//!     app::net::{TcpListener, TcpStream},
//!     net::{link::LinkProfile, topology::{HostSpec, Topology}},
//!     seed::Seed,
//!     world::{self, WorldSpec},
//! };
//! use tokio::io::{AsyncReadExt, AsyncWriteExt};
//!
//! // Nothing in here knows that it is simulated.
//! async fn server() -> std::io::Result<()> {
//!     let listener = TcpListener::bind("0.0.0.0:80").await?;
//!     let (mut stream, _) = listener.accept().await?;
//!     stream.write_all(b"hello").await
//! }
//!
//! async fn client() -> std::io::Result<String> {
//!     let mut text = String::new();
//!     TcpStream::connect("server:80").await?.read_to_string(&mut text).await?;
//!     Ok(text)
//! }
//!
//! let topology = Topology::new([
//!     HostSpec::new("server", "10.0.0.1", LinkProfile::default()),
//!     HostSpec::new("alice", "10.0.0.2", LinkProfile::default()),
//! ]);
//! world::run(WorldSpec::new(Seed(1), topology), |sim| async move {
//!     sim.host("server").spawn("server", server());
//!     let text = sim.host("alice").spawn("client", client()).await;
//!     assert_eq!(text.unwrap().unwrap(), "hello");
//! })?;
//! # Ok::<(), sleet::world::WorldError>(())
//! ```
//!
//! [`tokio::net`]: https://docs.rs/tokio/latest/tokio/net/index.html

mod addr;
mod held;
pub mod tcp;
mod udp;

pub use addr::{ToSocketAddrs, lookup_host};
pub use tcp::{TcpListener, TcpStream};
pub use udp::UdpSocket;
