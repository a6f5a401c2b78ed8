//! TCP sockets.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use turmoil_net::shim::tokio::net as shim;

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
    /// Fails as the system does: the address is taken or not the host's.
    pub async fn bind(host: &Host, address: SocketAddr) -> io::Result<Self> {
        let socket = pinned(host, shim::TcpListener::bind(address)).await?;
        Ok(Self {
            inner: Pinned::new(host, socket),
        })
    }

    /// Waits for a connection.
    ///
    /// # Errors
    /// Fails as the system does.
    pub async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let (stream, from) = pinned(&self.inner.host, self.inner.get().accept()).await?;
        let inner = Pinned::new(&self.inner.host, stream);
        Ok((TcpStream { inner }, from))
    }
}

/// A connection attempt. A caller that gives it up drops it, and `turmoil-net` then closes its socket: the host has to
/// be pinned for that too, or a socket of another host that has the same number there is closed.
struct Connecting<F> {
    host: Host,
    future: Option<Pin<Box<F>>>,
}

impl<F> Connecting<F> {
    fn new(host: &Host, future: F) -> Self {
        Self {
            host: host.clone(),
            future: Some(Box::pin(future)),
        }
    }
}

impl<F: Future> Future for Connecting<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.host.pin();
        let future = self.future.as_mut().expect("only drop takes it");
        let polled = future.as_mut().poll(cx);
        self.host.sim().want_egress();
        polled
    }
}

impl<F> Drop for Connecting<F> {
    fn drop(&mut self) {
        self.host.pin();
        self.future.take();
        self.host.sim().want_egress();
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
    /// Fails as the system does: refused, or reset on the way.
    pub async fn connect(host: &Host, address: SocketAddr) -> io::Result<Self> {
        let stream = Connecting::new(host, shim::TcpStream::connect(address)).await?;
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
        if polled.is_ready() {
            // Reading opens the receive window, which the other end has to learn.
            self.inner.sent();
        } else {
            self.inner.host.sim().wake_pump();
        }
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
