//! The tokio runtime of a run: seeded, with a paused clock, and with task hooks.

use std::{cell::OnceCell, hint, sync::Arc, thread, time::Duration};

use tokio::{
    runtime::{Builder, Handle, RngSeed, Runtime, RuntimeMetrics},
    time::Instant,
};

use super::tasks::TaskTable;
use crate::{
    ambient::{self, AmbientClock},
    seed::Seed,
    time::SimTime,
    trace::Watch,
};

thread_local! {
    static METRICS: OnceCell<RuntimeMetrics> = const { OnceCell::new() };
    static BEGAN: OnceCell<Instant> = const { OnceCell::new() };
    // The ambient guard of the blocking thread of this run; it ends with the thread.
    static ENTERED: OnceCell<ambient::Entered> = const { OnceCell::new() };
}

/// Builds the runtime of the run of `seed`.
///
/// # Panics
/// Panics if tokio cannot build the runtime.
pub(super) fn build(
    seed: Seed,
    clock: &Arc<AmbientClock>,
    tasks: &Arc<TaskTable>,
    watch: &Arc<Watch>,
) -> Runtime {
    let select_seed = RngSeed::from_bytes(&seed.0.to_le_bytes());
    let (spawned, before, ended) = (tasks.clone(), tasks.clone(), tasks.clone());
    let watch = watch.clone();
    let (before_clock, after_clock, blocking_clock) = (clock.clone(), clock.clone(), clock.clone());
    Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        // `tokio::select!` picks its first branch at random; this seed makes the choice deterministic.
        .rng_seed(select_seed)
        // `webrtc-sctp` marshals every packet on the blocking pool. One thread, waited for after each poll, cannot
        // race; it must not retire, or its successor would begin the entropy anew.
        .max_blocking_threads(1)
        .thread_keep_alive(Duration::from_secs(100 * 365 * 86_400))
        .on_thread_start(move || {
            ENTERED.with(|entered| {
                entered.get_or_init(|| ambient::enter_beside(seed, blocking_clock.clone()));
            });
        })
        .on_task_spawn(move |meta| spawned.spawned(meta))
        .on_before_task_poll(move |meta| {
            before_clock.set(now());
            before_clock.begin_poll();
            watch.polled();
            before.begin_poll(meta);
        })
        .on_after_task_poll(move |_| {
            after_clock.end_poll();
            wait_for_blocking_pool();
            TaskTable::end_poll();
        })
        .on_task_terminate(move |meta| ended.ended(meta))
        .build()
        .expect("a current-thread runtime without I/O needs nothing from the system")
}

/// Returns the simulated time since the first call of the run.
pub(super) fn now() -> SimTime {
    let now = Instant::now();
    let since = now - BEGAN.with(|began| *began.get_or_init(|| now));
    SimTime::from_nanos(since.as_nanos() as u64)
}

/// The number of spins in which a blocking thread with a core of its own wakes up and finishes; beyond that it needs
/// our core.
const SPINS: u32 = 200;

/// Waits until the blocking thread is idle: microseconds, and only where it was used.
fn wait_for_blocking_pool() {
    METRICS.with(|metrics| {
        let metrics = metrics.get_or_init(|| Handle::current().metrics());
        let busy = || {
            metrics.blocking_queue_depth() != 0
                || metrics.num_blocking_threads() != metrics.num_idle_blocking_threads()
        };
        let mut spins = 0;
        while busy() {
            if spins < SPINS {
                spins += 1;
                hint::spin_loop();
            } else {
                thread::yield_now();
            }
        }
    });
}
