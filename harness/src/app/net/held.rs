//! A socket of the simulated kernel that stays on its host and ends with the host's life.
//!
//! `turmoil-net` looks its current host up at every call, drops included: every access to a socket goes through here,
//! where the host is pinned first and the pump is woken after. Access also waits while the app on its host is paused.

use std::{
    collections::BTreeMap,
    fmt, future, io, mem,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, Weak},
    task::{Context, Poll},
};

use crate::world::{Host, Sim};

/// Returns the host of the running task, for the operation `operation` of this module's types.
pub(super) fn here(operation: &str) -> io::Result<Host> {
    Host::current().map_err(|why| {
        let what = format!(
            "`sleet::app::net::{operation}` was called, but {why}; outside a run use the type of the same name in `tokio::net`"
        );
        io::Error::new(io::ErrorKind::Unsupported, what)
    })
}

/// A socket with its host.
pub(super) struct Held<S: Send + 'static> {
    host: Host,
    // `None` once it is closed.
    socket: Mutex<Option<S>>,
}

impl<S: Send + 'static> Held<S> {
    /// Opens a socket on `host` with `open`, and holds it until the last reference goes or the host crashes.
    pub fn open(host: &Host, open: impl FnOnce() -> io::Result<S>) -> io::Result<Arc<Self>> {
        host.pin();
        let held = Arc::new(Self {
            socket: Mutex::new(Some(open()?)),
            host: host.clone(),
        });
        let closes: Weak<dyn Close> = Arc::downgrade(&held) as _;
        remember(host, closes);
        Ok(held)
    }

    /// Returns the host.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// Polls an operation that may put packets on the wire whenever it is polled. It waits for ever once the life of
    /// the host is over.
    pub fn poll<R>(
        &self,
        cx: &mut Context<'_>,
        poll: impl FnOnce(&mut S, &mut Context<'_>) -> Poll<R>,
    ) -> Poll<R> {
        let polled = self.poll_quietly(cx, poll);
        self.host.sim().want_egress();
        polled
    }

    /// Polls an operation that may put packets on the wire only when it completes: reading opens the window, which the
    /// other end has to learn.
    pub fn poll_read<R>(
        &self,
        cx: &mut Context<'_>,
        poll: impl FnOnce(&mut S, &mut Context<'_>) -> Poll<R>,
    ) -> Poll<R> {
        let polled = self.poll_quietly(cx, poll);
        if polled.is_ready() {
            self.host.sim().want_egress();
        }
        polled
    }

    fn poll_quietly<R>(
        &self,
        cx: &mut Context<'_>,
        poll: impl FnOnce(&mut S, &mut Context<'_>) -> Poll<R>,
    ) -> Poll<R> {
        if !self.host.is_up() || self.host.stalls(cx) {
            return Poll::Pending;
        }
        let mut socket = self.socket();
        let Some(socket) = socket.as_mut() else {
            return Poll::Pending;
        };
        self.host.pin();
        poll(socket, cx)
    }

    /// Waits for an operation, polled with [`Held::poll`].
    pub async fn wait<R>(&self, mut poll: impl FnMut(&mut S, &mut Context<'_>) -> Poll<R>) -> R {
        future::poll_fn(|cx| self.poll(cx, &mut poll)).await
    }

    /// Waits for an operation, polled with [`Held::poll_read`].
    pub async fn wait_read<R>(&self, mut poll: impl FnMut(&mut S, &mut Context<'_>) -> Poll<R>) -> R {
        future::poll_fn(|cx| self.poll_read(cx, &mut poll)).await
    }

    /// Calls an operation that takes no time.
    pub fn call<R>(&self, call: impl FnOnce(&mut S) -> io::Result<R>) -> io::Result<R> {
        let mut socket = self.socket();
        let Some(socket) = socket.as_mut() else {
            return Err(io::Error::new(
                io::ErrorKind::NotConnected,
                "its host has crashed",
            ));
        };
        self.host.pin();
        let result = call(socket);
        self.host.sim().want_egress();
        result
    }

    /// Takes the socket out, for another owner.
    pub fn take(&self) -> Option<S> {
        self.socket().take()
    }

    fn socket(&self) -> MutexGuard<'_, Option<S>> {
        self.socket.lock().expect("the simulated kernel does not panic")
    }
}

impl<S: Send + 'static> fmt::Debug for Held<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "socket of {}", self.host.name())
    }
}

impl<S: Send + 'static> Drop for Held<S> {
    fn drop(&mut self) {
        self.close();
    }
}

/// A resource that a crash closes.
trait Close: Send + Sync {
    fn close(&self);
}

impl<S: Send + 'static> Close for Held<S> {
    fn close(&self) {
        let Some(socket) = self.take() else { return };
        match Sim::current() {
            Some(_) => {
                self.host.pin();
                drop(socket);
                self.host.sim().want_egress();
            }
            // The socket was carried out of its run, whose network is gone.
            None => mem::forget(socket),
        }
    }
}

/// The sockets of every life of every host, closed in the order in which they were opened.
#[derive(Default)]
struct Sockets {
    of: Mutex<BTreeMap<(String, u32), Open>>,
}

#[derive(Default)]
struct Open {
    sockets: Vec<Weak<dyn Close>>,
    // The number of sockets left when closed ones were last removed from the list.
    kept: usize,
}

/// Registers `socket` to be closed when this life of `host` ends.
fn remember(host: &Host, socket: Weak<dyn Close>) {
    let sockets = host.sim().part::<Sockets>();
    let mut of = sockets.of.lock().expect("no panic while it is held");
    let life = (host.name().to_owned(), host.life());
    let is_first = !of.contains_key(&life);
    let open = of.entry(life.clone()).or_default();
    if open.sockets.len() > 2 * open.kept.max(16) {
        open.sockets.retain(|s| s.strong_count() > 0);
        open.kept = open.sockets.len();
    }
    open.sockets.push(socket);
    drop(of);
    if is_first {
        host.at_crash(move |host| {
            let sockets = host.sim().part::<Sockets>();
            let open = sockets
                .of
                .lock()
                .expect("no panic while it is held")
                .remove(&life);
            let open = open.map(|open| open.sockets).unwrap_or_default();
            open.iter().filter_map(Weak::upgrade).for_each(|s| s.close());
        });
    }
}

/// Polls `future` once. The sockets of `turmoil-net` keep all state in its kernel, none in a waiting future.
pub(super) fn once<F: Future>(cx: &mut Context<'_>, future: F) -> Poll<F::Output> {
    pin!(future).poll(cx)
}

/// Waits for ever if the life of `host` is over: a dead process opens nothing.
pub(super) async fn only_if_alive(host: &Host) {
    if !host.is_up() {
        future::pending().await
    }
}
