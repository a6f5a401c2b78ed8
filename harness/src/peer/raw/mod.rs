//! The `webrtc` crate's own API for code under test: an `RTCPeerConnection` on the network of its host, recorded.
//!
//! The stack takes its network from its `SettingEngine`, and each of its `on_*` handlers is a single slot, which
//! belongs to the app. So an app imports three types from here in place of the stack's, and nothing else of it changes:
//!
//! | here | in place of |
//! |---|---|
//! | [`APIBuilder`], [`API`] | `webrtc::api::{APIBuilder, API}` |
//! | [`RTCPeerConnection`] | `webrtc::peer_connection::RTCPeerConnection` |
//!
//! They have the stack's method names and use the stack's own objects: descriptions, ICE, DTLS, data channels and media
//! run unmodified. The inputs and reports of a connection are recorded before the app sees them; the app records
//! nothing. [`observe`] says which call a connection belongs to. Outside a run they are the stack's types and nothing
//! more.
//!
//! An app that must build with the stack's `APIBuilder` calls [`configure`] and wraps the result with
//! [`RTCPeerConnection::over`].
//!
//! # Example
//!
//! ```
//! use sleet::{
//!     net::{link::LinkProfile, topology::{HostSpec, Topology}},
//!     seed::Seed,
//!     webrtc::{APIBuilder, observe},
//!     world::{self, WorldSpec},
//! };
//! use webrtc::peer_connection::configuration::RTCConfiguration;
//!
//! // The app's code: the `use` of the three types is all that differs from production.
//! async fn call() -> Result<(), webrtc::Error> {
//!     let api = APIBuilder::new().build();
//!     let connection = api.new_peer_connection(RTCConfiguration::default()).await?;
//!     observe(&connection, "c1", 1);
//!     connection.create_data_channel("chat", None).await?;
//!     let offer = connection.create_offer(None).await?;
//!     connection.set_local_description(offer).await?;
//!     connection.close().await
//! }
//!
//! let topology = Topology::new([HostSpec::new("alice", "10.0.0.1", LinkProfile::default())]);
//! let ending = world::run(WorldSpec::new(Seed(1), topology), |sim| async move {
//!     sim.host("alice").spawn("call", call()).await.unwrap().unwrap();
//! })?;
//! assert!(ending.trace.to_json_lines().contains(r#""event":"described","peer":"c1","remote":false"#));
//! # Ok::<(), sleet::world::WorldError>(())
//! ```

mod api;
mod connection;
mod heard;
mod interface;
mod slots;
mod watched;

pub use api::{API, APIBuilder};
pub use connection::{RTCPeerConnection, observe};
pub use interface::{Interface, configure};
