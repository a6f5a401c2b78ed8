//! What the command line and its worker processes say to each other: one JSON object a line.
//!
//! Requests go to the worker's standard input, replies come from its standard output, which nothing else may write to.

use std::{fs, io, os::unix::fs::MetadataExt, path::PathBuf};

use serde::{Deserialize, Serialize};
use sleet::{
    fault::Plan,
    run::{repro::Repro, result::RunResult},
    seed::Seed,
    sweep::Probe,
};

/// The version of the protocol.
pub const PROTOCOL: u32 = 3;

/// What a worker is asked to do.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Request {
    /// Run a seed of a scenario. With `save`, stream its trace into that folder as it happens, and leave what is
    /// needed to look into it there.
    Run {
        scenario: String,
        seed: Seed,
        save: Option<PathBuf>,
    },
    /// Run a saved failure again; `save` as above. With `capture`, leave a capture of all packets there too.
    Play {
        repro: Box<Repro>,
        save: Option<PathBuf>,
        capture: bool,
    },
    /// Run a plan of a sweep; with `listen`, tell of its packets and messages too.
    Probe {
        scenario: String,
        seed: Seed,
        plan: Box<Plan>,
        listen: bool,
    },
    /// Write the trace of the last run to a file.
    Dump { file: PathBuf },
}

/// What a worker answers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reply {
    /// It is ready.
    Hello { v: u32, stamp: String },
    /// It will do nothing: another build's parent, or a machine that cannot run simulations.
    Refused { why: String },
    /// The run got on since the last time.
    Beat,
    /// A run has ended; `unsaved` says why what was to be saved of it was not.
    Ended {
        result: Box<RunResult>,
        unsaved: Option<String>,
    },
    /// A plan of a sweep has been run.
    Probed { probe: Box<Probe> },
    /// A trace was written, or why it was not.
    Dumped { unsaved: Option<String> },
}

/// Tells this program from any other without reading it: a worker is started from the very file that its parent
/// runs, even if the file has been replaced since.
///
/// # Errors
/// If the program's own file cannot be looked at.
pub fn stamp() -> io::Result<String> {
    let file = fs::metadata(program()?)?;
    Ok(format!(
        "{:x}.{:x}.{:x}.{:x}",
        file.dev(),
        file.ino(),
        file.len(),
        file.mtime_nsec()
    ))
}

/// The file that this process runs.
///
/// # Errors
/// If the system does not tell.
pub fn program() -> io::Result<PathBuf> {
    match cfg!(target_os = "linux") {
        // The link leads to the file itself, not to what stands at its path by now.
        true => Ok(PathBuf::from("/proc/self/exe")),
        false => std::env::current_exe(),
    }
}
