//! Two workers against one, on the same seeds.

use std::{path::Path, process::Command};

use super::{Settings, interleaved};
use crate::{
    cargo::{succeed, xtask},
    row::{Budget, Row},
    wall::timed,
};

const SCENARIO: &str = "=candidates/buffer-receiver";
/// Enough that starting and ending do not count.
const SEEDS: &str = "0..2000";

pub(super) fn measure(settings: Settings) -> anyhow::Result<Vec<Row>> {
    let xtask = xtask()?;
    let [two, one] = interleaved(
        settings.rounds_or(3),
        [Box::new(|_| run(&xtask, "2")), Box::new(|_| run(&xtask, "1"))],
    )?;
    let row = Row::beside("jobs-2", "ms", &two, ("1 job", &one), Budget::TimesFaster(1.9));
    Ok(row.into_iter().collect())
}

fn run(xtask: &Path, jobs: &str) -> anyhow::Result<f64> {
    let folder = tempfile::tempdir()?;
    let mut command = Command::new(xtask);
    command
        .args(["run", SCENARIO, "--seeds", SEEDS, "--jobs", jobs, "--out"])
        .arg(folder.path().join("out"))
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null());
    Ok(timed(|| succeed(&mut command))?.0)
}
