//! The arithmetic of the remedy table.

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

/// The smallest of `sorted` that at least `percent` percent do not exceed (nearest rank).
pub fn percentile(sorted: &[u64], percent: u64) -> Option<u64> {
    let rank = (sorted.len() as u64 * percent).div_ceil(100).max(1);
    sorted.get(rank as usize - 1).copied()
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
    fn percentiles_are_members_of_the_sample() {
        let sorted: Vec<u64> = (1..=100).collect();
        assert_eq!(percentile(&sorted, 50), Some(50));
        assert_eq!(percentile(&sorted, 95), Some(95));
        assert_eq!(percentile(&[7], 95), Some(7));
        assert_eq!(percentile(&[], 50), None);
    }
}
