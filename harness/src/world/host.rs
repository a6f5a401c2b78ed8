//! A machine of the world: what runs on it, where it is, and what is left of it.

use std::{io, net::IpAddr, sync::atomic::Ordering::Relaxed, task::Context};

use tokio::task::JoinHandle;
use turmoil_net::{NetstatEntry, NetstatState};

use super::{Sim, incarnations::Owner, pump, sim::HostEntry, tasks};
use crate::trace::EventKind;

/// A machine of the world, in one of its lives.
#[derive(Clone)]
pub struct Host {
    sim: Sim,
    owner: Owner,
}

impl Host {
    pub(super) fn new(sim: &Sim, owner: Owner) -> Self {
        Self {
            sim: sim.clone(),
            owner,
        }
    }

    fn entry(&self) -> &HostEntry {
        &self.sim.shared.hosts[self.owner.host]
    }

    /// The world that it stands in.
    pub fn sim(&self) -> &Sim {
        &self.sim
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.entry().name
    }

    /// How often it has been started again.
    pub fn life(&self) -> u32 {
        self.owner.life
    }

    /// Whether this life of it goes on.
    pub fn is_up(&self) -> bool {
        self.sim.shared.incarnations.goes_on(self.owner)
    }

    /// Does `last` when it crashes: at once, and without waiting. It must not hold a host or the world.
    pub(crate) fn at_crash(&self, last: impl FnOnce(&Self) + Send + 'static) {
        if let Some(late) = self.sim.shared.incarnations.at_crash(self.owner, Box::new(last)) {
            late(self);
        }
    }

    /// Starts a task that outlives a crash, to clear up after it unseen.
    pub(crate) fn bury(&self, name: &'static str, future: impl Future<Output = ()> + Send + 'static) {
        self.run(|| tasks::named(name, || drop(tokio::spawn(future))));
    }

    /// Its addresses, in the order of its interfaces.
    pub fn addresses(&self) -> &[IpAddr] {
        &self.entry().addresses
    }

    /// Its addresses whose interfaces are up now, in the order of its interfaces.
    pub fn addresses_up(&self) -> Vec<IpAddr> {
        let interfaces = self.entry().addresses.iter().zip(&self.entry().dark);
        let up = interfaces.filter(|(_, dark)| !dark.load(Relaxed));
        up.map(|(address, _)| *address).collect()
    }

    /// The addresses of all other hosts.
    pub fn foreign_addresses(&self) -> Vec<IpAddr> {
        let own = self.addresses();
        self.sim
            .shared
            .foreign
            .iter()
            .filter(|a| !own.contains(a))
            .copied()
            .collect()
    }

    /// Sets `count` ports of the host aside, and returns the first.
    ///
    /// # Errors
    /// When the host has no more.
    ///
    /// # Panics
    /// If a thread panicked while it took ports.
    pub fn port_range(&self, count: u16) -> io::Result<u16> {
        let mut next = self.entry().ports.lock().expect("taking ports does not panic");
        let first = *next;
        *next = first.checked_add(count).ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::AddrInUse,
                format!("no ports left on {}", self.name()),
            )
        })?;
        Ok(first)
    }

    /// Starts a task of this host.
    pub fn spawn<F>(&self, name: &'static str, future: F) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        self.run(|| self.sim.spawn(name, future))
    }

    /// Calls `f` as a task of this host would: what it spawns and records is the host's.
    pub fn run<R>(&self, f: impl FnOnce() -> R) -> R {
        tasks::as_owner(self.owner, f)
    }

    /// Writes down which tasks and sockets of this host there are, and `allocations` of its TURN server. Connections
    /// that an app has closed belong to the kernel, which waits for the other end. Tasks of a life that a crash has ended
    /// are nobody's: a process takes them along when it dies, which tokio cannot do.
    pub fn check_leaks(&self, allocations: u64) {
        let open = turmoil_net::netstat(self.addresses()[0]).entries;
        let sockets = open
            .iter()
            .filter(|s| !is_orphan(s))
            .map(pump::name_socket)
            .collect();
        let (lives, host) = (&self.sim.shared.incarnations, self.owner.host);
        let tasks = match lives.is_up(host) {
            true => self.sim.tasks().alive_of(lives.owner(host)),
            false => Vec::new(),
        };
        self.run(|| {
            self.sim.record(EventKind::LeakCheck {
                tasks,
                sockets,
                allocations,
            });
        });
    }

    /// Whether the app on it stands still; then the task of `cx` is woken when it goes on.
    pub(crate) fn stalls(&self, cx: &Context<'_>) -> bool {
        self.sim.shared.incarnations.stalls(self.owner.host, cx)
    }

    /// Makes this host's network stack the one that socket calls of this thread reach.
    pub(crate) fn pin(&self) {
        turmoil_net::set_current(self.entry().id);
    }
}

/// Whether the kernel alone holds a socket, because its app has closed it (RFC 9293, section 3.3.2).
fn is_orphan(socket: &NetstatEntry) -> bool {
    use NetstatState::{Closing, FinWait1, FinWait2, LastAck};
    matches!(socket.state, Some(FinWait1 | FinWait2 | Closing | LastAck))
}
