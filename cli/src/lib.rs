//! The command line of Sleet, for any catalogue of scenarios.
//!
//! [`main`] gives a program with its own scenarios everything that Sleet's has: `run` on worker processes, `list`,
//! `replay`, `shrink`, `explain`, `sweep`, `search`, `merge`, `corpus`, `report`. [`main_with`] adds the program's own commands.
//! [`tests()`] makes each scenario a test of `cargo test`.
//!
//! A worker is started from the program's own file, so a program with this command line calls one of these first in
//! `main`, and prints nothing before.
//!
//! This crate is the only one that touches files, the terminal and wall time; it decides nothing about a run.
//!
//! ```no_run
//! use std::{process::ExitCode, sync::Arc};
//!
//! use sleet::scenario::Scenario;
//! use sleet_cli::Catalogue;
//!
//! /// Every scenario of the project.
//! fn scenarios() -> Vec<Arc<Scenario>> {
//!     Vec::new()
//! }
//!
//! fn main() -> ExitCode {
//!     let catalogue = Catalogue::new("cargo sim", scenarios())
//!         .corpus(concat!(env!("CARGO_MANIFEST_DIR"), "/corpus"));
//!     sleet_cli::main(catalogue)
//! }
//! ```

mod args;
mod attach;
mod catalogue;
mod corpus;
mod crash_report;
mod ending;
mod explain;
mod folder;
mod identity;
mod list;
mod log;
mod manifest;
mod merge;
mod papers;
mod places;
mod pool;
mod progress;
mod replay;
mod report;
mod run;
mod schedule;
mod search;
mod select;
mod shards;
mod shrink;
mod subject;
mod sweep;
mod terminal;
mod tests;
mod wall;

use std::process::ExitCode;

use args::{AnyCommand, Command, Line, NoCommand};
pub use catalogue::Catalogue;
use clap::{CommandFactory, FromArgMatches, Subcommand};
pub use sleet::run::summary::exit;
pub use tests::tests;

/// The exit code of a command that was executed.
type Done = anyhow::Result<u8>;

/// Executes the command in the program's arguments, with the scenarios of `catalogue`.
pub fn main(catalogue: Catalogue) -> ExitCode {
    main_with(catalogue, |command: NoCommand| match command {})
}

/// Same as [`main`], for a program with its own commands beside those of the library: `own` executes one of them and
/// returns one of the codes of [`exit`] as the program's exit code. An error is printed with its causes; the program
/// then exits with [`exit::USAGE`].
pub fn main_with<Own: Subcommand>(
    catalogue: Catalogue,
    own: impl FnOnce(Own) -> anyhow::Result<u8>,
) -> ExitCode {
    let program = catalogue.program().to_owned();
    let grammar = Line::<Own>::command().name(program.clone()).bin_name(program);
    let matches = grammar.get_matches();
    let line = Line::<Own>::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    end(match line.command {
        AnyCommand::Library(command) => obey(&catalogue, command),
        AnyCommand::Own(command) => own(command),
    })
}

fn obey(catalogue: &Catalogue, command: Command) -> Done {
    match command {
        Command::Run(args) => run::run(catalogue, &args),
        Command::List(args) => list::list(catalogue, &args),
        Command::Replay(args) => replay::replay(catalogue, &args),
        Command::Merge(args) => merge::merge(catalogue, &args),
        Command::Worker(args) => pool::worker::serve(catalogue, &args),
        Command::Shrink(args) => shrink::shrink(catalogue, &args),
        Command::Explain(args) => explain::explain(catalogue, &args),
        Command::Sweep(args) => sweep::sweep(catalogue, &args),
        Command::Search(args) => search::search(catalogue, &args),
        Command::Corpus(args) => corpus::corpus(catalogue, &args),
        Command::Report(args) => report::report(catalogue, &args),
    }
}

fn end(done: Done) -> ExitCode {
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
