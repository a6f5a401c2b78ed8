//! `cargo xtask bench` and `cargo xtask counts`: builds the package `sleet-bench`, and runs it.
//!
//! Not linked here: stock turmoil, the baseline, is no dependency of this program.

use std::{env, ffi::OsString, process::Command};

use anyhow::Context;
use clap::Args;

/// How it ends where the program was killed.
const KILLED: u8 = 2;

/// What the program is given; `--help` is its own.
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub struct MeasureArgs {
    /// See `--help`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
    rest: Vec<OsString>,
}

/// Runs `command` of the program with `args`; its exit code.
///
/// # Errors
/// When cargo cannot be started.
pub fn measure(command: &str, args: &MeasureArgs) -> anyhow::Result<u8> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut program = Command::new(cargo);
    program
        .args(["run", "--quiet", "--package", "sleet-bench", "--", command])
        .args(&args.rest);
    // What cargo told this program of its own package, the build script of `ring` would take for a change: the stack would be
    // built anew each time.
    for (name, _) in env::vars_os() {
        let of_package = |start: &str| name.to_string_lossy().starts_with(start);
        if of_package("CARGO_PKG_") || of_package("CARGO_MANIFEST_") {
            program.env_remove(&name);
        }
    }
    let status = program.status().context("cannot start cargo")?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.unwrap_or(KILLED))
}
