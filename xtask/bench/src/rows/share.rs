//! The project's own share of the instructions of a run.

use super::Settings;
use crate::{
    counts::{self, Part},
    row::{Budget, Row},
};

/// Two full peers with signaling.
const SCENARIO: &str = "candidates/buffer-receiver";

pub(super) fn measure(_: Settings) -> anyhow::Result<Vec<Row>> {
    let count = counts::count(SCENARIO, 0)?;
    let own: f64 = Part::ALL
        .iter()
        .filter(|part| part.is_ours())
        .map(|part| count.of(*part))
        .sum();
    let share = 100.0 * own / count.total();
    Ok(Row::alone("own-share", "%", &[share], Budget::AtMost(12.0))
        .into_iter()
        .collect())
}
