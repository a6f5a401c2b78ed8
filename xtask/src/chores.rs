//! The chores of this repository: commands for its own maintenance, which no other catalogue needs.
//!
//! Only this file knows their names; each chore is a module.

use clap::Subcommand;

use crate::{docs, measure, review, search_compare, tidy};

/// The exit code of a chore that found something to fix. Not 100: no scenario broke.
const TO_MEND: u8 = 1;

/// A chore.
#[derive(Subcommand)]
pub enum Chore {
    /// Checks the sources: layers, circles, length, citations, words, `unsafe`, headers
    Tidy(tidy::Args),
    /// Writes the generated blocks of pages, or checks that they are current
    Docs(docs::Args),
    /// Shows what differs from the committed snapshots, in groups, and accepts or rejects it by group
    Review(review::ReviewArgs),
    /// Measures the budgets of docs/performance.md beside stock turmoil and real sockets
    Bench(measure::MeasureArgs),
    /// Counts the instructions of one seed per family under valgrind, and compares them with the committed ones
    Counts(measure::MeasureArgs),
    /// Executes plans on real kernel networks, and compares what came of them with the simulation (Linux, root; else exit 77)
    Reality(sleet_reality::Args),
    /// Lets the calling app call a page in Chromium, and be called by it (Linux, root, Chromium; else exit 77)
    Chromium(sleet_browser::Args),
    /// Measures guided search against the plain swarm: runs until planted mistakes are found, and what is reached (minutes)
    SearchCompare(search_compare::Args),
}

/// Executes a chore; returns the exit code.
///
/// # Errors
/// Fails if the chore cannot be done: a file cannot be read or written, or a suite does not run.
pub fn run(chore: Chore) -> anyhow::Result<u8> {
    let is_well = match chore {
        Chore::Tidy(args) => tidy::tidy(&args)?,
        Chore::Docs(args) => docs::docs(&args)?,
        Chore::Review(args) => return review::review(&args),
        Chore::Bench(args) => return measure::measure("bench", &args),
        Chore::Counts(args) => return measure::measure("counts", &args),
        Chore::Reality(args) => return sleet_reality::reality(&args),
        Chore::Chromium(args) => return sleet_browser::chromium(&args),
        Chore::SearchCompare(args) => return search_compare::compare(&args),
    };
    Ok(if is_well { 0 } else { TO_MEND })
}
