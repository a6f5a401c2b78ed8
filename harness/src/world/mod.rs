//! The simulated world: hosts on one runtime, one clock, one network.
//!
//! A run has a thread of its own, because the libraries under test keep state per thread. On it, all hosts share a
//! current-thread tokio runtime whose clock is paused: it jumps to the next timer when nothing is left to do, so that
//! idle time costs nothing. [`run`] builds all that, lets the story run to its end or to a bound, and returns the
//! recording.
//!
//! - [`sim`], [`host`]: the handles that stories, peers and sockets hold
//! - [`incarnations`], [`crash`]: hosts that crash, pause and start again
//! - [`current`]: the world of this thread, for code without a handle
//! - [`attached`]: values that upper layers attach to the world
//! - [`tasks`]: the owner of the task that is being polled, and the tasks that are alive
//! - [`pump`]: carries packets between the hosts
//! - [`packet`]: a packet in flight
//! - [`ports`], [`held`]: the UDP ports of network interfaces, beside those of sockets
//! - [`controls`]: acts on a world from outside
//! - [`runtime`]: the runtime and its hooks
//! - [`panics`]: turns panics into events
//! - [`tables`]: tables that libraries build once per process
//! - [`gate`]: makes steps wait for their turn, where a run keeps an order
//!
//! Nothing in here knows of signaling, peers or scenarios.

mod attached;
mod controls;
mod crash;
mod current;
mod free_steps;
mod gate;
mod held;
mod host;
mod incarnations;
mod packet;
mod panics;
mod ports;
mod pump;
mod runtime;
pub mod sim;
mod strays;
mod tables;
mod tasks;

use std::{sync::Arc, thread, time::Duration};

use controls::{AtWork, Calm};
pub use controls::{Controls, Schedule};
pub use current::NoHost;
pub(crate) use held::{Held, Inbox, PortRange};
pub use host::Host;
pub use incarnations::Liveness;
pub(crate) use panics::catch_panic;
pub use ports::PORTS;
pub use sim::Sim;
use thiserror::Error;
use turmoil_net::KernelConfig;

use crate::{
    ambient::{self, AmbientClock, NotLive},
    net::topology::Topology,
    seed::Seed,
    time::SimTime,
    trace::{EventKind, Stop, Trace, Watch},
};

/// The bounds of a run: it is stopped when one is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Simulated time.
    pub horizon: Duration,
    /// Packets sent by all hosts.
    pub packets: u64,
    /// Polls of tasks: this bound ends a loop that passes no time.
    pub polls: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            horizon: Duration::from_secs(120),
            packets: 200_000,
            polls: 5_000_000,
        }
    }
}

/// The specification of a world.
#[derive(Clone, Debug)]
pub struct WorldSpec {
    /// The seed of all random draws.
    pub seed: Seed,
    /// The hosts.
    pub topology: Topology,
    /// The bounds of the run.
    pub bounds: Bounds,
}

impl WorldSpec {
    /// Creates a world without faults.
    pub fn new(seed: Seed, topology: Topology) -> Self {
        Self {
            seed,
            topology,
            bounds: Bounds::default(),
        }
    }
}

/// The end of a run, and its recording.
#[derive(Clone, Debug)]
pub struct Ending {
    /// The trace.
    pub trace: Trace,
    /// The simulated time at the end.
    pub at: SimTime,
    /// The number of packets sent.
    pub packets: u64,
}

/// The error of a run that could not take place.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum WorldError {
    /// Real time or real randomness would leak in.
    #[error(transparent)]
    NotLive(#[from] NotLive),
    /// The operating system refused a thread.
    #[error("no thread for the simulation: {0}")]
    NoThread(String),
    /// The harness itself panicked: a defect of Sleet.
    #[error("the simulation thread panicked: {0}")]
    Panicked(String),
    /// The scenario panicked while it drew the plan of the seed.
    #[error("no plan could be drawn: {0}")]
    NoPlan(String),
}

/// The stack size of a simulation thread, in bytes: the WebRTC stack's futures are large without optimisation.
const STACK: usize = 16 << 20;

