//! Listening TCP sockets.

use std::{
    io,
    net::SocketAddr,
    sync::Arc,
    task::{Context, Poll},
};

use turmoil_net::shim::tokio::net as shim;

use super::{
    super::{ToSocketAddrs, addr, held},
    TcpStream,
};

/// A listening socket on the host of the task that binds it.
#[derive(Debug)]
pub struct TcpListener {
    held: Arc<held::Held<shim::TcpListener>>,
}

impl TcpListener {
    /// Listens at the first of `addr` that can be bound; port 0 takes a free one.
    ///
    /// # Errors
    /// Fails as the system does: the address is taken or not the host's. Fails with `Unsupported` outside a run.
    pub async fn bind<A: ToSocketAddrs>(addr: A) -> io::Result<Self> {
        let host = held::here("TcpListener::bind")?;
        held::only_if_alive(&host).await;
        let bind = async |address| {
            host.pin();
            let listener = shim::TcpListener::bind(address).await?;
            let held = held::Held::open(&host, move || Ok(listener))?;
            Ok(Self { held })
        };
        addr::first_that_works(addr.resolve(&host)?, bind).await
    }

    /// Waits for a connection.
    ///
    /// # Errors
    /// Fails as the system does.
    pub async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        std::future::poll_fn(|cx| self.poll_accept(cx)).await
    }

    /// Polls [`TcpListener::accept`].
    pub fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(TcpStream, SocketAddr)>> {
        let accepted = self.held.poll(cx, |listener, cx| listener.poll_accept(cx));
        accepted.map(|accepted| {
            let (stream, from) = accepted?;
            Ok((TcpStream::hold(self.held.host(), stream)?, from))
        })
    }

    /// Returns the address of the socket.
    ///
    /// # Errors
    /// Fails if the host has crashed.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.held.call(|listener| listener.local_addr())
    }

    /// Returns the time to live (hop limit) of packets. Nothing decrements it here.
    ///
    /// # Errors
    /// Fails if the host has crashed.
    pub fn ttl(&self) -> io::Result<u32> {
        self.held.call(|listener| listener.ttl())
    }

    /// Sets the value of [`TcpListener::ttl`].
    ///
    /// # Errors
    /// Fails with `InvalidInput` above 255.
    pub fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        self.held.call(|listener| listener.set_ttl(ttl))
    }
}
