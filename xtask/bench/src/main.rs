//! The budgets of docs/performance.md, measured: `cargo xtask bench` and `cargo xtask counts`.
//!
//! - [`rows`]: what is measured, beside what
//! - [`pair`], [`whole`]: the same calls on Sleet, on stock turmoil and on real sockets
//! - [`counts`]: instruction counts of one seed per family
//! - [`row`], [`stats`]: what samples come to
//! - [`catalogue`], [`cargo`], [`wall`]: scenarios, commands of the repository, and real time
//!
//! The only package that depends on stock turmoil. Nothing here is part of a suite.

mod args;
mod cargo;
mod catalogue;
mod counts;
mod pair;
mod row;
mod rows;
mod stats;
mod wall;
mod whole;

use std::{
    fs,
    io::{self, Write},
    process::ExitCode,
};

use anyhow::{Context, bail};
use args::{Args, Command, MeasureArgs};
use clap::Parser;
use rows::{GROUPS, Group, Settings};

/// How it ends where a budget is not met, or a count has moved.
const TO_MEND: u8 = 1;

fn main() -> ExitCode {
    let args = Args::parse();
    let done = match args.command {
        Command::Measure(args) => measure(&args),
        Command::Counts(args) => counts::command(&args),
        Command::Again(args) => catalogue::again(&args.scenario, args.seed, args.times).map(|()| 0),
    };
    match done {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn print(text: &str) {
    let _ = writeln!(io::stdout(), "{text}");
}

fn note(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

fn measure(args: &MeasureArgs) -> anyhow::Result<u8> {
    if args.list {
        for group in &GROUPS {
            let slow = if group.slow {
                " (minutes: only where named, or with --all)"
            } else {
                ""
            };
            print(&format!("{:12} {}{slow}", group.name, group.about));
        }
        return Ok(0);
    }
    if let Some(unknown) = args
        .rows
        .iter()
        .find(|name| GROUPS.iter().all(|g| g.name != **name))
    {
        bail!("there are no rows '{unknown}': `cargo xtask bench --list` names them");
    }
    let wanted = |group: &&Group| match &args.rows[..] {
        [] => args.all || !group.slow,
        rows => rows.iter().any(|name| name == group.name),
    };
    let settings = Settings { rounds: args.rounds };
    let (mut rows, mut left_out) = (Vec::new(), Vec::new());
    for group in GROUPS.iter().filter(wanted) {
        note(&format!("measuring {}: {}", group.name, group.about));
        match (group.measure)(settings) {
            Ok(measured) => rows.extend(measured),
            Err(error) if error.is::<counts::NoValgrind>() => {
                left_out.push(format!("{} ({error})", group.name))
            }
            Err(error) => return Err(error.context(group.name)),
        }
    }
    print(&row::table(&rows));
    left_out.extend(GROUPS.iter().filter(|g| !wanted(g)).map(|g| g.name.to_owned()));
    if !left_out.is_empty() {
        print(&format!("not run: {}", left_out.join(", ")));
    }
    if let Some(path) = &args.json {
        let text = row::json(&rows)? + "\n";
        fs::write(path, text).with_context(|| format!("cannot write '{}'", path.display()))?;
    }
    let unmet: Vec<&str> = rows
        .iter()
        .filter(|r| r.met() == Some(false))
        .map(|r| r.name)
        .collect();
    if unmet.is_empty() {
        print("every budget that was measured is met");
        return Ok(0);
    }
    print(&format!(
        "budgets not met: {} (docs/performance.md says why)",
        unmet.join(", ")
    ));
    Ok(TO_MEND)
}
