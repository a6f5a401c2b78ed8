//! Steps of the server that take their time: as the command line says, or as the plan of a simulated run does.

use std::{ops::RangeInclusive, str::FromStr, time::Duration};

/// How long the steps of a server take.
#[derive(Clone, Debug, Default)]
pub struct Slow(Vec<Step>);

/// A step, and the shortest and the longest that it takes, in milliseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    name: String,
    ms: RangeInclusive<u64>,
}

impl FromStr for Step {
    type Err = String;

    /// `pass-on-invite=0..400`: both ends can be drawn.
    fn from_str(text: &str) -> Result<Self, String> {
        let parsed = || {
            let (name, range) = text.split_once('=')?;
            let (least, most) = range.split_once("..")?;
            let ms = least.parse().ok()?..=most.parse().ok()?;
            (!ms.is_empty()).then(|| Self {
                name: name.to_owned(),
                ms,
            })
        };
        parsed().ok_or_else(|| format!("'{text}' is not of the form STEP=LEAST..MOST, in milliseconds"))
    }
}

impl FromIterator<Step> for Slow {
    fn from_iter<I: IntoIterator<Item = Step>>(steps: I) -> Self {
        Self(steps.into_iter().collect())
    }
}

impl Slow {
    /// Reaches `step`, and stays there as long as it takes.
    pub async fn at(&self, step: &str) {
        #[cfg(feature = "sleet")]
        sleet::app::checkpoint(step).await;
        let slow = self.0.iter().find(|slow| slow.name == step);
        if let Some(Step { ms, .. }) = slow {
            let took = Duration::from_millis(rand::random_range(ms.clone()));
            tokio::time::sleep(took).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_read_or_refused() {
        let step: Step = "pass-on-invite=0..400".parse().expect("it is one");
        assert_eq!((step.name.as_str(), step.ms), ("pass-on-invite", 0..=400));
        for wrong in ["pass-on-invite", "a=5", "a=5..4", "a=x..9"] {
            assert!(wrong.parse::<Step>().is_err(), "{wrong}");
        }
    }
}
