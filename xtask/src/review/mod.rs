//! `cargo xtask review`: shows the differences between committed snapshots and those of the last test run, grouped by
//! change.
//!
//! It decides nothing by itself and runs nothing: `cargo test -p sleet-reports` leaves the `.snap.new` files that it
//! reads.

mod files;
mod prompt;

use std::{
    env,
    io::{self, IsTerminal, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use clap::Args;
use files::Waiting;
use sleet::run::summary::exit;
use sleet_reports::review::{Group, groups, pairs};

/// The number of columns without a terminal.
const WIDTH: u16 = 140;
/// The number of lines of a group that are shown before a question.
const SOME: usize = 12;

/// Shows what differs from the committed snapshots, in groups, and accepts or rejects it by group. On a terminal it asks;
/// with a flag, or where its output goes elsewhere, it does not.
#[derive(Debug, Args)]
pub struct ReviewArgs {
    /// Make what differs in GROUP, or in `all`, the committed state. May be given several times.
    #[arg(long, value_name = "GROUP")]
    accept: Vec<String>,
    /// Drop what differs in GROUP, or in `all`; the next test run makes it anew.
    #[arg(long, value_name = "GROUP")]
    reject: Vec<String>,
    /// Show every pair of GROUP, or of `all`.
    #[arg(long, value_name = "GROUP")]
    show: Vec<String>,
    /// Ask nothing, also on a terminal.
    #[arg(long)]
    list: bool,
    /// The folder with the snapshots. Default: reports/snapshots.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// Executes the command with `args`; returns the exit code.
///
/// # Errors
/// Fails on snapshots that cannot be read or written, on an unknown group, and on one that is both accepted and
/// rejected.
pub fn review(args: &ReviewArgs) -> anyhow::Result<u8> {
    let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("../reports/snapshots");
    let folder = args.dir.clone().unwrap_or(default);
    let waiting = Waiting::read(&folder)?;
    if waiting.is_empty() {
        say("nothing differs from the committed snapshots");
        return Ok(exit::OK);
    }
    let all = groups(&waiting.pending());
    let decides = !args.accept.is_empty() || !args.reject.is_empty();
    if decides {
        let (accepted, rejected) = (chosen(&all, &args.accept)?, chosen(&all, &args.reject)?);
        if let Some(both) = accepted.iter().find(|g| rejected.contains(g)) {
            bail!("{} is to be accepted and rejected", both.id);
        }
        decide(&folder, &accepted, &rejected)?;
        return Ok(exit::OK);
    }
    if !args.show.is_empty() {
        for group in chosen(&all, &args.show)? {
            show(group, usize::MAX);
        }
        return Ok(exit::OK);
    }
    say(&format!(
        "{}, in {}:\n",
        counted(waiting.len(), "snapshot differs", "snapshots differ"),
        counted(all.len(), "group", "groups")
    ));
    let widest = all.iter().map(|g| g.id.chars().count()).max().unwrap_or(0);
    for group in &all {
        say(&format!("  {:<widest$}  {}", group.id, group.title));
    }
    say("");
    let on_terminal = io::stdin().is_terminal() && io::stdout().is_terminal();
    if on_terminal && !args.list {
        prompt::ask(&folder, &all)?;
    } else {
        say(
            "`--show GROUP` shows old beside new; `--accept GROUP` and `--reject GROUP` decide; `all` is every group",
        );
    }
    Ok(exit::OK)
}

/// Returns the groups with the ids `ids`, each once.
fn chosen<'a>(all: &'a [Group], ids: &[String]) -> anyhow::Result<Vec<&'a Group>> {
    for id in ids.iter().filter(|id| *id != "all") {
        let known = || all.iter().map(|g| g.id.as_str()).collect::<Vec<_>>().join(", ");
        all.iter()
            .find(|g| g.id == *id)
            .with_context(|| format!("no group is called '{id}'; there are {}", known()))?;
    }
    let wanted = |group: &&Group| ids.iter().any(|id| id == "all" || *id == group.id);
    Ok(all.iter().filter(wanted).collect())
}

/// Accepts and rejects groups, and prints what that did.
fn decide(folder: &Path, accepted: &[&Group], rejected: &[&Group]) -> anyhow::Result<()> {
    // Each decision reads the files again: rejecting in a snapshot starts from the result of accepting in it.
    Waiting::read(folder)?.accept(accepted)?;
    Waiting::read(folder)?.reject(rejected)?;
    for (word, groups) in [("accepted", accepted), ("rejected", rejected)] {
        for group in groups {
            say(&format!("{word} {}: {}", group.id, group.title));
        }
    }
    match Waiting::read(folder)?.len() {
        0 => say("nothing is left to review"),
        left => say(&counted(left, "snapshot still differs", "snapshots still differ")),
    }
    Ok(())
}

/// Shows the first pairs of a group.
fn show(group: &Group, most: usize) {
    say(&format!("[{}] {}", group.id, group.title));
    let width = console::Term::stdout()
        .size_checked()
        .map_or(WIDTH, |(_, columns)| columns);
    for line in pairs(group, usize::from(width).saturating_sub(4), most) {
        say(&format!("    {line}"));
    }
    say("");
}

fn counted(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

/// Prints a line. A closed pipe (`… | head`) is no error.
fn say(text: &str) {
    let _ = writeln!(io::stdout().lock(), "{text}");
}
