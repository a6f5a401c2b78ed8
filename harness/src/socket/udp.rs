//! UDP sockets.

use std::{io, net::SocketAddr};

use turmoil_net::shim::tokio::net as shim;

use super::{Pinned, pinned, pinned_taking};
use crate::world::Host;

/// A UDP socket of a simulated host.
pub struct UdpSocket {
    inner: Pinned<shim::UdpSocket>,
    local: SocketAddr,
}

impl UdpSocket {
    /// Binds to `address` of `host`; port 0 takes a free one.
    ///
    /// # Errors
    /// Fails as the system does: the address is taken or not the host's.
    pub async fn bind(host: &Host, address: SocketAddr) -> io::Result<Self> {
        host.free_of_peers(address)?;
        let socket = pinned(host, shim::UdpSocket::bind(address)).await?;
        let inner = Pinned::new(host, socket);
        let local = inner.get().local_addr()?;
        Ok(Self { inner, local })
    }

    /// Returns the local address.
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// Sends a datagram.
    ///
    /// # Errors
    /// Fails as the system does: the datagram is larger than the interface allows.
    pub async fn send_to(&self, payload: &[u8], to: SocketAddr) -> io::Result<usize> {
        pinned(&self.inner.host, self.inner.get().send_to(payload, to)).await
    }

    /// Receives a datagram; a datagram longer than `buf` is cut off.
    ///
    /// # Errors
    /// Fails as the system does.
    pub async fn recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        pinned_taking(&self.inner.host, self.inner.get().recv_from(buf)).await
    }
}
