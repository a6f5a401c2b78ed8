//! UDP, as in `tokio::net`.

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
/// A datagram larger than the interface's MTU allows is refused; one to a port that nobody has is lost in silence.
#[derive(Debug)]
pub struct UdpSocket {
    held: Arc<Held<shim::UdpSocket>>,
}

impl UdpSocket {
    /// Binds to the first of `addr` that can be bound; port 0 takes a free one.
    ///
    /// # Errors
    /// As the system's: the address is taken or not the host's. Of kind `Unsupported` outside a run.
    pub async fn bind<A: ToSocketAddrs>(addr: A) -> io::Result<Self> {
        let host = held::here("UdpSocket::bind")?;
        held::only_if_alive(&host).await;
        let bind = async |address| {
            host.pin();
            let socket = shim::UdpSocket::bind(address).await?;
            let held = Held::open(&host, move || Ok(socket))?;
            Ok(Self { held })
        };
        addr::first_that_works(addr.resolve(&host)?, bind).await
    }

    /// Where datagrams go and come from, from now on: the first of `addr`.
    ///
    /// # Errors
    /// If `addr` stands for no address.
    pub async fn connect<A: ToSocketAddrs>(&self, addr: A) -> io::Result<()> {
        let peers = addr.resolve(self.held.host())?;
        let connect = |peer| self.held.wait(move |s, cx| once(cx, s.connect(peer)));
        addr::first_that_works(peers, connect).await
    }

    /// The address that it is bound to.
    ///
    /// # Errors
    /// If its host has crashed.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.held.call(|s| s.local_addr())
    }

    /// The address that it is connected to.
    ///
    /// # Errors
    /// Of kind `NotConnected` if it is not.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.held.call(|s| s.peer_addr())
    }

    /// Sends a datagram to the address that it is connected to.
    ///
    /// # Errors
    /// As the system's: it is not connected, or the datagram is too large.
    pub async fn send(&self, buf: &[u8]) -> io::Result<usize> {
        self.held.wait(|s, cx| once(cx, s.send(buf))).await
    }

    /// Sends a datagram to the first of `target`.
    ///
    /// # Errors
    /// As the system's: the datagram is too large.
    pub async fn send_to<A: ToSocketAddrs>(&self, buf: &[u8], target: A) -> io::Result<usize> {
        let to = target.resolve(self.held.host())?;
        let no_address = || io::Error::new(io::ErrorKind::InvalidInput, "no addresses to send data to");
        let to = *to.first().ok_or_else(no_address)?;
        self.held.wait(|s, cx| once(cx, s.send_to(buf, to))).await
    }

    /// Receives a datagram of the address that it is connected to; what does not fit into `buf` is cut off.
    ///
    /// # Errors
    /// As the system's.
    pub async fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.held.wait_read(|s, cx| once(cx, s.recv(buf))).await
    }

    /// Receives a datagram; what does not fit into `buf` is cut off.
    ///
    /// # Errors
    /// As the system's.
    pub async fn recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.held.wait_read(|s, cx| once(cx, s.recv_from(buf))).await
    }

    /// As [`UdpSocket::recv_from`], and the datagram stays where it is.
    ///
    /// # Errors
    /// As the system's.
    pub async fn peek_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.held.wait_read(|s, cx| once(cx, s.peek_from(buf))).await
    }

    /// As [`UdpSocket::send`], at once.
    ///
    /// # Errors
    /// As the system's.
    pub fn try_send(&self, buf: &[u8]) -> io::Result<usize> {
        self.held.call(|s| s.try_send(buf))
    }

    /// As [`UdpSocket::send_to`], at once.
    ///
    /// # Errors
    /// As the system's.
    pub fn try_send_to(&self, buf: &[u8], target: SocketAddr) -> io::Result<usize> {
        self.held.call(|s| s.try_send_to(buf, target))
    }

    /// As [`UdpSocket::recv`], at once.
    ///
    /// # Errors
    /// Of kind `WouldBlock` if nothing has come.
    pub fn try_recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.held.call(|s| s.try_recv(buf))
    }

    /// As [`UdpSocket::recv_from`], at once.
    ///
    /// # Errors
    /// Of kind `WouldBlock` if nothing has come.
    pub fn try_recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.held.call(|s| s.try_recv_from(buf))
    }

    /// Waits until there is something to receive.
    ///
    /// # Errors
    /// As the system's.
    pub async fn readable(&self) -> io::Result<()> {
        let peek = |s: &mut shim::UdpSocket, cx: &mut Context<'_>| once(cx, s.peek_from(&mut []));
        self.held.wait_read(peek).await.map(drop)
    }

    /// Waits until something can be sent: always, here.
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

    /// Whether it may send to broadcast addresses.
    ///
    /// # Errors
    /// If its host has crashed.
    pub fn broadcast(&self) -> io::Result<bool> {
        self.held.call(|s| s.broadcast())
    }

    /// Lets it send to broadcast addresses. No host receives what is sent there.
    ///
    /// # Errors
    /// If its host has crashed.
    pub fn set_broadcast(&self, on: bool) -> io::Result<()> {
        self.held.call(|s| s.set_broadcast(on))
    }

    /// Over how many routers its packets may go. No router counts.
    ///
    /// # Errors
    /// If its host has crashed.
    pub fn ttl(&self) -> io::Result<u32> {
        self.held.call(|s| s.ttl())
    }

    /// Sets what [`UdpSocket::ttl`] says.
    ///
    /// # Errors
    /// Of kind `InvalidInput` above 255.
    pub fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        self.held.call(|s| s.set_ttl(ttl))
    }
}
