//! Whole suites on worker processes, through the command line.

mod shards;
mod workers;

use std::{
    fs,
    path::Path,
    process::{Child, Command, Output, Stdio},
};

/// The program under test, without shard variables of an engine that runs the tests.
fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
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
