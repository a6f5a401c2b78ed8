//! Tables of results, each from a suite at stated seeds, run by this program itself.
//!
//! A table ends in a comment with the results of its first few seeds. `--check` runs these again: it takes seconds and
//! detects a table that another build has made.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use anyhow::Context;
use sleet::run::{
    matrix::Matrix,
    summary::{RemedyRow, Summary},
};
use sleet_reports::summary;

/// A table and the suite behind it.
pub struct Table {
    /// The name of the block.
    pub block: &'static str,
    /// The filter for the scenarios.
    filter: &'static str,
    /// The end of the seeds, which begin at 0; excluded.
    seeds: u64,
    /// The seeds that a check runs.
    sample: &'static [u64],
    /// Formats the table as Markdown; empty if the suite has none.
    table: fn(&Summary) -> String,
    /// Describes the results of a few seeds in a few words.
    in_short: fn(&Summary) -> String,
}

/// All tables of results.
pub const TABLES: [Table; 5] = [
    Table {
        block: "remedies",
        filter: "candidates",
        seeds: 500,
        sample: &FEW,
        table: |sum| summary::remedies(&sum.remedies),
        in_short: |sum| connected(&sum.remedies),
    },
    Table {
        block: "main-remedies",
        filter: "candidates",
        seeds: 500,
        sample: &FEW,
        table: |sum| summary::remedies(&main_ones(sum)),
        in_short: |sum| connected(&main_ones(sum)),
    },
    Table {
        block: "mistakes",
        filter: "calls",
        seeds: 200,
        sample: &FEW,
        table: |sum| summary::mistakes(&sum.mistakes),
        in_short: |sum| {
            listed(
                sum.mistakes
                    .iter()
                    .map(|row| format!("{} {}", row.mistake, row.shown)),
            )
        },
    },
    Table {
        block: "nat-stun",
        filter: "nat/matrix-stun",
        seeds: 100,
        sample: &DIAGONAL,
        table: |sum| sum.matrices.iter().map(summary::matrix).collect(),
        in_short: |sum| listed(sum.matrices.iter().flat_map(carried)),
    },
    Table {
        block: "nat-turn",
        filter: "nat/matrix-turn",
        seeds: 100,
        sample: &DIAGONAL,
        table: |sum| sum.matrices.iter().map(summary::matrix).collect(),
        in_short: |sum| listed(sum.matrices.iter().flat_map(carried)),
    },
];

const FEW: [u64; 6] = [0, 1, 2, 3, 4, 5];
/// The seeds for each kind of NAT against itself.
const DIAGONAL: [u64; 10] = [0, 11, 22, 33, 44, 55, 66, 77, 88, 99];

impl Table {
    /// Runs the suite, and its sample; returns the text of the block.
    ///
    /// # Errors
    /// Fails if a suite cannot be run.
    pub fn measure(&self, root: &Path) -> anyhow::Result<String> {
        let range = format!("0..{}", self.seeds);
        let whole = suite(root, self.block, &[self.filter, "--seeds", &range])?;
        let table = (self.table)(&whole);
        anyhow::ensure!(!table.is_empty(), "the suite '{}' makes no table", self.filter);
        let command = format!("cargo xtask run {} --seeds {range}", self.filter);
        Ok(format!(
            "\n`{command}`:\n\n{table}\n<!-- {} -->\n",
            self.sampled(root)?
        ))
    }

    /// Returns what is stale in `text`, if anything.
    ///
    /// # Errors
    /// Fails if a suite cannot be run.
    pub fn what_is_stale(&self, root: &Path, text: &str) -> anyhow::Result<Option<String>> {
        let now = self.sampled(root)?;
        let is_current = text.contains(&format!("<!-- {now} -->"));
        Ok((!is_current).then(|| format!("is stale: cargo xtask docs --results; now {now}")))
    }

    /// Runs the sample and describes its results.
    fn sampled(&self, root: &Path) -> anyhow::Result<String> {
        let mut args = vec![self.filter.to_owned()];
        for seed in self.sample {
            args.extend(["--seed".to_owned(), seed.to_string()]);
        }
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let sum = suite(root, &format!("{}-sample", self.block), &args)?;
        let seeds: Vec<String> = self.sample.iter().map(u64::to_string).collect();
        Ok(format!("seeds {}: {}", seeds.join(" "), (self.in_short)(&sum)))
    }
}

/// The remedies that a reader needs first.
const MAIN: [&str; 8] = [
    "naive",
    "naive-push",
    "sleep",
    "sequential",
    "sequential-end-to-end",
    "buffer-receiver",
    "buffer-sender",
    "buffer-both-push",
];

fn main_ones(sum: &Summary) -> Vec<RemedyRow> {
    let is_main = |row: &&RemedyRow| MAIN.contains(&row.policy.as_str());
    sum.remedies.iter().filter(is_main).cloned().collect()
}

fn connected(remedies: &[RemedyRow]) -> String {
    listed(
        remedies
            .iter()
            .map(|row| format!("{} {}", row.policy, row.connected)),
    )
}

fn listed(description: impl Iterator<Item = String>) -> String {
    description.collect::<Vec<_>>().join(", ")
}

/// Lists the filled cells of a matrix.
fn carried(matrix: &Matrix) -> Vec<String> {
    let cells = matrix.rows.iter().zip(&matrix.cells).flat_map(|(row, cells)| {
        let filled = matrix.columns.iter().zip(cells);
        filled.filter_map(move |(column, cell)| {
            let cell = cell.as_ref()?;
            let pair = if cell.pair.is_empty() { "none" } else { &cell.pair };
            Some(format!("{row} to {column} {pair}"))
        })
    });
    cells.collect()
}

/// Runs a suite with this program into a folder of its own, and reads its summary.
fn suite(root: &Path, name: &str, args: &[&str]) -> anyhow::Result<Summary> {
    let program = std::env::current_exe().context("cannot find this program")?;
    let out = root.join("target/sim/docs").join(name);
    let status = Command::new(program)
        .arg("run")
        .args(args)
        .arg("--out")
        .arg(&out)
        .current_dir(root)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .context("cannot start this program again")?;
    // Failures in a suite are no obstacle to a table; a suite that did not run has no summary.
    anyhow::ensure!(
        status.success() || matches!(status.code(), Some(100 | 120 | 121)),
        "`cargo xtask run {}` ended with {status}",
        args.join(" ")
    );
    let path = out.join("summary.json");
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read '{}'", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("'{}' is no summary", path.display()))
}
