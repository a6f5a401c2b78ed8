//! The simulated world: hosts on one runtime, one clock, one network.
//!
//! A run lives on a thread of its own, because the libraries under test keep state per thread. On it,
//! all hosts share a current-thread tokio runtime whose clock is paused: it jumps to the next timer when
//! nothing is left to do, so that idle time costs nothing. [`run`] builds all that, lets the story run to
//! its end or to a bound, and returns what was recorded.
//!
//! - [`sim`]: the handle that stories, peers and sockets hold
//! - [`tasks`]: whose task is being polled, and what is still alive
//! - [`pump`]: carries packets between the hosts
//! - [`runtime`]: the runtime and its hooks
//! - [`panics`]: panics become events
//! - [`waiting`]: steps wait for their turn, where a run keeps an order
//!
//! Nothing in here knows of signaling, peers or scenarios.

mod panics;
mod pump;
mod runtime;
pub mod sim;
mod tasks;
mod waiting;

use std::{sync::Arc, thread, time::Duration};

pub use sim::{Host, Sim};
use thiserror::Error;
use turmoil_net::KernelConfig;

use crate::{
    ambient::{self, AmbientClock, NotLive},
    net::{
        topology::Topology,
        weather::{Schedule, TimedFault},
    },
    seed::Seed,
    time::SimTime,
    trace::{EventKind, Stop, Trace},
};

/// What a run may use up before it is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Simulated time.
    pub horizon: Duration,
    /// Packets sent by all hosts.
    pub packets: u64,
    /// Polls of tasks: what ends a loop that passes no time.
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

/// What a world is made of.
#[derive(Clone, Debug)]
pub struct WorldSpec {
    /// Decides everything that is drawn.
    pub seed: Seed,
    /// The hosts.
    pub topology: Topology,
    /// What happens to the network, and when.
    pub faults: Vec<TimedFault>,
    /// When the chaos phase ends and every link becomes good.
    pub heal_at: Option<SimTime>,
    /// What the run may use up.
    pub bounds: Bounds,
}

/// How a run ended, and what was recorded.
#[derive(Clone, Debug)]
pub struct Ending {
    /// Everything that happened.
    pub trace: Trace,
    /// The simulated time at the end.
    pub at: SimTime,
    /// Packets sent.
    pub packets: u64,
}

/// A run that could not take place.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
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
}

/// Bytes of stack for a simulation thread: the WebRTC stack's futures are large without optimisation.
const STACK: usize = 16 << 20;

/// Runs `story` in the world of `spec`, on a fresh thread.
///
/// # Errors
/// [`WorldError`]: nothing that happens inside the world is an error, that is recorded in the trace.
pub fn run<F, Fut>(spec: WorldSpec, story: F) -> Result<Ending, WorldError>
where
    F: FnOnce(Sim) -> Fut + Send + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    panics::install_hook();
    thread::Builder::new()
        .name("simulation".into())
        .stack_size(STACK)
        .spawn(move || run_here(spec, story))
        .map_err(|e| WorldError::NoThread(e.to_string()))?
        .join()
        .unwrap_or_else(|payload| Err(WorldError::Panicked(panics::message(payload.as_ref()))))
}

/// The run itself. Its parts are dropped in the reverse order of their making: tasks while their network
/// still exists, the network while the clock is still ours.
fn run_here<F, Fut>(spec: WorldSpec, story: F) -> Result<Ending, WorldError>
where
    F: FnOnce(Sim) -> Fut + Send + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let clock = Arc::new(AmbientClock::default());
    let _entered = ambient::enter(spec.seed, clock.clone());
    ambient::check_live()?;

    // turmoil-net counts egress passes, not time, before it retransmits; the pump keeps every flow
    // whole and in order itself, so there is nothing to retransmit.
    let mut net = turmoil_net::Net::with_config(KernelConfig::default().retx_threshold(u32::MAX));
    let host_ids = spec
        .topology
        .hosts
        .iter()
        .map(|h| net.add_host(h.addresses().collect::<Vec<_>>()));
    let host_ids: Vec<_> = host_ids.collect();
    let network = net.enter();

    let tasks = Arc::new(tasks::TaskTable::new(spec.bounds.polls));
    let runtime = runtime::build(spec.seed, &clock, &tasks);
    Ok(runtime.block_on(async {
        let sim = Sim::new(spec.seed, clock, tasks.clone(), &spec.topology, &host_ids);
        let _panics = panics::record_into(&sim);
        tell(&sim, &network, spec, story).await
    }))
}

/// Lets the story run until it ends or a bound is reached.
async fn tell<F, Fut>(sim: &Sim, network: &turmoil_net::EnterGuard, spec: WorldSpec, story: F) -> Ending
where
    F: FnOnce(Sim) -> Fut,
    Fut: Future<Output = ()> + Send + 'static,
{
    let bounds = spec.bounds;
    let mut pump = pump::Pump::new(sim.clone(), network, spec);
    let told = sim.spawn("story", story(sim.clone()));
    let stopped = tokio::select! {
        biased;
        // A story that panicked has been recorded by the panic hook.
        _ = told => None,
        () = sim.tasks().exhausted() => Some(Stop::Work),
        () = pump.run(bounds.packets) => Some(Stop::Work),
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

/// The faults of `spec`, cut off where the chaos phase ends.
fn chaos(spec: &WorldSpec) -> Schedule {
    let mut faults = spec.faults.clone();
    if let Some(heal_at) = spec.heal_at {
        faults.retain(|f| f.from() < heal_at);
        for fault in &mut faults {
            fault.until_ms = fault.until_ms.min(heal_at.as_millis());
        }
    }
    Schedule::new(faults)
}
