//! The arithmetic of the remedy table.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A share with its 95 % confidence interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share {
    /// How many of `of`.
    pub hits: u64,
    /// Of how many.
    pub of: u64,
    /// The lower end of the interval.
    pub low: f64,
    /// The upper end of the interval.
    pub high: f64,
}

/// The 97.5 % quantile of the normal distribution.
const Z: f64 = 1.959_963_984_540_054;

impl Share {
    /// `hits` of `of`, with Wilson's score interval (E. B. Wilson, 1927), which stays honest near 0 and 1.
    ///
    /// # Panics
    /// If `of` is zero.
    pub fn wilson(hits: u64, of: u64) -> Self {
        assert!(of > 0, "a share of nothing");
        let (n, p) = (of as f64, hits as f64 / of as f64);
        let z2 = Z * Z;
        let centre = (p + z2 / (2.0 * n)) / (1.0 + z2 / n);
        let half = Z / (1.0 + z2 / n) * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
        Self {
            hits,
            of,
            low: (centre - half).max(0.0),
            high: (centre + half).min(1.0),
        }
    }

    /// The share itself.
    pub fn rate(&self) -> f64 {
        self.hits as f64 / self.of as f64
    }
}

/// Values with how often each came; its size is that of the values' range, not of the sample.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    counts: BTreeMap<u64, u64>,
    total: u64,
}

impl Histogram {
    /// Adds a value.
    pub fn add(&mut self, value: u64) {
        *self.counts.entry(value).or_default() += 1;
        self.total += 1;
    }

    /// How many values there are.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The smallest value that at least `percent` percent do not exceed (nearest rank); none of no values.
    pub fn percentile(&self, percent: u64) -> Option<u64> {
        self.at_rank((self.total * percent).div_ceil(100))
    }

    /// The value at a rank, counted from 1, of the values in order; none beyond the last.
    fn at_rank(&self, rank: u64) -> Option<u64> {
        let mut seen = 0;
        self.counts.iter().find_map(|(value, count)| {
            seen += count;
            (seen >= rank).then_some(*value)
        })
    }
}

/// The distribution of a statistic over the runs of a scenario that have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Percentiles {
    /// The number of runs that have it.
    pub runs: u64,
    /// The median.
    pub p50: u64,
    /// The 95th percentile.
    pub p95: u64,
    /// The 99th percentile.
    pub p99: u64,
    /// The largest value.
    pub max: u64,
}

impl Histogram {
    /// The percentiles; none of no values.
    pub fn percentiles(&self) -> Option<Percentiles> {
        Some(Percentiles {
            runs: self.total,
            p50: self.percentile(50)?,
            p95: self.percentile(95)?,
            p99: self.percentile(99)?,
            max: self.percentile(100)?,
        })
    }

    /// The lower end of the 95 % confidence interval of a percentile, by the ranks of the sample (W. J. Conover, Practical
    /// Nonparametric Statistics, section 3.2); none of no values.
    pub fn percentile_at_least(&self, percent: u64) -> Option<u64> {
        let (n, p) = (self.total as f64, percent as f64 / 100.0);
        let rank = n * p - Z * (n * p * (1.0 - p)).sqrt();
        self.at_rank(rank.floor().max(1.0) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wilson_intervals_are_those_of_the_literature() {
        // Newcombe 1998, table I: 81 of 263 and 0 of 20.
        let share = Share::wilson(81, 263);
        assert!(
            (share.low - 0.2553).abs() < 5e-5 && (share.high - 0.3662).abs() < 5e-5,
            "{share:?}"
        );
        let none = Share::wilson(0, 20);
        assert!(
            none.low.abs() < 1e-12 && (none.high - 0.1611).abs() < 5e-5,
            "{none:?}"
        );
        let all = Share::wilson(500, 500);
        assert!(all.low > 0.992 && all.high > 0.999_999, "{all:?}");
    }

    #[test]
    fn a_percentile_is_at_least_what_the_ranks_below_it_say() {
        let mut histogram = Histogram::default();
        (1..=1_000).for_each(|v| histogram.add(v));
        // Of 1,000 values, rank 950 - 1.96 * sqrt(47.5) = 936.5.
        assert_eq!(histogram.percentile_at_least(95), Some(936));
        assert_eq!(Histogram::default().percentile_at_least(95), None);
    }

    #[test]
    fn percentiles_are_members_of_the_sample() {
        let of = |values: &[u64]| {
            let mut histogram = Histogram::default();
            values.iter().for_each(|v| histogram.add(*v));
            histogram
        };
        let hundred: Vec<u64> = (1..=100).rev().collect();
        assert_eq!(of(&hundred).percentile(50), Some(50));
        assert_eq!(of(&hundred).percentile(95), Some(95));
        assert_eq!(of(&[7]).percentile(95), Some(7));
        assert_eq!(of(&[3, 9, 3, 3]).percentile(75), Some(3));
        assert_eq!(of(&[3, 9, 3, 3]).percentile(76), Some(9));
        assert_eq!(of(&[]).percentile(50), None);
    }
}
