//! A UDP socket of turmoil in the form that the stack takes.

use std::{any::Any, net::SocketAddr};

use async_trait::async_trait;
use turmoil::net::UdpSocket;
use webrtc_util::{Conn, Error};

/// The socket. The stack's multiplexer sends to addresses and receives from them, and nothing else.
pub struct Datagrams(pub UdpSocket);

#[async_trait]
impl Conn for Datagrams {
    async fn connect(&self, _to: SocketAddr) -> Result<(), Error> {
        Err(Error::Other("not connected".to_owned()))
    }

    async fn recv(&self, _buf: &mut [u8]) -> Result<usize, Error> {
        Err(Error::Other("not connected".to_owned()))
    }

    async fn recv_from(&self, buf: &mut [u8]) -> Result<(usize, SocketAddr), Error> {
        Ok(self.0.recv_from(buf).await?)
    }

    async fn send(&self, _payload: &[u8]) -> Result<usize, Error> {
        Err(Error::Other("not connected".to_owned()))
    }

    async fn send_to(&self, payload: &[u8], to: SocketAddr) -> Result<usize, Error> {
        Ok(self.0.send_to(payload, to).await?)
    }

    fn local_addr(&self) -> Result<SocketAddr, Error> {
        Ok(self.0.local_addr()?)
    }

    fn remote_addr(&self) -> Option<SocketAddr> {
        None
    }

    async fn close(&self) -> Result<(), Error> {
        Ok(())
    }

    fn as_any(&self) -> &(dyn Any + Send + Sync) {
        self
    }
}
