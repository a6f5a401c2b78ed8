//! Medians and quartiles of a handful of samples.

/// What several samples come to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// The smallest.
    pub least: f64,
    /// A quarter is below.
    pub lower: f64,
    /// Half is below.
    pub median: f64,
    /// A quarter is above.
    pub upper: f64,
    /// The largest.
    pub most: f64,
}

impl Spread {
    /// The spread of `samples`; nothing if there are none.
    pub fn of(samples: &[f64]) -> Option<Self> {
        let mut sorted = samples.to_vec();
        sorted.sort_by(f64::total_cmp);
        let last = sorted.len().checked_sub(1)?;
        // Between two samples, the value is on the line between them.
        let at = |quarter: f64| {
            let place = quarter * last as f64;
            let (low, high) = (place.floor() as usize, place.ceil() as usize);
            sorted[low] + (sorted[high] - sorted[low]) * place.fract()
        };
        Some(Self {
            least: sorted[0],
            lower: at(0.25),
            median: at(0.5),
            upper: at(0.75),
            most: sorted[last],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_lie_on_the_line_between_samples() {
        let spread = Spread::of(&[4.0, 1.0, 3.0, 2.0]).expect("samples");
        assert_eq!(
            (
                spread.least,
                spread.lower,
                spread.median,
                spread.upper,
                spread.most
            ),
            (1.0, 1.75, 2.5, 3.25, 4.0)
        );
        assert_eq!(Spread::of(&[]), None);
        assert_eq!(Spread::of(&[7.0]).map(|s| (s.lower, s.median)), Some((7.0, 7.0)));
    }
}
