//! The command line of Sleet. This file only dispatches.

mod chores;
mod cli;
mod corpus;
mod docs;
mod explain;
mod folder;
mod list;
mod manifest;
mod merge;
mod pool;
mod progress;
mod replay;
mod run;
mod schedule;
mod select;
mod shards;
mod shrink;
mod subject;
mod terminal;
mod tidy;
mod wall;

use std::process::ExitCode;

use clap::Parser;
use cli::{Cli, Command};
use sleet::run::summary::exit;

/// The exit code of a command that did what it was asked to.
type Done = anyhow::Result<u8>;

fn main() -> ExitCode {
    if let Some(done) = chores::run() {
        return done;
    }
    let done = match Cli::parse().command {
        Command::Run(args) => run::run(&args),
        Command::List(args) => list::list(&args),
        Command::Replay(args) => replay::replay(&args),
        Command::Merge(args) => merge::merge(&args),
        Command::Worker(args) => pool::worker::serve(&args),
        Command::Shrink(args) => shrink::shrink(&args),
        Command::Explain(args) => explain::explain(&args),
        Command::Corpus(args) => corpus::corpus(&args),
    };
    match done {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            terminal::complain(&error);
            let code = error
                .downcast_ref::<select::NothingSelected>()
                .map_or(exit::USAGE, |_| exit::NOTHING_SELECTED);
            ExitCode::from(code)
        }
    }
}
