//! The clock and the entropy of the process, as a simulation thread sees them.
//!
//! Libraries under test read `SystemTime`, `Instant` and the system's random numbers on their own. On a thread that
//! called [`enter`], those reads are answered from the run: the clock shows simulated time and random bytes come from a
//! labelled stream. Other threads see the real ones. The platform's part ([`interpose`]) intercepts the calls;
//! [`check_live`] proves at the start of each run that it works, because a run with real randomness in it must not
//! pretend to be a replay.

use std::{
    cell::{Cell, RefCell},
    ptr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
};

use thiserror::Error;

use crate::{
    seed::{Seed, Stream},
    time::SimTime,
};

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
#[path = "linux_x86_64.rs"]
mod interpose;
#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
#[path = "unsupported.rs"]
mod interpose;

/// The calendar time at the beginning of a run: 2026-01-01T00:00:00Z, in seconds since 1970.
pub const CALENDAR_START_S: u64 = 1_767_225_600;
/// The monotonic clock at the beginning of a run, in seconds. Not zero: programs subtract from it.
const MONOTONIC_START_S: u64 = 1_000;

thread_local! {
    // A raw pointer, because the intercepted calls also come from threads that are ending, where a
    // thread-local with a destructor can no longer be read.
    static CURRENT: Cell<*const Ambient> = const { Cell::new(ptr::null()) };
}

/// The clock of one run, shared by its threads.
#[derive(Debug, Default)]
pub struct AmbientClock {
    now_ns: AtomicU64,
    calendar_reads: AtomicU64,
    polling: AtomicBool,
}

impl AmbientClock {
    /// Moves the clock to `now`.
    pub fn set(&self, now: SimTime) {
        self.now_ns.store(now.as_nanos(), Ordering::Relaxed);
    }

    /// Notes that the main thread begins to poll a task: the threads beside it wait.
    pub fn begin_poll(&self) {
        self.polling.store(true, Ordering::Release);
    }

    /// Notes that the poll is over: the threads beside it may go on.
    pub fn end_poll(&self) {
        self.polling.store(false, Ordering::Release);
    }

    fn monotonic_ns(&self) -> u64 {
        MONOTONIC_START_S * 1_000_000_000 + self.now_ns.load(Ordering::Relaxed)
    }

    /// Returns the calendar time in nanoseconds. Each read is one nanosecond later than the last: `webrtc-util`'s
    /// router does not consider a packet stamped "now" due at "now", and would wait forever on a constant clock.
    fn calendar_ns(&self) -> u64 {
        let reads = self.calendar_reads.fetch_add(1, Ordering::Relaxed) + 1;
        CALENDAR_START_S * 1_000_000_000 + self.now_ns.load(Ordering::Relaxed) + reads
    }
}

/// The source of answers to intercepted calls on one thread.
struct Ambient {
    clock: Arc<AmbientClock>,
    entropy: RefCell<Stream>,
    draws: Cell<u64>,
    beside: bool,
}

impl Ambient {
    /// Waits until the main thread is not polling a task.
    fn stand_still(&self) {
        while self.beside && self.clock.polling.load(Ordering::Acquire) {
            thread::yield_now();
        }
    }

    fn fill(&self, buf: &mut [u8]) {
        self.entropy.borrow_mut().fill(buf);
        self.draws.set(self.draws.get() + 1);
    }
}

/// Calls `f` with the source of this thread's answers, if it entered a run.
fn with_current<R>(f: impl FnOnce(&Ambient) -> R) -> Option<R> {
    let current = CURRENT.with(Cell::get);
    // SAFETY: `CURRENT` is null or points into the box of the `Entered` guard of this very thread,
    // which clears it before it frees the box. The reference does not leave this call.
    unsafe { current.as_ref() }.map(f)
}

/// A guard that keeps this thread inside a run; dropping it restores the real clock and entropy.
#[must_use = "the thread sees simulated time only while this lives"]
pub struct Entered {
    _ambient: Box<Ambient>,
    // The pointer in `CURRENT` belongs to this thread.
    _not_send: std::marker::PhantomData<*const ()>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        CURRENT.with(|c| c.set(ptr::null()));
    }
}

/// Puts this thread inside the run of `seed`: from here on it sees `clock`, and random bytes come from the stream
/// `ambient/main`.
///
/// # Panics
/// Panics if the thread is inside a run already.
pub fn enter(seed: Seed, clock: Arc<AmbientClock>) -> Entered {
    put_inside(seed, "main", clock, false)
}

/// Puts a thread that works beside the main one inside the run of `seed`, with a stream of its own.
///
/// Such a thread makes no progress while the main thread polls a task: it waits here, and whenever it wakes up from
/// waiting for work. Otherwise it would be a race whether its work is done by the end of the very poll that requested
/// it, and a task that finds it done goes on where another would wait.
///
/// # Panics
/// Panics if the thread is inside a run already.
pub fn enter_beside(seed: Seed, clock: Arc<AmbientClock>) -> Entered {
    let entered = put_inside(seed, "blocking", clock, true);
    with_current(Ambient::stand_still);
    entered
}

