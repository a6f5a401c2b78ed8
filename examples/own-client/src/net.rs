//! Where the app's network comes from: the kernel's sockets, or those of a simulated run.

#[cfg(feature = "sleet")]
pub use sleet::app::net::{TcpListener, TcpStream};
#[cfg(not(feature = "sleet"))]
pub use tokio::net::{TcpListener, TcpStream};
