//! The tokio runtime of a run: seeded, paused, and watched by hooks.

use std::{
    cell::{Cell, OnceCell},
    hint,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    time::Duration,
};

use tokio::{
    runtime::{Builder, Handle, RngSeed, Runtime, RuntimeMetrics, TaskMeta},
    time::Instant,
};

use super::tasks::TaskTable;
use crate::{
    ambient::{self, AmbientClock},
    seed::Seed,
    time::SimTime,
};

thread_local! {
    static METRICS: OnceCell<RuntimeMetrics> = const { OnceCell::new() };
    // Lets the blocking thread go on.
    static GATE: Cell<Option<mpsc::Sender<()>>> = const { Cell::new(None) };
    static BEGAN: OnceCell<Instant> = const { OnceCell::new() };
    // What the blocking thread of this run entered; it ends with the thread.
    static ENTERED: OnceCell<ambient::Entered> = const { OnceCell::new() };
}

/// Builds the runtime of the run of `seed`.
///
/// # Panics
/// If tokio cannot build it.
pub(super) fn build(seed: Seed, clock: &Arc<AmbientClock>, tasks: &Arc<TaskTable>) -> Runtime {
    let select_seed = RngSeed::from_bytes(&seed.0.to_le_bytes());
    let (spawned, before, ended) = (tasks.clone(), tasks.clone(), tasks.clone());
    let (before_clock, blocking_clock) = (clock.clone(), clock.clone());
    Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        // `tokio::select!` picks its first branch at random; only this makes the choice ours.
        .rng_seed(select_seed)
        // `webrtc-sctp` marshals every packet on the blocking pool. One thread, kept back during the poll
        // and waited for after it, cannot race; it must not retire, or its successor would begin the entropy anew.
        .max_blocking_threads(1)
        .thread_keep_alive(Duration::from_secs(100 * 365 * 86_400))
        .on_thread_start(move || {
            ENTERED.with(|entered| {
                entered.get_or_init(|| ambient::enter(seed, "blocking", blocking_clock.clone()));
            });
        })
        .on_task_spawn(move |meta| spawned.spawned(meta))
        .on_before_task_poll(move |meta| {
            before_clock.set(now());
            keep_blocking_pool_back(meta);
            before.begin_poll(meta);
        })
        .on_after_task_poll(|_| {
            GATE.take();
            wait_for_blocking_pool();
            TaskTable::end_poll();
        })
        .on_task_terminate(move |meta| ended.ended(meta))
        .build()
        .expect("a current-thread runtime without I/O needs nothing from the system")
}

/// The simulated time. The first call of a run is its beginning.
pub(super) fn now() -> SimTime {
    let now = Instant::now();
    let since = now - BEGAN.with(|began| *began.get_or_init(|| now));
    SimTime::from_nanos(since.as_nanos() as u64)
}

/// Keeps the blocking thread from working while a task of `webrtc-sctp` is polled (association/mod.rs:511 of
/// 0.17.2): a packet that is marshalled quickly would be there within the same poll, and one that is not
/// would take another, after whatever else is ready.
fn keep_blocking_pool_back(meta: &TaskMeta<'_>) {
    if !meta.spawned_at().file().contains("webrtc-sctp") {
        return;
    }
    let (gate, opened) = mpsc::channel::<()>();
    let inside = Arc::new(AtomicBool::new(false));
    let entering = inside.clone();
    tokio::task::spawn_blocking(move || {
        entering.store(true, Ordering::Release);
        // It opens when the sender is dropped.
        let _ = opened.recv();
    });
    while !inside.load(Ordering::Acquire) {
        hint::spin_loop();
    }
    GATE.set(Some(gate));
}

/// Spins until the blocking thread has nothing to do: microseconds, and only where it was used.
fn wait_for_blocking_pool() {
    METRICS.with(|metrics| {
        let metrics = metrics.get_or_init(|| Handle::current().metrics());
        while metrics.blocking_queue_depth() != 0
            || metrics.num_blocking_threads() != metrics.num_idle_blocking_threads()
        {
            hint::spin_loop();
        }
    });
}
