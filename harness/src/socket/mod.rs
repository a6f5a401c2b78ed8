//! Sockets of a simulated host, shaped like tokio's.
//!
//! `turmoil-net` looks its current host up at every call, drops included, so each type here remembers its host and pins
//! it first; and any call that may put something on the wire wakes the pump.

mod tcp;
mod udp;

pub use tcp::{TcpListener, TcpStream};
pub use udp::UdpSocket;

use crate::world::Host;

/// A socket of `turmoil-net` with its host.
struct Pinned<S> {
    // `None` only while it is dropped.
    socket: Option<S>,
    host: Host,
}

impl<S> Pinned<S> {
    fn new(host: &Host, socket: S) -> Self {
        Self {
            socket: Some(socket),
            host: host.clone(),
        }
    }

    /// Pins the host and returns the socket.
    fn get(&self) -> &S {
        self.host.pin();
        self.socket.as_ref().expect("only drop takes it")
    }

    /// Pins the host and returns the socket.
    fn get_mut(&mut self) -> &mut S {
        self.host.pin();
        self.socket.as_mut().expect("only drop takes it")
    }

    /// Wakes the pump, because something may have been put on the wire.
    fn sent(&self) {
        self.host.sim().want_egress();
    }
}

impl<S> Drop for Pinned<S> {
    fn drop(&mut self) {
        self.host.pin();
        self.socket.take();
        self.sent();
    }
}

/// Polls `future` with `host` pinned each time.
async fn pinned<F: Future>(host: &Host, future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    std::future::poll_fn(|cx| {
        host.pin();
        let polled = future.as_mut().poll(cx);
        host.sim().want_egress();
        polled
    })
    .await
}

/// Same as [`pinned`], for a call that only takes a datagram from the socket and puts nothing on the wire.
async fn pinned_taking<F: Future>(host: &Host, future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    std::future::poll_fn(|cx| {
        host.pin();
        let polled = future.as_mut().poll(cx);
        host.sim().wake_pump();
        polled
    })
    .await
}
