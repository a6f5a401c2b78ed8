//! Distributions of delays, in integers.
//!
//! A distribution is given by quantiles, not by a formula: a reader can check a heavy tail in a table, and no
//! platform's mathematics library (its logarithm) decides a run.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::seed::Stream;

/// A distribution of durations, in microseconds.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Latency {
    /// A fixed duration.
    Constant {
        /// Microseconds.
        us: u64,
    },
    /// A uniform distribution, both ends included.
    Uniform {
        /// The shortest, in microseconds.
        min_us: u64,
        /// The longest, in microseconds.
        max_us: u64,
    },
    /// Linear interpolation between quantiles: points (share in ppm, microseconds) in rising order, from share 0 to
    /// share 1,000,000.
    Quantiles {
        /// The points.
        points: Vec<(u32, u64)>,
    },
}

impl Latency {
    /// A duration of zero.
    pub const NONE: Self = Self::Constant { us: 0 };

    /// A fixed duration of `ms` milliseconds.
    pub const fn constant_ms(ms: u64) -> Self {
        Self::Constant { us: ms * 1_000 }
    }

    /// A uniform distribution from `min` to `max` milliseconds.
    pub const fn uniform_ms(min: u64, max: u64) -> Self {
        Self::Uniform {
            min_us: min * 1_000,
            max_us: max * 1_000,
        }
    }

    /// Linear interpolation between `points` of (percent, milliseconds), from 0 to 100 percent.
    ///
    /// # Panics
    /// Panics if the points do not begin at 0, do not end at 100, or fall.
    pub fn quantiles_ms(points: &[(u32, u64)]) -> Self {
        let latency = Self::Quantiles {
            points: points
                .iter()
                .map(|(percent, ms)| (percent * 10_000, ms * 1_000))
                .collect(),
        };
        latency.check().unwrap_or_else(|e| panic!("{e}"));
        latency
    }

    /// Describes the distribution in a few words, in milliseconds: `5 to 40 ms`.
    pub fn describe(&self) -> String {
        let ms = |us: u64| match us % 1_000 {
            0 => (us / 1_000).to_string(),
            _ => format!("{}.{:03}", us / 1_000, us % 1_000),
        };
        match self {
            Self::Constant { us } => format!("{} ms", ms(*us)),
            Self::Uniform { min_us, max_us } => format!("{} to {} ms", ms(*min_us), ms(*max_us)),
            Self::Quantiles { points } => {
                let ends = points.first().zip(points.last());
                ends.map_or_else(String::new, |(a, b)| {
                    format!("{} to {} ms, uneven", ms(a.1), ms(b.1))
                })
            }
        }
    }

    /// Checks a distribution that was read from a file.
    ///
    /// # Errors
    /// Returns a sentence that says what is wrong.
    pub fn check(&self) -> Result<(), String> {
        match self {
            Self::Constant { .. } => Ok(()),
            Self::Uniform { min_us, max_us } if min_us <= max_us => Ok(()),
            Self::Uniform { min_us, max_us } => Err(format!("min_us {min_us} is above max_us {max_us}")),
            Self::Quantiles { points } => {
                let rising = points.windows(2).all(|w| w[0].0 < w[1].0 && w[0].1 <= w[1].1);
                let ends = (points.first().map(|p| p.0), points.last().map(|p| p.0));
                if ends == (Some(0), Some(1_000_000)) && rising {
                    Ok(())
                } else {
                    Err("points must rise from share 0 to share 1000000".into())
                }
            }
        }
    }

    /// Returns the longest possible duration.
    pub fn longest(&self) -> Duration {
        Duration::from_micros(match self {
            Self::Constant { us } => *us,
            Self::Uniform { max_us, .. } => *max_us,
            Self::Quantiles { points } => points.last().map_or(0, |p| p.1),
        })
    }

    /// Returns the duration that half of all draws do not exceed.
    pub fn median(&self) -> Duration {
        Duration::from_micros(match self {
            Self::Constant { us } => *us,
            Self::Uniform { min_us, max_us } => min_us.midpoint(*max_us),
            Self::Quantiles { points } => at_share(points, 500_000),
        })
    }

    /// Draws a duration, with one number from `stream`.
    pub fn draw(&self, stream: &mut Stream) -> Duration {
        let us = match self {
            Self::Constant { us } => {
                stream.next_u64();
                *us
            }
            Self::Uniform { min_us, max_us } => stream.between(*min_us, *max_us),
            Self::Quantiles { points } => at_share(points, stream.below(1_000_000) as u32),
        };
        Duration::from_micros(us)
    }
}

/// Interpolates linearly between the two points around `share`.
fn at_share(points: &[(u32, u64)], share: u32) -> u64 {
    let after = points
        .partition_point(|p| p.0 <= share)
        .clamp(1, points.len() - 1);
    let ((x0, y0), (x1, y1)) = (points[after - 1], points[after]);
    y0 + (y1 - y0) * u64::from(share - x0) / u64::from(x1 - x0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;

    #[test]
    fn golden_vectors_of_distributions() {
        let mut s = Seed(3).stream("latency");
        let tail = Latency::quantiles_ms(&[(0, 10), (90, 60), (100, 900)]);
        let drawn: Vec<u128> = (0..5).map(|_| tail.draw(&mut s).as_micros()).collect();
        assert_eq!(drawn, GOLDEN_TAIL);
        assert_eq!(tail.median(), Duration::from_micros(37_777));
        let flat = Latency::uniform_ms(5, 80);
        assert_eq!(flat.median(), Duration::from_micros(42_500));
        let drawn: Vec<u128> = (0..3).map(|_| flat.draw(&mut s).as_micros()).collect();
        assert_eq!(drawn, GOLDEN_FLAT);
    }

    #[test]
    fn quantiles_come_out_as_they_say() {
        let mut s = Seed(4).stream("quantiles");
        let latency = Latency::quantiles_ms(&[(0, 10), (50, 20), (90, 60), (100, 900)]);
        let mut drawn: Vec<u64> = (0..50_000)
            .map(|_| latency.draw(&mut s).as_micros() as u64)
            .collect();
        drawn.sort_unstable();
        assert!(
            (19_700..=20_300).contains(&drawn[25_000]),
            "median {}",
            drawn[25_000]
        );
        assert!(
            (58_000..=75_000).contains(&drawn[45_000]),
            "90 % {}",
            drawn[45_000]
        );
        assert!(drawn[0] >= 10_000 && drawn[49_999] <= 900_000);
    }

    #[test]
    fn every_distribution_takes_one_draw() {
        for latency in [
            Latency::NONE,
            Latency::uniform_ms(0, 9),
            Latency::quantiles_ms(&[(0, 0), (100, 5)]),
        ] {
            let mut drawn = Seed(1).stream("x");
            latency.draw(&mut drawn);
            let mut skipped = Seed(1).stream("x");
            skipped.next_u64();
            assert_eq!(drawn.next_u64(), skipped.next_u64());
        }
    }

    #[test]
    fn bad_distributions_are_named() {
        assert!(Latency::Uniform { min_us: 2, max_us: 1 }.check().is_err());
        for points in [
            vec![],
            vec![(0, 1)],
            vec![(0, 5), (1_000_000, 4)],
            vec![(10, 1), (1_000_000, 2)],
        ] {
            assert!(Latency::Quantiles { points }.check().is_err());
        }
    }

    const GOLDEN_TAIL: [u128; 5] = [43_787, 38_375, 27_172, 46_366, 34_642];
    const GOLDEN_FLAT: [u128; 3] = [27_701, 60_725, 77_578];
}
