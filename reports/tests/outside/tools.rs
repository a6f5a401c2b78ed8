//! Where the tools are, and how a test says that one is missing.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// Says that a test did not take place. Straight to the stream: what tests print is not shown where they pass.
pub fn skipped(test: &str, tool: &str) {
    let line = format!("SKIPPED {test}: {tool} is not here (.ci/report-tools brings it)\n");
    let _ = io::stderr().write_all(line.as_bytes());
}

/// A program of the system, if it is there and answers.
pub fn program(name: &str) -> Option<PathBuf> {
    let found = std::env::var_os("PATH")?;
    let mut candidates = std::env::split_paths(&found).map(|folder| folder.join(name));
    candidates.find(|path| path.is_file())
}

/// The folder into which `.ci/report-tools` puts what it fetches: `target/report-tools`.
pub fn fetched() -> PathBuf {
    let tmp = Path::new(env!("CARGO_TARGET_TMPDIR"));
    tmp.parent().unwrap_or(tmp).join("report-tools")
}

/// A Node module that was fetched.
pub fn node_module(name: &str) -> Option<PathBuf> {
    program("node")?;
    Some(fetched().join("node_modules")).filter(|modules| modules.join(name).is_dir())
}

/// A folder for the files of one test, empty.
pub fn folder(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// Runs `command` and gives what it printed.
///
/// # Panics
/// If it fails.
pub fn output(command: &mut Command) -> String {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().expect("it starts");
    let said = String::from_utf8_lossy(&stdout).into_owned();
    assert!(
        status.success(),
        "{command:?}: {said}\n{}",
        String::from_utf8_lossy(&stderr)
    );
    said
}
