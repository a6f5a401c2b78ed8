//! `cargo xtask`: the command line over this repository's catalogue, and the chores of the repository beside it.

mod review;

use std::process::ExitCode;

fn main() -> ExitCode {
    if let Some(code) = review::asked() {
        return code;
    }
    sleet_cli::main(xtask::catalogue())
}
