//! A host of the world: its tasks, its addresses, and its leak check.

use std::{net::IpAddr, sync::atomic::Ordering::Relaxed, task::Context};

use tokio::task::JoinHandle;
use turmoil_net::{NetstatEntry, NetstatState};

use super::{Sim, incarnations::Owner, sim::HostEntry, tasks};
use crate::trace::EventKind;

/// A host of the world, in one of its lives.
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

    pub(super) fn index(&self) -> usize {
        self.owner.host
    }

    /// Returns the world of the host.
    pub fn sim(&self) -> &Sim {
        &self.sim
    }

    /// Returns the host's name.
    pub fn name(&self) -> &str {
        &self.entry().name
    }

    /// Returns the life: the number of restarts so far.
    pub fn life(&self) -> u32 {
        self.owner.life
    }

    /// Reports whether the host is up and still in this life.
    pub fn is_up(&self) -> bool {
        self.sim.shared.incarnations.goes_on(self.owner)
    }

    /// Registers `last` to run when the host crashes: at once, and without waiting. It must not hold a host or the
    /// world.
    pub(crate) fn at_crash(&self, last: impl FnOnce(&Self) + Send + 'static) {
        let (world, owner) = (self.sim.downgrade(), self.owner);
        let last = move || {
            // Without its world nothing of the host is left to end.
            if let Some(shared) = world.upgrade() {
                last(&Self::new(&Sim::from_shared(shared), owner));
            }
        };
        if let Some(late) = self.sim.shared.incarnations.at_crash(self.owner, Box::new(last)) {
            late();
        }
    }

    /// Starts a task that outlives a crash, to clean up after it unseen.
    pub(crate) fn bury(&self, name: &'static str, future: impl Future<Output = ()> + Send + 'static) {
        self.run(|| tasks::named(name, || drop(tokio::spawn(future))));
    }

    /// Returns the addresses, in the order of the interfaces.
    pub fn addresses(&self) -> &[IpAddr] {
        &self.entry().addresses
    }

    /// Returns the addresses of interfaces that are up, in the order of the interfaces.
    pub fn addresses_up(&self) -> Vec<IpAddr> {
        self.interfaces_up().collect()
    }

    fn interfaces_up(&self) -> impl Iterator<Item = IpAddr> + Clone {
        let interfaces = self.entry().addresses.iter().zip(&self.entry().dark);
        let up = interfaces.filter(|(_, dark)| !dark.load(Relaxed));
        up.map(|(address, _)| *address)
    }

    /// Returns the address from which a packet leaves that would have left from `address`, if the system chooses: that of an interface
    /// that is up, if the one with `address` is not.
    pub(crate) fn leads_over(&self, address: IpAddr) -> IpAddr {
        let is_like = |other: &IpAddr| other.is_ipv4() == address.is_ipv4();
        let mut up = self.interfaces_up();
        match up.clone().any(|own| own == address) {
            true => address,
            false => up.find(is_like).unwrap_or(address),
        }
    }

    /// Returns the addresses of all other hosts.
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

    /// Starts a task of this host.
    pub fn spawn<F>(&self, name: &'static str, future: F) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        self.run(|| self.sim.spawn(name, future))
    }

    /// Starts a task for what a machine does beside its apps: it waits while the host is paused, and no leak check counts it.
    pub(crate) fn spawn_unseen(
        &self,
        name: &'static str,
        future: impl Future<Output = ()> + Send + 'static,
    ) -> JoinHandle<()> {
        let waits = self.sim.clone().while_unpaused(self.owner.host, future);
        self.sim.spawn_outside(name, waits)
    }

    /// Calls `f` as a task of this host would: the tasks that it spawns and the events that it records are the host's.
    pub fn run<R>(&self, f: impl FnOnce() -> R) -> R {
        tasks::as_owner(self.owner, f)
    }

    /// Records the tasks and sockets of this host, and `allocations` of its TURN server, as the leak check. Connections
    /// that an app has closed belong to the kernel, which waits for the other end. Tasks of a life that a crash has
    /// ended do not count: a process takes them along when it dies, which tokio cannot do.
    pub fn check_leaks(&self, allocations: u64) {
        let open = turmoil_net::netstat(self.addresses()[0]).entries;
        let open = open.iter().filter(|s| !is_orphan(s)).map(name_socket);
        let sockets = open.chain(self.sim.ports().names(self.addresses())).collect();
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

    /// Reports whether the app on the host is paused; then the task of `cx` is woken on resume.
    pub(crate) fn stalls(&self, cx: &Context<'_>) -> bool {
        self.sim.shared.incarnations.stalls(self.owner.host, cx)
    }

    /// Makes this host's network stack the target of this thread's socket calls.
    pub(crate) fn pin(&self) {
        turmoil_net::set_current(self.entry().id);
    }
}

impl Sim {
    /// Returns the host called `name`.
    ///
    /// # Panics
    /// Panics if the topology has no such host.
    pub fn host(&self, name: &str) -> Host {
        self.find_host(name)
            .unwrap_or_else(|| panic!("the topology has no host '{name}'"))
    }

    /// Returns the host called `name`, if the topology has one.
    pub fn find_host(&self, name: &str) -> Option<Host> {
        let index = self.shared.hosts.iter().position(|h| h.name == name)?;
        Some(Host::new(self, self.shared.incarnations.owner(index)))
    }
}

/// Returns the name of a socket in reports: protocol, address and state.
pub(super) fn name_socket(socket: &NetstatEntry) -> String {
    let state = socket
        .state
        .map_or_else(|| "bound".to_owned(), |s| s.to_string().to_lowercase());
    format!("{} {} {state}", socket.proto, socket.local)
}

/// Reports whether the kernel alone holds a socket, because its app has closed it (RFC 9293, section 3.3.2).
fn is_orphan(socket: &NetstatEntry) -> bool {
    use NetstatState::{Closing, FinWait1, FinWait2, LastAck};
    matches!(socket.state, Some(FinWait1 | FinWait2 | Closing | LastAck))
}
