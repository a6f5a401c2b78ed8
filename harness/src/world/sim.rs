//! The handle to a running world.

use std::{
    collections::BTreeMap,
    future, io,
    net::{IpAddr, SocketAddr},
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, Weak},
    task::Poll,
    time::Duration,
};

use tokio::{
    sync::{Notify, watch},
    task::JoinHandle,
};
use turmoil_net::{HostId, NetstatEntry, NetstatState};

use super::{
    lives::{Liveness, Lives, Owner},
    pump, runtime,
    tasks::{self, TaskTable},
};
use crate::{
    ambient::AmbientClock,
    net::{latency::Latency, topology::Topology},
    seed::{IndexedStream, Seed, Stream},
    time::SimTime,
    trace::{EventKind, Recorder, Trace},
};

/// The world, as everything inside it sees it. Cheap to clone.
#[derive(Clone)]
pub struct Sim {
    shared: Arc<Shared>,
}

pub(super) struct Shared {
    seed: Seed,
    clock: Arc<AmbientClock>,
    tasks: Arc<TaskTable>,
    recorder: Recorder,
    hosts: Vec<HostEntry>,
    lives: Lives,
    foreign: Vec<IpAddr>,
    egress: Notify,
    // Connections that their apps gave up while they were made: the end here, and the other one.
    given_up: Mutex<Vec<(SocketAddr, SocketAddr)>>,
    draws: Mutex<BTreeMap<String, (IndexedStream, u64)>>,
}

struct HostEntry {
    name: String,
    id: HostId,
    addresses: Vec<IpAddr>,
    ports: Mutex<u16>,
}

/// The first port that [`Host::port_range`] hands out.
const FIRST_PORT: u16 = 50_000;

impl Sim {
    pub(super) fn new(
        seed: Seed,
        clock: Arc<AmbientClock>,
        tasks: Arc<TaskTable>,
        topology: &Topology,
        ids: &[HostId],
    ) -> Self {
        let hosts = topology.hosts.iter().zip(ids).map(|(spec, id)| HostEntry {
            name: spec.name.clone(),
            id: *id,
            addresses: spec.addresses().collect(),
            ports: Mutex::new(FIRST_PORT),
        });
        let hosts: Vec<HostEntry> = hosts.collect();
        let sim = Self {
            shared: Arc::new(Shared {
                seed,
                clock,
                tasks,
                recorder: Recorder::default(),
                lives: Lives::new(hosts.len()),
                hosts,
                foreign: topology.addresses().collect(),
                egress: Notify::new(),
                given_up: Mutex::default(),
                draws: Mutex::default(),
            }),
        };
        sim.tick();
        sim
    }

    pub(super) fn from_shared(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    pub(super) fn downgrade(&self) -> Weak<Shared> {
        Arc::downgrade(&self.shared)
    }

    pub(super) fn tasks(&self) -> &TaskTable {
        &self.shared.tasks
    }

    /// Sets the clock that libraries read to the simulated time.
    pub(super) fn tick(&self) {
        self.shared.clock.set(self.now());
    }

    pub(super) fn close_trace(&self) -> Trace {
        self.shared.recorder.close()
    }

    pub(super) fn host_names(&self) -> Vec<String> {
        self.shared.hosts.iter().map(|h| h.name.clone()).collect()
    }

    /// Waits until a socket may have something to send.
    pub(super) async fn egress_wanted(&self) {
        self.shared.egress.notified().await;
    }

    /// Wakes the pump: a socket may have something to send.
    pub(crate) fn want_egress(&self) {
        self.shared.egress.notify_one();
    }

    /// Nobody waits any more for the connection from `local` to `peer` that is being made.
    pub(crate) fn give_up(&self, local: SocketAddr, peer: SocketAddr) {
        self.given_up().push((local, peer));
        self.want_egress();
    }

    /// Takes the connections that were given up.
    pub(super) fn take_given_up(&self) -> Vec<(SocketAddr, SocketAddr)> {
        std::mem::take(&mut *self.given_up())
    }

    fn given_up(&self) -> MutexGuard<'_, Vec<(SocketAddr, SocketAddr)>> {
        self.shared.given_up.lock().expect("no panic while it is held")
    }

    /// The simulated time.
    pub fn now(&self) -> SimTime {
        runtime::now()
    }

    /// What decides this run.
    pub fn seed(&self) -> Seed {
        self.shared.seed
    }

    /// The random numbers called `label`.
    pub fn stream(&self, label: &str) -> Stream {
        self.shared.seed.stream(label)
    }

    /// The next draw of `latency` under `label`: the *n*th draw depends on the seed, the label and *n*.
    ///
    /// # Panics
    /// If a thread panicked while it drew.
    pub fn draw(&self, label: &str, latency: &Latency) -> Duration {
        let mut draws = self.shared.draws.lock().expect("drawing does not panic");
        let (stream, ordinal) = draws
            .entry(label.to_owned())
            .or_insert_with(|| (self.shared.seed.indexed(label), 0));
        let drawn = latency.draw(stream.at(*ordinal));
        *ordinal += 1;
        drawn
    }

    /// Writes down what happened on the host whose task is being polled. Nobody sees what a life does that is over.
    pub fn record(&self, kind: EventKind) {
        let owner = tasks::current_owner();
        if owner.is_none_or(|o| self.shared.lives.goes_on(o)) {
            self.record_on(owner.map(|o| o.host), kind);
        }
    }