fn put_inside(seed: Seed, thread: &str, clock: Arc<AmbientClock>, beside: bool) -> Entered {
    let ambient = Box::new(Ambient {
        clock,
        entropy: RefCell::new(seed.stream(&format!("ambient/{thread}"))),
        draws: Cell::new(0),
        beside,
    });
    CURRENT.with(|c| {
        assert!(c.get().is_null(), "this thread is inside a run already");
        c.set(&raw const *ambient);
    });
    Entered {
        _ambient: ambient,
        _not_send: std::marker::PhantomData,
    }
}

/// A leak of real time or real randomness into a run.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotLive {
    /// `SystemTime` shows the wall clock.
    #[error(
        "the calendar clock of this process is not under Sleet's control{}",
        interpose::ADVICE
    )]
    Calendar,
    /// `Instant` shows the machine's clock.
    #[error(
        "the monotonic clock of this process is not under Sleet's control{}",
        interpose::ADVICE
    )]
    Monotonic,
    /// The C library's `getrandom` returns the system's random numbers.
    #[error("getrandom of this process is not under Sleet's control{}", interpose::ADVICE)]
    Getrandom,
    /// The raw system call returns the system's random numbers.
    #[error(
        "the raw getrandom system call is not under Sleet's control{}",
        interpose::ADVICE
    )]
    Syscall,
    /// The keys of `std`'s hash maps have another source.
    #[error(
        "the hash keys of the standard library are not under Sleet's control{}",
        interpose::ADVICE
    )]
    HashKeys,
}

/// Proves that every source of time and randomness that the libraries use is answered from the run.
///
/// # Errors
/// Returns the first source that is not.
#[allow(
    clippy::disallowed_methods,
    reason = "asks the clocks and the entropy whether they are ours"
)]
pub fn check_live() -> Result<(), NotLive> {
    use std::{
        hash::RandomState,
        time::{Duration, Instant, SystemTime},
    };

    let Some(clock) = with_current(|a| a.clock.clone()) else {
        return Err(NotLive::Calendar);
    };
    let step = Duration::from_secs(3_600);
    let (calendar, monotonic) = (SystemTime::now(), Instant::now());
    let moved_by_us = {
        let was = SimTime::from_nanos(clock.now_ns.load(Ordering::Relaxed));
        clock.set(was + step);
        let read = (SystemTime::now(), Instant::now());
        clock.set(was);
        read
    };
    if moved_by_us
        .0
        .duration_since(calendar)
        .unwrap_or_default()
        .as_secs()
        != step.as_secs()
    {
        return Err(NotLive::Calendar);
    }
    if moved_by_us.1.duration_since(monotonic) != step {
        return Err(NotLive::Monotonic);
    }

    let drew = |draw: &mut dyn FnMut()| {
        let draws = || with_current(|a| a.draws.get()).unwrap_or_default();
        let before = draws();
        draw();
        draws() > before
    };
    if !drew(&mut || interpose::ask_getrandom()) {
        return Err(NotLive::Getrandom);
    }
    if !drew(&mut || interpose::ask_syscall()) {
        return Err(NotLive::Syscall);
    }
    // The first keys of a thread are drawn, later ones are counted up from them: so this check also makes sure that the
    // thread is fresh.
    if !drew(&mut || drop(RandomState::new())) {
        return Err(NotLive::HashKeys);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on_fresh_thread<R: Send>(f: impl FnOnce() -> R + Send) -> R {
        std::thread::scope(|s| s.spawn(f).join().expect("no panic"))
    }

    #[test]
    fn a_thread_outside_a_run_is_not_live() {
        assert_eq!(on_fresh_thread(check_live), Err(NotLive::Calendar));
    }

    #[test]
    fn a_thread_inside_a_run_is_live_and_leaves_clean() {
        on_fresh_thread(|| {
            let entered = enter(Seed(1), Arc::default());
            assert_eq!(check_live(), Ok(()));
            drop(entered);
            assert_eq!(check_live(), Err(NotLive::Calendar));
        });
    }

    #[test]
    fn a_thread_that_hashed_before_is_refused() {
        on_fresh_thread(|| {
            #[allow(clippy::disallowed_methods, reason = "draws the keys too early, on purpose")]
            drop(std::hash::RandomState::new());
            let _entered = enter(Seed(1), Arc::default());
            assert_eq!(check_live(), Err(NotLive::HashKeys));
        });
    }

    #[test]
    #[allow(clippy::disallowed_types, reason = "shows that even its order is the seed's")]
    fn equal_seeds_give_equal_hash_orders() {
        let order = |seed| {
            on_fresh_thread(move || {
                let _entered = enter(Seed(seed), Arc::default());
                let set: std::collections::HashSet<u32> = (0..100).collect();
                set.into_iter().collect::<Vec<_>>()
            })
        };
        assert_eq!(order(1), order(1));
        assert_ne!(order(1), order(2));
    }
}
