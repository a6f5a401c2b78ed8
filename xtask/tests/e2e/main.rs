//! The command line, end to end: the program is started as its users start it.
//!
//! One test program, so that the stack under test is linked once. What several parts need is here.

mod chores;
mod cli;
mod corpus;
mod exhaustive;
mod explain;
mod formats;
mod mistakes;
mod replay;
mod reports;
mod search;
mod shards;
mod shrink;
mod sweep;
mod unfinished;
mod workers;

use std::{
    fs,
    path::Path,
    process::{Child, Command, Output, Stdio},
};

use tempfile::TempDir;

/// The program under test.
const PROGRAM: &str = env!("CARGO_BIN_EXE_xtask");

/// The program under test, without shard variables of an engine that runs the tests.
fn command(args: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(args);
    for (name, _) in std::env::vars() {
        let foreign = [
            "CI_NODE_",
            "JOB_COMPLETION_",
            "SLURM_ARRAY_",
            "BUILDKITE_PARALLEL_",
            "TEST_",
        ];
        if foreign.iter().any(|prefix| name.starts_with(prefix)) {
            command.env_remove(name);
        }
    }
    command
}

fn xtask(args: &[&str]) -> Output {
    command(args).output().expect("it starts")
}

/// Starts it without waiting for its end.
fn start(args: &[&str]) -> Child {
    let quiet = command(args)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    quiet.expect("it starts")
}

fn code(output: &Output) -> i32 {
    output.status.code().expect("it exits by itself")
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn all_output(output: &Output) -> String {
    stdout(output) + &stderr(output)
}

/// Runs `args` into a fresh folder.
fn run(args: &[&str]) -> (Output, TempDir) {
    let folder = TempDir::new().expect("a folder");
    let output = xtask(&[&["run", "--out", text(folder.path())], args].concat());
    (output, folder)
}

/// Asserts that the failure that `file` holds replays as it was saved, and shrinks to `small` within `tries` runs.
fn replays_and_shrinks(file: &str, small: &Path, tries: &str) {
    let replay = xtask(&["replay", file]);
    let told = all_output(&replay);
    assert_eq!(code(&replay), 0, "{told}");
    assert!(told.contains("(as saved)"), "{told}");
    let shrunk = xtask(&["shrink", file, "--tries", tries, "--out", text(small)]);
    assert_eq!(code(&shrunk), 0, "{}", all_output(&shrunk));
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// What a folder's runs came to, to the byte.
fn outcome(folder: &Path) -> [String; 3] {
    ["results.jsonl", "summary.json", "summary.md"]
        .map(|name| fs::read_to_string(folder.join(name)).unwrap_or_else(|e| panic!("{name}: {e}")))
}

/// Whole lines of a file; none if it is not there.
fn lines(path: &Path) -> usize {
    fs::read(path).map_or(0, |text| text.iter().filter(|b| **b == b'\n').count())
}
