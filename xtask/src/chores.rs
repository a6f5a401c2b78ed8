//! The chores of this repository: commands that keep its own house, and that no other catalogue needs.
//!
//! They stand beside the commands that every catalogue has. Only this file knows their names; each chore is a module.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use clap::{Parser, Subcommand};

use crate::{docs, tidy};

#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Chores {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Checks the sources: layers, circles, length, citations, words, `unsafe`, headers
    Tidy(tidy::Args),
    /// Writes the generated pages of docs/, or checks that they are current
    Docs(docs::Args),
}

/// Runs the chore that the command line names; `None` if it names none, and the command is not for this file.
pub fn run() -> Option<ExitCode> {
    let named = std::env::args().nth(1)?;
    if !Chore::has_subcommand(&named) {
        return None;
    }
    let done = match Chores::parse().chore {
        Chore::Tidy(args) => tidy::tidy(&args),
        Chore::Docs(args) => docs::docs(&args),
    };
    Some(match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            // Nothing is left to do about a terminal that is gone.
            let _ = writeln!(io::stderr(), "error: {error:#}");
            ExitCode::from(2)
        }
    })
}
