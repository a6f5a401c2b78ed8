//! Where the app's network comes from: the kernel's sockets and the stack's peer connections, or those of a simulated run.

#[cfg(feature = "sleet")]
pub use sleet::app::net::{TcpListener, TcpStream};
#[cfg(feature = "sleet")]
pub use sleet::webrtc::{APIBuilder, RTCPeerConnection};
#[cfg(not(feature = "sleet"))]
pub use tokio::net::{TcpListener, TcpStream};
#[cfg(not(feature = "sleet"))]
pub use webrtc::{api::APIBuilder, peer_connection::RTCPeerConnection};
