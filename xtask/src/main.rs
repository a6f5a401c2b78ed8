//! `cargo xtask`: the command line over this repository's catalogue, and the chores of the repository beside it.

mod chores;
mod docs;
mod measure;
mod review;
mod search_compare;
mod tidy;

use std::process::ExitCode;

fn main() -> ExitCode {
    sleet_cli::main_with(xtask::catalogue(), chores::run)
}
