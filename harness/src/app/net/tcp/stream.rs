//! TCP connections.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use turmoil_net::shim::tokio::net as shim;

use super::super::{
    ToSocketAddrs, addr,
    held::{self, Held, once},
};
use crate::world::Host;

/// A TCP connection on the host of the task that makes or accepts it.
///
/// The simulated network retransmits lost segments, which an app sees as delay.
#[derive(Debug)]
pub struct TcpStream {
    held: Arc<Held<shim::TcpStream>>,
}

type Connecting = Pin<Box<dyn Future<Output = io::Result<shim::TcpStream>> + Send>>;

impl TcpStream {
    /// Connects to the first of `addr` that answers.
    ///
    /// # Errors
    /// Fails as the system does: refused, or reset on the way; no such host. Fails with `Unsupported` outside a run.
    pub async fn connect<A: ToSocketAddrs>(addr: A) -> io::Result<Self> {
        let host = held::here("TcpStream::connect")?;
        held::only_if_alive(&host).await;
        let peers = addr.resolve(&host)?;
        addr::first_that_works(peers, |peer| Self::connect_to(&host, peer)).await
    }

    /// Connects to `peer`. Dropping the attempt closes its socket, and a crash of the host drops it.
    async fn connect_to(host: &Host, peer: SocketAddr) -> io::Result<Self> {
        let connecting: Connecting = Box::pin(shim::TcpStream::connect(peer));
        let connecting = Held::open(host, || Ok(connecting))?;
        let stream = connecting
            .wait(|connecting, cx| connecting.as_mut().poll(cx))
            .await?;
        Self::hold(host, stream)
    }

    /// Wraps the connection `stream` of `host`.
    pub(super) fn hold(host: &Host, stream: shim::TcpStream) -> io::Result<Self> {
        let held = Held::open(host, move || Ok(stream))?;
        Ok(Self { held })
    }

    /// Returns the address of this end.
    ///
    /// # Errors
    /// Fails if the host has crashed.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.held.call(|s| s.local_addr())
    }

    /// Returns the address of the other end.
    ///
    /// # Errors
    /// Fails if the host has crashed.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.held.call(|s| s.peer_addr())
    }

    /// Reads the data that has arrived, without waiting.
    ///
    /// # Errors
    /// Fails with `WouldBlock` if no data has arrived.
    pub fn try_read(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.held.call(|s| s.try_read(buf))
    }

    /// Writes as much as there is room for, without waiting.
    ///
    /// # Errors
    /// Fails with `WouldBlock` if there is no room.
    pub fn try_write(&self, buf: &[u8]) -> io::Result<usize> {
        self.held.call(|s| s.try_write(buf))
    }

    /// Reads data without removing it.
    ///
    /// # Errors
    /// Fails as the system does.
    pub async fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.held.wait_read(|s, cx| once(cx, s.peek(buf))).await
    }

    /// Polls [`TcpStream::peek`].
    pub fn poll_peek(&self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<usize>> {
        self.held.poll_read(cx, |s, cx| s.poll_peek(cx, buf))
    }

    /// Waits until there is data to read, the end, or an error.
    ///
    /// # Errors
    /// Never fails: reading returns the error.
    pub async fn readable(&self) -> io::Result<()> {
        let mut byte = [0];
        let peek = |s: &mut shim::TcpStream, cx: &mut Context<'_>| once(cx, s.peek(&mut byte));
        self.held.wait_read(peek).await.map(drop).or(Ok(()))
    }

    /// Waits until there is room to write, or an error.
    ///
    /// # Errors
    /// Never fails: writing returns the error.
    pub async fn writable(&self) -> io::Result<()> {
        let write = |s: &mut shim::TcpStream, cx: &mut Context<'_>| Pin::new(s).poll_write(cx, &[]);
        self.held.wait(write).await.map(drop).or(Ok(()))
    }

    /// Reports whether small writes leave at once.
    ///
    /// # Errors
    /// Fails if the host has crashed.
    pub fn nodelay(&self) -> io::Result<bool> {
        self.held.call(|s| s.nodelay())
    }

    /// Sets the value of [`TcpStream::nodelay`]. Here every write leaves at once.
    ///
    /// # Errors
    /// Fails if the host has crashed.
    pub fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        self.held.call(|s| s.set_nodelay(nodelay))
    }

    /// Returns the time to live (hop limit) of packets. Nothing decrements it here.
    ///
    /// # Errors
    /// Fails if the host has crashed.
    pub fn ttl(&self) -> io::Result<u32> {
        self.held.call(|s| s.ttl())
    }

    /// Sets the value of [`TcpStream::ttl`].
    ///
    /// # Errors
    /// Fails with `InvalidInput` above 255.
    pub fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        self.held.call(|s| s.set_ttl(ttl))
    }

    pub(super) fn read_part(&self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.held.poll_read(cx, |s, cx| Pin::new(s).poll_read(cx, buf))
    }

    pub(super) fn write_part(&self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.held.poll(cx, |s, cx| Pin::new(s).poll_write(cx, buf))
    }

    pub(super) fn end_writing(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.held.poll(cx, |s, cx| Pin::new(s).poll_shutdown(cx))
    }

    /// Shuts down writing, without waiting: the simulated kernel queues the FIN at once.
    pub(super) fn end_writing_now(&self) {
        let mut cx = Context::from_waker(Waker::noop());
        let ended = self.held.call(|s| Ok(Pin::new(s).poll_shutdown(&mut cx)));
        // An error means that the host has crashed: there is nothing left to shut down.
        drop(ended);
    }
}

impl AsyncRead for TcpStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.read_part(cx, buf)
    }
}

impl AsyncWrite for TcpStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.write_part(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.end_writing(cx)
    }
}
