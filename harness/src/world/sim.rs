//! The handle to a running world.

use std::{
    collections::BTreeMap,
    future,
    net::IpAddr,
    pin::pin,
    sync::{
        Arc, Mutex, Weak,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    task::Poll,
    time::Duration,
};

use tokio::{
    sync::{Notify, watch},
    task::JoinHandle,
};
use turmoil_net::HostId;

use super::{
    Host, WorldSpec,
    attached::Attached,
    gate::Gate,
    incarnations::{Incarnations, Liveness},
    runtime,
    tasks::{self, TaskTable},
};
use crate::{
    ambient::AmbientClock,
    net::latency::Latency,
    seed::{IndexedStream, Seed, Stream},
    time::SimTime,
    trace::{Event, EventKind, FaultId, Listener, Recorder, Trace, Watch},
};

/// The world, as everything inside it sees it. Cheap to clone.
#[derive(Clone)]
pub struct Sim {
    pub(super) shared: Arc<Shared>,
}

pub(super) struct Shared {
    seed: Seed,
    clock: Arc<AmbientClock>,
    tasks: Arc<TaskTable>,
    recorder: Recorder,
    pub(super) hosts: Vec<HostEntry>,
    pub(super) incarnations: Incarnations,
    pub(super) foreign: Vec<IpAddr>,
    egress: Notify,
    // Whether a kernel may have packets that nobody has taken.
    egress_due: AtomicBool,
    draws: Mutex<BTreeMap<String, (IndexedStream, u64)>>,
    turns: Gate,
    attached: Attached,
}

pub(super) struct HostEntry {
    pub(super) name: String,
    pub(super) id: HostId,
    pub(super) addresses: Vec<IpAddr>,
    // Which of its interfaces are dark.
    pub(super) dark: Vec<AtomicBool>,
    pub(super) ports: Mutex<u16>,
}

/// The first port that [`Host::port_range`] hands out.
const FIRST_PORT: u16 = 50_000;

impl Sim {
    pub(super) fn new(
        clock: Arc<AmbientClock>,
        tasks: Arc<TaskTable>,
        spec: &WorldSpec,
        ids: &[HostId],
        addresses: Vec<IpAddr>,
    ) -> Self {
        let hosts = spec.topology.hosts.iter().zip(ids);
        let hosts = hosts.map(|(host, id)| HostEntry {
            name: host.name.clone(),
            id: *id,
            addresses: host.addresses().collect(),
            dark: host.interfaces.iter().map(|_| AtomicBool::new(false)).collect(),
            ports: Mutex::new(FIRST_PORT),
        });
        let hosts: Vec<HostEntry> = hosts.collect();
        let sim = Self {
            shared: Arc::new(Shared {
                seed: spec.seed,
                clock,
                tasks,
                recorder: Recorder::default(),
                incarnations: Incarnations::new(hosts.len()),
                hosts,
                foreign: addresses,
                egress: Notify::new(),
                egress_due: AtomicBool::new(true),
                draws: Mutex::default(),
                turns: Gate::default(),
                attached: Attached::default(),
            }),
        };
        sim.tick();
        sim
    }

    /// From here on, `watch` is told of every event.
    pub(super) fn watched_by(&self, watch: Arc<Watch>) {
        self.shared.recorder.watched_by(watch);
    }

    /// Who watches the run, if somebody does.
    pub(super) fn watch(&self) -> Option<Arc<Watch>> {
        self.shared.recorder.watch()
    }

    /// From here on, `listener` hears of every event of the run as it is recorded. It must not record.
    pub(crate) fn heard_by(&self, listener: impl FnMut(&Event) + Send + 'static) {
        self.shared.recorder.heard_by(Listener(Box::new(listener)));
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

    pub(super) fn attached_values(&self) -> &Attached {
        &self.shared.attached
    }

    pub(super) fn gate(&self) -> &Gate {
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
        self.stir_egress();
        self.wake_pump();
    }

    /// Wakes the pump after something that puts nothing on the wire: its turns are part of the order of things.
    pub(crate) fn wake_pump(&self) {
        self.shared.egress.notify_one();
    }

    /// A kernel may have something to send: the pump looks, when it looks next.
    pub(super) fn stir_egress(&self) {
        self.shared.egress_due.store(true, Relaxed);
    }

    /// Whether a kernel may have something to send, since this was asked last.
    pub(super) fn take_egress(&self) -> bool {
        self.shared.egress_due.swap(false, Relaxed)
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
        if owner.is_none_or(|o| self.shared.incarnations.goes_on(o)) {
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
        self.find_host(name)
            .unwrap_or_else(|| panic!("the topology has no host '{name}'"))
    }

    /// The host called `name`, if the topology has one.
    pub fn find_host(&self, name: &str) -> Option<Host> {
        let index = self.shared.hosts.iter().position(|h| h.name == name)?;
        Some(Host::new(self, self.shared.incarnations.owner(index)))
    }

    /// Every host with its first address.
    pub(crate) fn names(&self) -> impl Iterator<Item = (String, IpAddr)> {
        let first = |host: &HostEntry| Some((host.name.clone(), *host.addresses.first()?));
        self.shared.hosts.iter().filter_map(first)
    }

    fn index_of(&self, name: &str) -> usize {
        let index = self.shared.hosts.iter().position(|h| h.name == name);
        index.unwrap_or_else(|| panic!("the topology has no host '{name}'"))
    }

    /// The interface at `interface` of the host at `index` is dark, or up.
    pub(super) fn set_dark(&self, index: usize, interface: usize, dark: bool) {
        self.shared.hosts[index].dark[interface].store(dark, Relaxed);
    }

    /// What is sent to the host called `name` over UDP finds nobody, because of a fault; or somebody again.
    ///
    /// # Panics
    /// If the topology has none.
    pub(crate) fn silence(&self, name: &str, fault: Option<FaultId>) {
        self.shared.incarnations.silence(self.index_of(name), fault);
    }

    pub(super) fn silenced_by(&self, index: usize) -> Option<FaultId> {
        self.shared.incarnations.silenced_by(index)
    }

    pub(super) fn crashed_by(&self, index: usize) -> Option<FaultId> {
        self.shared.incarnations.crashed_by(index)
    }

    /// The host called `name` goes dark with everything that runs on it, because of `fault`.
    pub(super) fn crash_by(&self, name: &str, fault: Option<FaultId>) {
        let index = self.index_of(name);
        let host = self.host(name);
        self.record_on(Some(index), EventKind::Crashed);
        for last in self.shared.incarnations.crash(index, fault) {
            host.run(|| last(&host));
        }
    }

    /// The host called `name` runs again, in a new life: whoever holds a [`Host`] of the life before holds a dead one.
    pub(super) fn start(&self, name: &str) {
        let index = self.index_of(name);
        self.shared.incarnations.start(index);
        self.record_on(Some(index), EventKind::Started);
    }

    /// The app on the host called `name` stands still, or goes on: then whether that held anything up.
    pub(super) fn pause(&self, name: &str, still: bool) -> bool {
        let index = self.index_of(name);
        if still {
            self.shared.incarnations.pause(index);
            return false;
        }
        self.shared.incarnations.resume(index)
    }

    /// What the host called `name` is doing, and whenever that changes.
    ///
    /// # Panics
    /// If the topology has none.
    pub fn lives(&self, name: &str) -> watch::Receiver<Liveness> {
        self.shared.incarnations.watch(self.index_of(name))
    }

    /// Whether the host at `index` of the topology runs.
    pub(super) fn is_up(&self, index: usize) -> bool {
        self.shared.incarnations.is_up(index)
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
            future::poll_fn(|cx| match sim.shared.incarnations.stalls(owner.host, cx) {
                true => Poll::Pending,
                false => future.as_mut().poll(cx),
            })
            .await
        };
        let task = tasks::named(name, || tokio::spawn(mortal));
        self.shared.incarnations.ends_with(owner, task.abort_handle());
        task
    }

    /// Lets simulated time pass.
    pub async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}