    /// Writes down what happened on `host`.
    pub(crate) fn record_on(&self, host: Option<usize>, kind: EventKind) {
        let host = host.map(|h| self.shared.hosts[h].name.as_str());
        self.shared.recorder.record(self.now(), host, kind);
    }

    /// Writes down that an interesting path was reached.
    pub fn mark(&self, mark: &str) {
        self.record(EventKind::Mark { mark: mark.into() });
    }

    /// Writes down that a client or a user did something.
    pub fn step(&self, step: &str, detail: impl Into<String>) {
        self.record(EventKind::Step {
            step: step.into(),
            detail: detail.into(),
        });
    }

    /// The host called `name`.
    ///
    /// # Panics
    /// If the topology has none.
    pub fn host(&self, name: &str) -> Host {
        Host {
            sim: self.clone(),
            owner: self.shared.lives.owner(self.index_of(name)),
        }
    }

    fn index_of(&self, name: &str) -> usize {
        let index = self.shared.hosts.iter().position(|h| h.name == name);
        index.unwrap_or_else(|| panic!("the topology has no host '{name}'"))
    }

    /// The host called `name` goes dark with everything that runs on it.
    ///
    /// # Panics
    /// If the topology has none.
    pub fn crash(&self, name: &str) {
        let index = self.index_of(name);
        let host = self.host(name);
        self.record_on(Some(index), EventKind::Crashed);
        for last in self.shared.lives.crash(index) {
            host.run(|| last(&host));
        }
    }

    /// The host called `name` runs again, in a new life: whoever holds a [`Host`] of the life before holds a dead one.
    ///
    /// # Panics
    /// If the topology has none.
    pub fn start(&self, name: &str) {
        let index = self.index_of(name);
        self.shared.lives.start(index);
        self.record_on(Some(index), EventKind::Started);
    }

    /// The app on the host called `name` stands still, or goes on.
    ///
    /// # Panics
    /// If the topology has none.
    pub fn pause(&self, name: &str, still: bool) {
        let index = self.index_of(name);
        if still {
            self.shared.lives.pause(index);
        } else if self.shared.lives.resume(index) {
            let mark = "host-pause-hit".to_owned();
            self.record_on(Some(index), EventKind::Mark { mark });
        }
    }

    /// What the host called `name` is doing, and whenever that changes.
    ///
    /// # Panics
    /// If the topology has none.
    pub fn lives(&self, name: &str) -> watch::Receiver<Liveness> {
        self.shared.lives.watch(self.index_of(name))
    }

    /// Whether the host at `index` of the topology runs.
    pub(super) fn is_up(&self, index: usize) -> bool {
        self.shared.lives.is_up(index)
    }

    /// Starts a task of the host whose task is being polled: it ends when the host crashes, and stands still while
    /// the host is paused.
    pub fn spawn<F>(&self, name: &'static str, future: F) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        let Some(owner) = tasks::current_owner() else {
            return tasks::named(name, || tokio::spawn(future));
        };
        let sim = self.clone();
        let mortal = async move {
            let mut future = pin!(future);
            future::poll_fn(|cx| match sim.shared.lives.stalls(owner.host, cx) {
                true => Poll::Pending,
                false => future.as_mut().poll(cx),
            })
            .await
        };
        let task = tasks::named(name, || tokio::spawn(mortal));
        self.shared.lives.ends_with(owner, task.abort_handle());
        task
    }

    /// Lets simulated time pass.
    pub async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

/// A machine of the world, in one of its lives.
#[derive(Clone)]
pub struct Host {
    sim: Sim,
    owner: Owner,
}

impl Host {
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
        self.sim.shared.lives.goes_on(self.owner)
    }

    /// Does `last` when it crashes: at once, and without waiting. It must not hold a host or the world.
    pub(crate) fn at_crash(&self, last: impl FnOnce(&Self) + Send + 'static) {
        if let Some(late) = self.sim.shared.lives.at_crash(self.owner, Box::new(last)) {
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
    /// that an app has closed belong to the kernel, which waits for the other end.
    pub fn take_census(&self, allocations: u64) {
        let open = turmoil_net::netstat(self.addresses()[0]).entries;
        let sockets = open
            .iter()
            .filter(|s| !is_orphan(s))
            .map(pump::name_socket)
            .collect();
        let tasks = self.sim.tasks().alive_on(self.owner.host);
        self.run(|| {
            self.sim.record(EventKind::Census {
                tasks,
                sockets,
                allocations,
            });
        });
    }

    /// Makes this host's network stack the one that socket calls of this thread reach.
    pub(crate) fn pin(&self) {
        turmoil_net::set_current(self.entry().id);
    }
}

/// Whether the kernel alone holds a socket: it was closed by its app, or given up while it connected (which
/// `turmoil-net` 0.1.0 does not notice; whoever still connects shows by the task).
fn is_orphan(socket: &NetstatEntry) -> bool {
    use NetstatState::{Closing, FinWait1, FinWait2, LastAck, SynSent};
    matches!(
        socket.state,
        Some(SynSent | FinWait1 | FinWait2 | Closing | LastAck)
    )
}
