//! Simulated time: nanoseconds since the run began.
//!
//! Pure values. This module must never read a clock: its callers pass the time.

use std::{fmt, ops, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A point in time of a run, in nanoseconds since its beginning.
///
/// Time moves in steps of one millisecond when it waits for a timer, because that is the resolution of tokio's timer
/// wheel; a value in between only orders events within one step.
///
/// ```
/// use sleet::time::SimTime;
/// use std::time::Duration;
///
/// let t = SimTime::from_millis(1_500) + Duration::from_millis(20);
/// assert_eq!(t.to_string(), "1.520");
/// assert_eq!(t - SimTime::from_millis(500), Duration::from_millis(1_020));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SimTime(u64);

impl SimTime {
    /// The beginning of every run.
    pub const ZERO: Self = Self(0);
    /// Later than the end of every run.
    pub const MAX: Self = Self(u64::MAX);

    /// Creates the time `ns` nanoseconds after the beginning.
    pub const fn from_nanos(ns: u64) -> Self {
        Self(ns)
    }

    /// Creates the time `ms` milliseconds after the beginning.
    pub const fn from_millis(ms: u64) -> Self {
        Self(ms * 1_000_000)
    }

    /// Returns the nanoseconds since the beginning.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Returns the whole milliseconds since the beginning.
    pub const fn as_millis(self) -> u64 {
        self.0 / 1_000_000
    }

    /// Returns the time since the beginning.
    pub const fn since_start(self) -> Duration {
        Duration::from_nanos(self.0)
    }
}

impl ops::Add<Duration> for SimTime {
    type Output = Self;

    fn add(self, d: Duration) -> Self {
        Self(self.0.saturating_add(d.as_nanos() as u64))
    }
}

impl ops::Sub for SimTime {
    type Output = Duration;

    /// Returns the time from `earlier` to `self`, zero if `earlier` is later.
    fn sub(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

/// Writes seconds with three decimals.
impl fmt::Display for SimTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = self.as_millis();
        f.pad(&format!("{}.{:03}", ms / 1000, ms % 1000))
    }
}
