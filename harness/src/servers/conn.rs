//! Implements the `Conn` trait of the WebRTC stack for a simulated UDP socket, for the `turn` crate.

use std::net::SocketAddr;

use async_trait::async_trait;
use webrtc_util::{Conn, Error};

use crate::socket::UdpSocket;

#[async_trait]
impl Conn for UdpSocket {
    async fn connect(&self, _address: SocketAddr) -> Result<(), Error> {
        Err(Error::Other("a server's socket is not connected".to_owned()))
    }

    async fn recv(&self, _buf: &mut [u8]) -> Result<usize, Error> {
        Err(Error::Other("a server's socket is not connected".to_owned()))
    }

    async fn recv_from(&self, buf: &mut [u8]) -> Result<(usize, SocketAddr), Error> {
        Ok(Self::recv_from(self, buf).await?)
    }

    async fn send(&self, _buf: &[u8]) -> Result<usize, Error> {
        Err(Error::Other("a server's socket is not connected".to_owned()))
    }

    async fn send_to(&self, buf: &[u8], to: SocketAddr) -> Result<usize, Error> {
        Ok(Self::send_to(self, buf, to).await?)
    }

    fn local_addr(&self) -> Result<SocketAddr, Error> {
        Ok(Self::local_addr(self))
    }

    fn remote_addr(&self) -> Option<SocketAddr> {
        None
    }

    /// Does nothing, as tokio's UDP sockets do: the `turn` crate closes the server's shared socket at the end
    /// of each allocation (turn 0.17.2, src/allocation/mod.rs:255). The socket closes when it is dropped.
    async fn close(&self) -> Result<(), Error> {
        Ok(())
    }

    fn as_any(&self) -> &(dyn std::any::Any + Send + Sync) {
        self
    }
}
