//! The same plans under Sleet: the app's own suite plays them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::Write,
    path::Path,
    process::{Command, Stdio},
    thread,
};

use anyhow::Context;
use serde::Deserialize;
use sleet::seed::Seed;

use crate::{
    call::hit_at,
    cases::{Case, Story},
    compare::Sample,
    tools,
};

/// What the suite answers to a plan.
#[derive(Deserialize)]
struct Came {
    seed: u64,
    connected_ms: Option<u64>,
    pair: Option<String>,
    #[serde(default)]
    over_ms: Option<u64>,
    #[serde(default)]
    closed_ms: Option<u64>,
    #[serde(default)]
    again_ms: Option<u64>,
    #[serde(default)]
    left: BTreeMap<String, Vec<String>>,
}

impl Came {
    /// Adds it to `sample`, judged as `case` wants.
    fn add_to(&self, sample: &mut Sample, case: &Case) {
        match case.shape.story {
            Story::Connects => {
                sample.add(
                    self.connected_ms.is_some(),
                    self.connected_ms,
                    self.pair.as_deref(),
                );
            }
            Story::Lasts { ms } => {
                let hit = hit_at(&case.plan(Seed(self.seed)));
                let took = self
                    .over_ms
                    .map(|at| at.saturating_sub(hit))
                    .filter(|took| *took <= ms);
                let both = self.connected_ms.is_some();
                sample.add(both && took.is_none(), took, self.pair.as_deref());
            }
            Story::Restarts { within_ms, .. } => {
                let took = self.again_ms.filter(|took| *took <= within_ms);
                sample.add(took.is_some(), took, self.pair.as_deref());
            }
            Story::HungUp(_) => {
                sample.add(self.left.is_empty(), self.closed_ms, None);
                sample.leaves(self.left.keys());
                let places: BTreeSet<&String> = self.left.values().flatten().collect();
                for place in places {
                    *sample.places.entry(place.clone()).or_default() += 1;
                }
            }
        }
    }
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

/// Plays the first `seeds` plans of `case` with the suite `program`, and leaves the traces in a folder, if there is one.
///
/// # Errors
/// When a plan cannot be played.
pub fn play(program: &Path, case: &Case, seeds: u64, traces: Option<&Path>) -> anyhow::Result<Sample> {
    let mut command = Command::new(program);
    command.arg("play");
    if let Some(folder) = traces {
        fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        command.arg("--traces").arg(folder);
    }
    let mut child = command
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
        came.add_to(&mut sample, case);
    }
    anyhow::ensure!(
        sample.calls == seeds,
        "{}: {} of {seeds}",
        case.name,
        sample.calls
    );
    Ok(sample)
}
