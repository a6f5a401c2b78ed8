//! The real clock: the only file of this package that reads it, or waits.

use std::{
    thread,
    time::{Duration, Instant},
};

use sleet::time::SimTime;

/// A clock that began to run when it was made.
#[derive(Clone, Copy, Debug)]
pub struct Clock(Instant);

impl Clock {
    /// A clock that begins now.
    #[allow(clippy::disallowed_methods)] // what is executed here takes real time
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// How long it has run.
    pub fn passed(self) -> Duration {
        self.0.elapsed()
    }

    /// How long it has run, as a link of the simulation reads it.
    pub fn now(self) -> SimTime {
        SimTime::from_nanos(u64::try_from(self.passed().as_nanos()).unwrap_or(u64::MAX))
    }

    /// Waits until it has run for `time`.
    pub fn wait_until(self, time: Duration) {
        rest(time.saturating_sub(self.passed()));
    }
}

/// Waits.
#[allow(clippy::disallowed_methods)] // what is executed here takes real time
pub fn rest(time: Duration) {
    thread::sleep(time);
}
