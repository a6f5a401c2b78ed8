//! TCP.

use std::{
    collections::BTreeSet,
    future::poll_fn,
    io,
    net::SocketAddr,
    pin::{Pin, pin},
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use turmoil_net::{NetstatState, shim::tokio::net as shim};

use super::{Pinned, pinned};
use crate::world::Host;

/// A listening TCP socket of a simulated host.
pub struct TcpListener {
    inner: Pinned<shim::TcpListener>,
}

impl TcpListener {
    /// Listens at `address` of `host`.
    ///
    /// # Errors
    /// As the system's: the address is taken or not the host's.
    pub async fn bind(host: &Host, address: SocketAddr) -> io::Result<Self> {
        let socket = pinned(host, shim::TcpListener::bind(address)).await?;
        Ok(Self {
            inner: Pinned::new(host, socket),
        })
    }

    /// Waits for a connection.
    ///
    /// # Errors
    /// As the system's.
    pub async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let (stream, from) = pinned(&self.inner.host, self.inner.get().accept()).await?;
        let inner = Pinned::new(&self.inner.host, stream);
        Ok((TcpStream { inner }, from))
    }
}

/// The local ends of the connections from `host` to `peer` that are being made.
fn connecting(host: &Host, peer: SocketAddr) -> BTreeSet<SocketAddr> {
    let sockets = turmoil_net::netstat(host.addresses()[0]).entries;
    let connecting = sockets
        .iter()
        .filter(|s| s.state == Some(NetstatState::SynSent) && s.peer == Some(peer));
    connecting.map(|s| s.local).collect()
}

/// Forgets a connection that nobody waits for any more: `turmoil-net` 0.1.0 goes on with it
/// (only a stream that was made closes its socket).
struct GivenUp<'a> {
    host: &'a Host,
    peer: SocketAddr,
    // The end here, as long as it is being made.
    local: Option<SocketAddr>,
}

impl Drop for GivenUp<'_> {
    fn drop(&mut self) {
        if let Some(local) = self.local {
            self.host.sim().give_up(local, self.peer);
        }
    }
}

/// A TCP connection of a simulated host.
pub struct TcpStream {
    inner: Pinned<shim::TcpStream>,
}

impl TcpStream {
    /// Connects from `host` to `address`.
    ///
    /// # Errors
    /// As the system's: refused, or reset on the way.
    pub async fn connect(host: &Host, address: SocketAddr) -> io::Result<Self> {
        let before = connecting(host, address);
        let mut given_up = GivenUp {
            host,
            peer: address,
            local: None,
        };
        let mut connected = pin!(pinned(host, shim::TcpStream::connect(address)));
        let stream = poll_fn(|cx| {
            let polled = connected.as_mut().poll(cx);
            if polled.is_pending() && given_up.local.is_none() {
                given_up.local = connecting(host, address).difference(&before).next().copied();
            }
            polled
        })
        .await;
        given_up.local = None;
        let stream = stream?;
        Ok(Self {
            inner: Pinned::new(host, stream),
        })
    }
}

impl AsyncRead for TcpStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let polled = Pin::new(self.inner.get_mut()).poll_read(cx, buf);
        // Reading opens the receive window, which the other end has to learn.
        self.inner.sent();
        polled
    }
}

impl AsyncWrite for TcpStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(self.inner.get_mut()).poll_write(cx, buf);
        self.inner.sent();
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(self.inner.get_mut()).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(self.inner.get_mut()).poll_shutdown(cx);
        self.inner.sent();
        polled
    }
}
