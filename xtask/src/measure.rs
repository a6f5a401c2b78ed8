//! `cargo xtask bench` and `cargo xtask counts`: builds the package `sleet-bench`, and runs it.
//!
//! It is not linked here: stock turmoil, the baseline, is no dependency of this program.

use std::ffi::OsString;

use anyhow::Context;
use clap::Args;
use sleet_reality::tools;

/// The exit code if the program was killed.
const KILLED: u8 = 2;

/// What the program is given; `--help` is its own.
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub struct MeasureArgs {
    /// See `--help`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
    rest: Vec<OsString>,
}

/// Runs `command` of the program with `args`; returns its exit code.
///
/// # Errors
/// Fails if cargo cannot be started.
pub fn measure(command: &str, args: &MeasureArgs) -> anyhow::Result<u8> {
    let mut program = tools::cargo();
    program
        .args(["run", "--quiet", "--package", "sleet-bench", "--", command])
        .args(&args.rest);
    let status = program.status().context("cannot start cargo")?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.unwrap_or(KILLED))
}
