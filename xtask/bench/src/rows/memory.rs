//! Memory of parent and workers while a suite of many seeds runs, from `/proc`.

use std::{
    fs,
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, ensure};

use super::Settings;
use crate::{
    cargo::xtask,
    row::{Budget, Row},
    wall,
};

const SCENARIO: &str = "candidates/buffer-receiver-bare";
const SEEDS: &str = "0..100000";
const WORKERS: usize = 2;
/// How often memory is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How much more there may be at the end than after warm-up: pages that the allocator keeps come and go.
const FLAT: f64 = 1.1;

pub(super) fn measure(_: Settings) -> anyhow::Result<Vec<Row>> {
    let folder = tempfile::tempdir()?;
    let mut parent = Command::new(xtask()?)
        .args([
            "run",
            SCENARIO,
            "--seeds",
            SEEDS,
            "--jobs",
            &WORKERS.to_string(),
            "--out",
        ])
        .arg(folder.path().join("out"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let (mut parents, mut workers) = (Vec::new(), Vec::new());
    let ended = loop {
        if let Some(status) = parent.try_wait()? {
            break status;
        }
        if let (Some(own), Some(most)) = (resident(parent.id()), of_children(&parent)) {
            parents.push(own);
            workers.push(most);
        }
        wall::wait(LOOK_EVERY);
    };
    ensure!(ended.success(), "the suite: {ended}");
    let rows = [row("memory-parent", &parents), row("memory-worker", &workers)];
    rows.into_iter()
        .map(|row| row.context("the suite ended before its memory was seen"))
        .collect()
}

/// The last fifth beside the second: the first is warm-up.
fn row(name: &'static str, samples: &[f64]) -> Option<Row> {
    let fifth = samples.len() / 5;
    let (warm, last) = (samples.get(fifth..2 * fifth)?, samples.get(4 * fifth..5 * fifth)?);
    Row::beside(
        name,
        "MiB",
        last,
        ("after a fifth of the seeds", warm),
        Budget::Within(FLAT),
    )
}

/// Resident memory of a process in MiB, while it lives.
fn resident(pid: u32) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:"))?;
    let kib: f64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kib / 1_024.0)
}

/// That of the largest of its children.
fn of_children(parent: &Child) -> Option<f64> {
    let pid = parent.id();
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).ok()?;
    let children = tasks
        .flatten()
        .filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
    let children: Vec<u32> = children
        .flat_map(|line| {
            line.split_whitespace()
                .filter_map(|pid| pid.parse().ok())
                .collect::<Vec<_>>()
        })
        .collect();
    children.into_iter().filter_map(resident).max_by(f64::total_cmp)
}
