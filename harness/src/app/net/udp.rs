//! UDP sockets, as in `tokio::net`.

use std::{
    io,
    net::SocketAddr,
    sync::Arc,
    task::{Context, Poll},
};

use tokio::io::ReadBuf;
use turmoil_net::shim::tokio::net as shim;

use super::{
    ToSocketAddrs, addr,
    held::{self, Held, once},
};

/// A UDP socket on the host of the task that binds it.
///
/// A datagram larger than the interface's MTU allows is refused; one to a closed port is lost silently.
#[derive(Debug)]
pub struct UdpSocket {
    held: Arc<Held<shim::UdpSocket>>,
}

impl UdpSocket {
    /// Binds to the first of `addr` that can be bound; port 0 takes a free one.
    ///
    /// # Errors
    /// Fails as the system does: the address is taken or not the host's. Fails with `Unsupported` outside a run.
    pub async fn bind<A: ToSocketAddrs>(addr: A) -> io::Result<Self> {
        let host = held::here("UdpSocket::bind")?;
        held::only_if_alive(&host).await;
        let bind = async |address| {
            host.free_of_peers(address)?;
            host.pin();
            let socket = shim::UdpSocket::bind(address).await?;
            let held = Held::open(&host, move || Ok(socket))?;
            Ok(Self { held })
        };
        addr::first_that_works(addr.resolve(&host)?, bind).await
    }

    /// Connects the socket to the first of `addr`: datagrams go there and come from there from now on.
    ///
    /// # Errors
    /// Fails if `addr` resolves to no address.
    pub async fn connect<A: ToSocketAddrs>(&self, addr: A) -> io::Result<()> {
        let peers = addr.resolve(self.held.host())?;
        let connect = |peer| self.held.wait(move |s, cx| once(cx, s.connect(peer)));
        addr::first_that_works(peers, connect).await
    }

    /// Returns the local address.
    ///
    /// # Errors
    /// Fails if the host has crashed.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.held.call(|s| s.local_addr())
    }

    /// Returns the address that the socket is connected to.
    ///
    /// # Errors
    /// Fails with `NotConnected` if there is none.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.held.call(|s| s.peer_addr())
    }

    /// Sends a datagram to the connected address.
    ///
    /// # Errors
    /// Fails as the system does: not connected, or the datagram is too large.
    pub async fn send(&self, buf: &[u8]) -> io::Result<usize> {
        self.held.wait(|s, cx| once(cx, s.send(buf))).await
    }

    /// Sends a datagram to the first of `target`.
    ///
    /// # Errors
    /// Fails as the system does: the datagram is too large.
    pub async fn send_to<A: ToSocketAddrs>(&self, buf: &[u8], target: A) -> io::Result<usize> {
        let to = target.resolve(self.held.host())?;
        let no_address = || io::Error::new(io::ErrorKind::InvalidInput, "no addresses to send data to");
        let to = *to.first().ok_or_else(no_address)?;
        self.held.wait(|s, cx| once(cx, s.send_to(buf, to))).await
    }

    /// Receives a datagram from the connected address; a datagram longer than `buf` is cut off.
    ///
    /// # Errors
    /// Fails as the system does.
    pub async fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.held.wait_read(|s, cx| once(cx, s.recv(buf))).await
    }

    /// Receives a datagram; a datagram longer than `buf` is cut off.
    ///
    /// # Errors
    /// Fails as the system does.
    pub async fn recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.held.wait_read(|s, cx| once(cx, s.recv_from(buf))).await
    }

    /// Receives a datagram like [`UdpSocket::recv_from`], without removing it.
    ///
    /// # Errors
    /// Fails as the system does.
    pub async fn peek_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.held.wait_read(|s, cx| once(cx, s.peek_from(buf))).await
    }

    /// Sends like [`UdpSocket::send`], without waiting.
    ///
    /// # Errors
    /// Fails as the system does.
    pub fn try_send(&self, buf: &[u8]) -> io::Result<usize> {
        self.held.call(|s| s.try_send(buf))
    }

    /// Sends like [`UdpSocket::send_to`], without waiting.
    ///
    /// # Errors
    /// Fails as the system does.
    pub fn try_send_to(&self, buf: &[u8], target: SocketAddr) -> io::Result<usize> {
        self.held.call(|s| s.try_send_to(buf, target))
    }

    /// Receives like [`UdpSocket::recv`], without waiting.
    ///
    /// # Errors
    /// Fails with `WouldBlock` if no datagram has arrived.
    pub fn try_recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.held.call(|s| s.try_recv(buf))
    }

    /// Receives like [`UdpSocket::recv_from`], without waiting.
    ///
    /// # Errors
    /// Fails with `WouldBlock` if no datagram has arrived.
    pub fn try_recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.held.call(|s| s.try_recv_from(buf))
    }

    /// Waits until there is a datagram to receive.
    ///
    /// # Errors
    /// Fails as the system does.
    pub async fn readable(&self) -> io::Result<()> {
        let peek = |s: &mut shim::UdpSocket, cx: &mut Context<'_>| once(cx, s.peek_from(&mut []));
        self.held.wait_read(peek).await.map(drop)
    }

    /// Waits until a datagram can be sent: always, here.
    ///
    /// # Errors
    /// Never.
    pub async fn writable(&self) -> io::Result<()> {
        Ok(())
    }

    /// Polls [`UdpSocket::send`].
    pub fn poll_send(&self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.held.poll(cx, |s, cx| once(cx, s.send(buf)))
    }

    /// Polls [`UdpSocket::send_to`].
    pub fn poll_send_to(
        &self,
        cx: &mut Context<'_>,
        buf: &[u8],
        target: SocketAddr,
    ) -> Poll<io::Result<usize>> {
        self.held.poll(cx, |s, cx| once(cx, s.send_to(buf, target)))
    }

    /// Polls [`UdpSocket::recv`].
    pub fn poll_recv(&self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let unfilled = buf.initialize_unfilled();
        let len = self.held.poll_read(cx, |s, cx| once(cx, s.recv(unfilled)));
        len.map_ok(|len| buf.advance(len))
    }

    /// Polls [`UdpSocket::recv_from`].
    pub fn poll_recv_from(
        &self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<SocketAddr>> {
        let unfilled = buf.initialize_unfilled();
        let received = self.held.poll_read(cx, |s, cx| once(cx, s.recv_from(unfilled)));
        received.map_ok(|(len, from)| {
            buf.advance(len);
            from
        })
    }

    /// Reports whether the socket may send to broadcast addresses.
    ///
    /// # Errors
    /// Fails if the host has crashed.
    pub fn broadcast(&self) -> io::Result<bool> {
        self.held.call(|s| s.broadcast())
    }

    /// Allows the socket to send to broadcast addresses. No host receives such datagrams.
    ///
    /// # Errors
    /// Fails if the host has crashed.
    pub fn set_broadcast(&self, on: bool) -> io::Result<()> {
        self.held.call(|s| s.set_broadcast(on))
    }

    /// Returns the time to live (hop limit) of packets. Nothing decrements it here.
    ///
    /// # Errors
    /// Fails if the host has crashed.
    pub fn ttl(&self) -> io::Result<u32> {
        self.held.call(|s| s.ttl())
    }

    /// Sets the value of [`UdpSocket::ttl`].
    ///
    /// # Errors
    /// Fails with `InvalidInput` above 255.
    pub fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        self.held.call(|s| s.set_ttl(ttl))
    }
}
