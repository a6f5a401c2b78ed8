//! The same plans under Sleet: the app's own suite plays them.

use std::{
    io::Write,
    path::Path,
    process::{Command, Stdio},
    thread,
};

use anyhow::Context;
use serde::Deserialize;
use sleet::seed::Seed;

use crate::{cases::Case, compare::Sample, tools};

/// What the suite answers to a plan.
#[derive(Deserialize)]
struct Came {
    connected_ms: Option<u64>,
    pair: Option<String>,
}

/// Builds the app for real and under Sleet.
///
/// # Errors
/// When cargo does.
pub fn build(root: &Path) -> anyhow::Result<()> {
    for args in [
        &["--bin", "own-client"][..],
        &["--bin", "own-sim", "--features", "own-client/sleet"],
    ] {
        let mut command = tools::cargo();
        // With the features that the workspace asks for: what is built already is not built anew.
        command.args(["build", "--quiet", "--workspace"]).args(args);
        let status = command.current_dir(root).status().context("cargo")?;
        anyhow::ensure!(status.success(), "own-client does not build");
    }
    Ok(())
}

/// Plays the first `seeds` plans of `case` with the suite `program`.
///
/// # Errors
/// When a plan cannot be played.
pub fn play(program: &Path, case: &Case, seeds: u64) -> anyhow::Result<Sample> {
    let mut child = Command::new(program)
        .arg("play")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| program.display().to_string())?;
    let mut stdin = child.stdin.take().context("its input")?;
    let asked = (0..seeds).map(|seed| {
        let plan = case.plan(Seed(seed));
        serde_json::json!({"seed": seed, "plan": plan}).to_string()
    });
    let asked: Vec<String> = asked.collect();
    let asking = thread::spawn(move || asked.iter().try_for_each(|line| writeln!(stdin, "{line}")));
    let output = child.wait_with_output()?;
    let _ = asking.join();
    anyhow::ensure!(
        output.status.success(),
        "{}: {}",
        program.display(),
        output.status
    );
    let mut sample = Sample::default();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let came: Came = serde_json::from_str(line).with_context(|| line.to_owned())?;
        sample.add(came.connected_ms, came.pair.as_deref());
    }
    anyhow::ensure!(
        sample.calls == seeds,
        "{}: {} of {seeds}",
        case.name,
        sample.calls
    );
    Ok(sample)
}
