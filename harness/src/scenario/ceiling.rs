//! How long something may take, judged over the seeds of a suite. Plain data.

/// A ceiling for a percentile of a statistic of runs.
///
/// A suite judges it by the lower end of the percentile's 95 % confidence interval: a scenario is slower only if chance does not
/// explain it. It takes [`Ceiling::MIN_SEEDS`] seeds, of which [`Ceiling::MIN_RUNS`] must have the statistic: a ceiling that nothing
/// was held against has not held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ceiling {
    /// The statistic, such as [`crate::run::result::CONNECT_MS`].
    pub stat: &'static str,
    /// The percentile, from 1 to 99.
    pub percent: u64,
    /// Milliseconds of simulated time.
    pub ms: u64,
}

impl Ceiling {
    /// The number of seeds that it takes to judge a scenario that has a ceiling.
    pub const MIN_SEEDS: u64 = 100;
    /// The number of runs of them that must have the statistic.
    pub const MIN_RUNS: u64 = 50;
}