/// Runs `story` in the world of `spec`, on a fresh thread. Nothing happens to the world from outside.
///
/// # Errors
/// Returns [`WorldError`]. Nothing that happens inside the world is an error; it is recorded in the trace.
pub fn run<F, Fut>(spec: WorldSpec, story: F) -> Result<Ending, WorldError>
where
    F: FnOnce(Sim) -> Fut + Send + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    run_under(spec, Calm, Arc::default(), story)
}

/// Same as [`run`], while `schedule` acts on the world from outside and `watch` is told of the progress.
///
/// # Errors
/// [`WorldError`]
pub fn run_under<F, Fut>(
    spec: WorldSpec,
    schedule: impl Schedule + 'static,
    watch: Arc<Watch>,
    story: F,
) -> Result<Ending, WorldError>
where
    F: FnOnce(Sim) -> Fut + Send + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    panics::install_hook();
    tables::make();
    let schedule = Box::new(schedule);
    thread::Builder::new()
        .name("simulation".into())
        .stack_size(STACK)
        .spawn(move || run_here(spec, schedule, watch, story))
        .map_err(|e| WorldError::NoThread(e.to_string()))?
        .join()
        .unwrap_or_else(|payload| Err(WorldError::Panicked(panics::message(payload.as_ref()))))
}

/// Performs the run. Its parts are dropped in the reverse order of their creation: tasks while their network still
/// exists, the network while the clock is still ours.
fn run_here<F, Fut>(
    spec: WorldSpec,
    schedule: Box<dyn Schedule>,
    watch: Arc<Watch>,
    story: F,
) -> Result<Ending, WorldError>
where
    F: FnOnce(Sim) -> Fut + Send + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let clock = Arc::new(AmbientClock::default());
    let _entered = ambient::enter(spec.seed, clock.clone());
    ambient::check_live()?;

    // turmoil-net counts egress passes, not time, before it retransmits; the pump keeps every flow whole and in order
    // itself, so there is nothing to retransmit.
    let mut net = turmoil_net::Net::with_config(KernelConfig::default().retx_threshold(u32::MAX));
    let host_ids = spec
        .topology
        .hosts
        .iter()
        .map(|h| net.add_host(h.addresses().collect::<Vec<_>>()));
    let host_ids: Vec<_> = host_ids.collect();
    let network = net.enter();
    let current = current::Current::reserve();

    let tasks = Arc::new(tasks::TaskTable::new(spec.bounds.polls));
    let runtime = runtime::build(spec.seed, &clock, &tasks, &watch);
    Ok(runtime.block_on(async {
        let addresses = spec.topology.addresses().chain(schedule.addresses());
        let sim = Sim::new(clock, tasks.clone(), &spec, &host_ids, addresses.collect());
        sim.watched_by(watch);
        current.plays(&sim);
        let _panics = panics::record_into(&sim);
        tell(&sim, &network, spec, schedule, story).await
    }))
}

/// Lets the story run until it ends or a bound is reached.
async fn tell<F, Fut>(
    sim: &Sim,
    network: &turmoil_net::EnterGuard,
    spec: WorldSpec,
    schedule: Box<dyn Schedule>,
    story: F,
) -> Ending
where
    F: FnOnce(Sim) -> Fut,
    Fut: Future<Output = ()> + Send + 'static,
{
    let bounds = spec.bounds;
    let mut pump = pump::Pump::new(sim.clone(), network, spec);
    let mut outside = AtWork::begin(schedule, &mut pump);
    let told = sim.spawn("story", story(sim.clone()));
    let stopped = tokio::select! {
        biased;
        // The panic hook has recorded a story that panicked.
        _ = told => None,
        () = sim.tasks().exhausted() => Some(Stop::Work),
        () = pump.run(bounds.packets, &mut outside) => Some(Stop::Work),
        () = tokio::time::sleep(bounds.horizon) => Some(Stop::Horizon),
    };
    sim.tick();
    match stopped {
        None => sim.record(EventKind::Ended),
        Some(bound) => {
            let pending = sim
                .tasks()
                .pending(&sim.host_names())
                .into_iter()
                .chain(pump.pending())
                .collect();
            sim.record(EventKind::Stopped { bound, pending });
        }
    }
    Ending {
        trace: sim.close_trace(),
        at: sim.now(),
        packets: pump.packets(),
    }
}
