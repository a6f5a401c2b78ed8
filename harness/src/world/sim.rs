//! The handle to a running world.

use std::{
    collections::BTreeMap,
    io,
    net::IpAddr,
    sync::{Arc, Mutex, Weak},
    time::Duration,
};

use tokio::{sync::Notify, task::JoinHandle};
use turmoil_net::HostId;

use super::{
    pump, runtime,
    tasks::{self, TaskTable},
    waiting::Turns,
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
    foreign: Vec<IpAddr>,
    egress: Notify,
    draws: Mutex<BTreeMap<String, (IndexedStream, u64)>>,
    turns: Turns,
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
                hosts,
                foreign: topology.addresses().collect(),
                egress: Notify::new(),
                draws: Mutex::default(),
                turns: Turns::default(),
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

    pub(super) fn turns(&self) -> &Turns {
        &self.shared.turns
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

    /// Writes down what happened on the host whose task is being polled.
    pub fn record(&self, kind: EventKind) {
        let host = tasks::current_host().map(|h| self.shared.hosts[h].name.as_str());
        self.shared.recorder.record(self.now(), host, kind);
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
        self.find_host(name)
            .unwrap_or_else(|| panic!("the topology has no host '{name}'"))
    }

    /// The host called `name`, if the topology has one.
    pub fn find_host(&self, name: &str) -> Option<Host> {
        let index = self.shared.hosts.iter().position(|h| h.name == name)?;
        Some(Host {
            sim: self.clone(),
            index,
        })
    }

    /// Starts a task of the host whose task is being polled.
    pub fn spawn<F>(&self, name: &'static str, future: F) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        tasks::named(name, || tokio::spawn(future))
    }

    /// Lets simulated time pass.
    pub async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

/// A machine of the world.
#[derive(Clone)]
pub struct Host {
    sim: Sim,
    index: usize,
}

impl Host {
    fn entry(&self) -> &HostEntry {
        &self.sim.shared.hosts[self.index]
    }

    /// The world that it stands in.
    pub fn sim(&self) -> &Sim {
        &self.sim
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.entry().name
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
        tasks::as_host(Some(self.index), f)
    }

    /// Writes down which tasks and sockets of this host there are, and `allocations` of its TURN server.
    pub fn take_census(&self, allocations: u64) {
        let sockets = turmoil_net::netstat(self.addresses()[0])
            .entries
            .iter()
            .map(pump::name_socket)
            .collect();
        let tasks = self.sim.tasks().alive_on(self.index);
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
