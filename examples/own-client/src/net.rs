//! Where the app's network comes from: the kernel's sockets.

pub use tokio::net::{TcpListener, TcpStream};
