//! `cargo xtask`: the command line over this repository's catalogue.
//!
//! Chores of the repository itself are commands beside those of the library: give `sleet_cli::main_with` an enum that
//! derives `clap::Subcommand`, and a function that does one of them.

use std::process::ExitCode;

fn main() -> ExitCode {
    sleet_cli::main(xtask::catalogue())
}
