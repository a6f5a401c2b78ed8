//! The project's own share of the instructions of a run.

use anyhow::Context;

use super::Settings;
use crate::{
    counts::{self, Callers},
    row::{Budget, Row},
};

/// Two full peers with signaling.
const SCENARIO: &str = "candidates/buffer-receiver";

pub(super) fn measure(_: Settings) -> anyhow::Result<Vec<Row>> {
    let count = counts::count(SCENARIO, 0, Callers::Apart)?;
    let ours = count.ours().context("callers are kept apart")?;
    let share = 100.0 * ours / count.total();
    Ok(Row::alone("own-share", "%", &[share], Budget::AtMost(12.0))
        .into_iter()
        .collect())
}
