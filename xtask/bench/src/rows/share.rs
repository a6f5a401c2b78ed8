//! The project's own share of the instructions of a run.

use super::Settings;
use crate::{
    counts,
    row::{Budget, Row},
};

/// Two full peers with signaling.
const SCENARIO: &str = "candidates/buffer-receiver";

pub(super) fn measure(_: Settings) -> anyhow::Result<Vec<Row>> {
    let count = counts::count(SCENARIO, 0)?;
    let share = 100.0 * count.ours() / count.total();
    Ok(Row::alone("own-share", "%", &[share], Budget::AtMost(12.0))
        .into_iter()
        .collect())
}
