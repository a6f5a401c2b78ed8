//! What the program is asked for.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// The budgets of docs/performance.md, measured.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", disable_help_subcommand = true)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Measures rows of the table of budgets, each beside its baseline
    #[command(name = "bench")]
    Measure(MeasureArgs),
    /// Counts the instructions of one seed per family, split by part
    Counts(CountsArgs),
    /// Runs one seed several times: what is counted
    #[command(hide = true)]
    Again(AgainArgs),
}

/// Measures rows.
#[derive(Debug, clap::Args)]
pub struct MeasureArgs {
    /// The rows, by group; without any, all but the slow ones
    #[arg(value_name = "ROW")]
    pub rows: Vec<String>,
    /// Write the rows as JSON to this file
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Rounds of each row, in place of what suits it
    #[arg(long, value_name = "N")]
    pub rounds: Option<u32>,
    /// Measure the slow rows too: half an hour
    #[arg(long)]
    pub all: bool,
    /// Only say which rows there are
    #[arg(long)]
    pub list: bool,
}

/// Counts instructions.
#[derive(Debug, clap::Args)]
pub struct CountsArgs {
    /// Families or scenarios; without any, one scenario of each family, or with `--check` those of the committed table
    #[arg(value_name = "FAMILY")]
    pub families: Vec<String>,
    /// Write what was counted to the committed file and to the table of docs/performance.md
    #[arg(long, conflicts_with = "check")]
    pub write: bool,
    /// Say which counts differ from the committed ones by more than 3 %
    #[arg(long)]
    pub check: bool,
    /// Print the functions that take most
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub functions: usize,
}

/// Runs one seed several times.
#[derive(Debug, clap::Args)]
pub struct AgainArgs {
    /// The scenario
    pub scenario: String,
    /// The seed
    pub seed: u64,
    /// How often
    pub times: u32,
}
