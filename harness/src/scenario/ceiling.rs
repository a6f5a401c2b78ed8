//! How long something may take, judged over the seeds of a suite. Plain data.

/// A ceiling for a percentile of a statistic of runs.
///
/// A suite judges it by the lower end of the percentile's 95 % confidence interval: a scenario is slower only if chance does not
/// explain it, and fewer than 100 runs that have the statistic say nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ceiling {
    /// The statistic, such as [`crate::run::result::CONNECT_MS`].
    pub stat: &'static str,
    /// The percentile, from 1 to 99.
    pub percent: u64,
    /// Milliseconds of simulated time.
    pub ms: u64,
}
