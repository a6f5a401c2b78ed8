//! The protocol between the command line and its worker processes: one JSON object per line.
//!
//! Requests go to the worker's standard input, replies come from its standard output, which nothing else may write to.

use std::{fs, io, os::unix::fs::MetadataExt, path::PathBuf};

use serde::{Deserialize, Serialize};
use sleet::{
    fault::Plan,
    run::{repro::Repro, result::RunResult},
    search::Lesson,
    seed::Seed,
    sweep::Probe,
};

/// The version of the protocol.
pub const PROTOCOL: u32 = 4;

/// A request to a worker.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Request {
    /// Run a seed of a scenario. With `save`, stream its trace into that folder as it happens, and leave the files for
    /// an examination there.
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
    /// Run a plan of a sweep; with `listen`, report its packets and messages too.
    Probe {
        scenario: String,
        seed: Seed,
        plan: Box<Plan>,
        listen: bool,
    },
    /// Run a plan of a search.
    Search {
        scenario: String,
        seed: Seed,
        plan: Box<Plan>,
    },
    /// Write the trace of the last run to a file.
    Dump { file: PathBuf },
}

/// A reply of a worker.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reply {
    /// The worker is ready.
    Hello { v: u32, stamp: String },
    /// The worker does nothing: its parent is another build, or the machine cannot run simulations.
    Refused { why: String },
    /// The run has made progress since the last beat.
    Beat,
    /// A run has ended; `unsaved` is the error if something could not be saved.
    Ended {
        result: Box<RunResult>,
        unsaved: Option<String>,
    },
    /// A plan of a sweep has been run.
    Probed { probe: Box<Probe> },
    /// A plan of a search has been run.
    Searched {
        /// What the search is told, or why the run did not come to its end.
        lesson: Result<Box<Lesson>, String>,
    },
    /// A trace was written; `unsaved` is the error if not.
    Dumped { unsaved: Option<String> },
}

/// Returns a stamp that identifies this program's file without reading it: a worker is started from the very file that
/// its parent runs, even if the file has been replaced since.
///
/// # Errors
/// Fails if the metadata of the program's own file cannot be read.
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

/// Returns the file that this process runs.
///
/// # Errors
/// Fails if the system does not tell.
pub fn program() -> io::Result<PathBuf> {
    match cfg!(target_os = "linux") {
        // The link leads to the file itself, not to the current file at its path.
        true => Ok(PathBuf::from("/proc/self/exe")),
        false => std::env::current_exe(),
    }
}
