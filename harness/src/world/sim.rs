//! The handle to a running world.

use std::{
    any::Any,
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
    WorldSpec,
    attached::Attached,
    gate::Gate,
    incarnations::{Incarnations, Liveness},
    ports::PortTable,
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

/// The world, as code inside it sees it. Cheap to clone.
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
    // Whether a kernel may have packets that the pump has not taken.
    egress_due: AtomicBool,
    draws: Mutex<BTreeMap<String, (IndexedStream, u64)>>,
    turns: Gate,
    ports: PortTable,
    attached: Attached,
}

pub(super) struct HostEntry {
    pub(super) name: String,
    pub(super) id: HostId,
    pub(super) addresses: Vec<IpAddr>,
    // For each interface, whether it is dark.
    pub(super) dark: Vec<AtomicBool>,
}

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
                ports: PortTable::default(),
                attached: Attached::default(),
            }),
        };
        sim.tick();
        sim
    }

    /// Makes `watch` hear of every event from here on.
    pub(super) fn watched_by(&self, watch: Arc<Watch>) {
        self.shared.recorder.watched_by(watch);
    }

    /// Returns the watch, if the run has one.
    pub(super) fn watch(&self) -> Option<Arc<Watch>> {
        self.shared.recorder.watch()
    }

    /// Makes `listener` hear of every event of the run from here on, as it is recorded. It must not record.
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

    /// Attaches `value` to the world, and replaces another of its type.
    pub(crate) fn attach<T: Any + Send + Sync>(&self, value: Arc<T>) {
        self.shared.attached.insert(value);
    }

    /// Returns the attached value of type `T`.
    pub(crate) fn attached<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        self.shared.attached.get()
    }

    /// Returns the value of type `T`, and creates it first if there is none.
    pub(crate) fn part<T: Any + Send + Sync + Default>(&self) -> Arc<T> {
        self.attached().unwrap_or_else(|| {
            let made = Arc::<T>::default();
            self.attach(made.clone());
            made
        })
    }

    pub(super) fn ports(&self) -> &PortTable {
        &self.shared.ports
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

    /// Wakes the pump, because a socket may have something to send.
    pub(crate) fn want_egress(&self) {
        self.stir_egress();
        self.wake_pump();
    }

    /// Wakes the pump without a word to the kernels, which have nothing new to send: its turns are part of the deterministic order.
    pub(crate) fn wake_pump(&self) {
        self.shared.egress.notify_one();
    }

    /// Notes that a kernel may have something to send, for the pump's next turn.
    pub(super) fn stir_egress(&self) {
        self.shared.egress_due.store(true, Relaxed);
    }

    /// Reports whether a kernel may have something to send, since the last call.
    pub(super) fn take_egress(&self) -> bool {
        self.shared.egress_due.swap(false, Relaxed)
    }

    /// Returns the simulated time.
    pub fn now(&self) -> SimTime {
        runtime::now()
    }

    /// Returns the seed of the run.
    pub fn seed(&self) -> Seed {
        self.shared.seed
    }

    /// Returns the random stream called `label`.
    pub fn stream(&self, label: &str) -> Stream {
        self.shared.seed.stream(label)
    }

    /// Draws the next duration of `latency` under `label`: the *n*th draw depends on the seed, the label and *n*.
    ///
    /// # Panics
    /// Panics if a thread panicked while it drew.
    pub fn draw(&self, label: &str, latency: &Latency) -> Duration {
        let mut draws = self.shared.draws.lock().expect("drawing does not panic");
        let (stream, ordinal) = draws
            .entry(label.to_owned())
            .or_insert_with(|| (self.shared.seed.indexed(label), 0));
        let drawn = latency.draw(stream.at(*ordinal));
        *ordinal += 1;
        drawn
    }

    /// Records an event on the host whose task is being polled. Events of a life that is over are ignored.
    pub fn record(&self, kind: EventKind) {
        let owner = tasks::current_owner();
        if owner.is_none_or(|o| self.shared.incarnations.goes_on(o)) {
            self.record_on(owner.map(|o| o.host), kind);
        }
    }

    /// Records an event on `host`.
    pub(crate) fn record_on(&self, host: Option<usize>, kind: EventKind) {
        let host = host.map(|h| self.shared.hosts[h].name.as_str());
        self.shared.recorder.record(self.now(), host, kind);
    }

    /// Records that the run reached the mark `mark`.
    pub fn mark(&self, mark: &str) {
        self.record(EventKind::Mark { mark: mark.into() });
    }

    /// Records a step of a client or a user.
    pub fn step(&self, step: &str, detail: impl Into<String>) {
        self.record(EventKind::Step {
            step: step.into(),
            detail: detail.into(),
        });
    }

    /// Iterates over the hosts with their first addresses.
    pub(crate) fn names(&self) -> impl Iterator<Item = (String, IpAddr)> {
        let first = |host: &HostEntry| Some((host.name.clone(), *host.addresses.first()?));
        self.shared.hosts.iter().filter_map(first)
    }

    fn index_of(&self, name: &str) -> usize {
        let index = self.shared.hosts.iter().position(|h| h.name == name);
        index.unwrap_or_else(|| panic!("the topology has no host '{name}'"))
    }

    /// Marks the interface at index `interface` of the host at `index` as dark or up.
    pub(super) fn set_dark(&self, index: usize, interface: usize, dark: bool) {
        self.shared.hosts[index].dark[interface].store(dark, Relaxed);
    }

    /// Makes UDP packets to the host called `name` find no receiver because of a fault; `None` ends it.
    ///
    /// # Panics
    /// Panics if the topology has no such host.
    pub(crate) fn silence(&self, name: &str, fault: Option<FaultId>) {
        self.shared.incarnations.silence(self.index_of(name), fault);
    }

    pub(super) fn silenced_by(&self, index: usize) -> Option<FaultId> {
        self.shared.incarnations.silenced_by(index)
    }

    pub(super) fn crashed_by(&self, index: usize) -> Option<FaultId> {
        self.shared.incarnations.crashed_by(index)
    }

    /// Crashes the host called `name` with everything that runs on it, because of `fault`.
    pub(super) fn crash_by(&self, name: &str, fault: Option<FaultId>) {
        let index = self.index_of(name);
        let owner = self.shared.incarnations.owner(index);
        self.record_on(Some(index), EventKind::Crashed);
        for last in self.shared.incarnations.crash(index, fault) {
            tasks::as_owner(owner, last);
        }
    }

    /// Starts the host called `name` again, in a new life: a `Host` of the previous life stays dead.
    pub(super) fn start(&self, name: &str) {
        let index = self.index_of(name);
        self.shared.incarnations.start(index);
        self.record_on(Some(index), EventKind::Started);
    }

    /// Pauses or resumes the app on the host called `name`; for a resume, returns whether the pause held anything up.
    pub(super) fn pause(&self, name: &str, still: bool) -> bool {
        let index = self.index_of(name);
        if still {
            self.shared.incarnations.pause(index);
            return false;
        }
        self.shared.incarnations.resume(index)
    }

    /// Returns a receiver of the state of the host called `name`.
    ///
    /// # Panics
    /// Panics if the topology has no such host.
    pub fn lives(&self, name: &str) -> watch::Receiver<Liveness> {
        self.shared.incarnations.watch(self.index_of(name))
    }

    /// Reports whether the host at `index` of the topology is up.
    pub(super) fn is_up(&self, index: usize) -> bool {
        self.shared.incarnations.is_up(index)
    }

    /// Starts a task that belongs to no host, such as that of a service which is not part of the world: no crash ends it, and no
    /// leak check counts it.
    pub(crate) fn spawn_outside<F>(&self, name: &'static str, future: F) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        self.as_nobody(|| tasks::named(name, || tokio::spawn(future)))
    }

    /// Calls `f`; the tasks that it spawns belong to no host.
    pub(crate) fn as_nobody<R>(&self, f: impl FnOnce() -> R) -> R {
        tasks::as_nobody(f)
    }

    /// Starts a task of the host whose task is being polled: it ends when the host crashes, and waits while the host is
    /// paused.
    pub fn spawn<F>(&self, name: &'static str, future: F) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        let Some(owner) = tasks::current_owner() else {
            return tasks::named(name, || tokio::spawn(future));
        };
        let mortal = self.clone().while_unpaused(owner.host, future);
        let task = tasks::named(name, || tokio::spawn(mortal));
        self.shared.incarnations.ends_with(owner, task.abort_handle());
        task
    }

    /// Polls `future` only while the host at index `host` is not paused.
    pub(super) async fn while_unpaused<F: Future>(self, host: usize, future: F) -> F::Output {
        let mut future = pin!(future);
        future::poll_fn(|cx| match self.shared.incarnations.stalls(host, cx) {
            true => Poll::Pending,
            false => future.as_mut().poll(cx),
        })
        .await
    }

    /// Lets simulated time pass.
    pub async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}
