//! The folder that a suite leaves behind.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use anyhow::Context;
use serde::Serialize;
use sleet::{
    run::{
        RunRecord,
        repro::Repro,
        result::{Outcome, RunResult},
        suite::{Job, Sink},
        summary::{Summary, unexpected},
    },
    scenario::Kind,
};
use sleet_reports::{failure, summary};

use crate::progress::Progress;

/// Failures of a demonstration that are saved: enough to look at, not all of them.
const SAVED_PER_DEMONSTRATION: u64 = 3;

/// What ran, for `manifest.json`.
#[derive(Debug, Serialize)]
pub struct Manifest {
    pub v: u32,
    pub profile: String,
    pub scenarios: BTreeMap<String, String>,
    pub jobs: usize,
    pub verify_determinism: bool,
    pub build: String,
    pub versions: BTreeMap<String, String>,
    pub started_unix_s: u64,
    pub took_ms: Option<u64>,
    pub interrupted: bool,
}

/// The folder while the suite runs.
pub struct Folder {
    path: PathBuf,
    build: String,
    started: File,
    results: File,
    progress: Progress,
    saved: BTreeMap<String, u64>,
}

impl Folder {
    /// Makes `path` ready for a new suite: what an earlier one left there is removed.
    pub fn create(path: &Path, build: &str, runs: u64) -> anyhow::Result<Self> {
        let advice = || {
            format!(
                "cannot write results to '{}': choose another folder with --out",
                path.display()
            )
        };
        fs::create_dir_all(path).with_context(advice)?;
        match fs::remove_dir_all(path.join("fail")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error).with_context(advice),
            _ => {}
        }
        Ok(Self {
            started: File::create(path.join("started.jsonl")).with_context(advice)?,
            results: File::create(path.join("results.jsonl")).with_context(advice)?,
            path: path.to_owned(),
            build: build.to_owned(),
            progress: Progress::new(runs),
            saved: BTreeMap::new(),
        })
    }

    /// Writes the manifest.
    pub fn write_manifest(&self, manifest: &Manifest) -> anyhow::Result<()> {
        self.write("manifest.json", &serde_json::to_string_pretty(manifest)?)
    }

    /// Writes what the suite comes to.
    pub fn write_summary(&self, sum: &Summary) -> anyhow::Result<()> {
        self.progress.finish();
        self.write("summary.json", &serde_json::to_string_pretty(sum)?)?;
        self.write("summary.md", &summary::to_markdown(sum))
    }

    fn write(&self, name: &str, text: &str) -> anyhow::Result<()> {
        let path = self.path.join(name);
        fs::write(&path, format!("{}\n", text.trim_end()))
            .with_context(|| format!("cannot write '{}'", path.display()))
    }

    fn save_failure(&self, job: &Job, record: &RunRecord) -> io::Result<()> {
        let name = format!("{}.{}", record.scenario.replace('/', "-"), record.seed);
        let folder = self.path.join("fail").join(name);
        fs::create_dir_all(&folder)?;
        fs::write(
            folder.join("repro.json"),
            Repro::of(record, &self.build).to_json() + "\n",
        )?;
        fs::write(folder.join("trace.jsonl"), record.trace.to_json_lines())?;
        fs::write(folder.join("report.txt"), failure::report(&job.scenario, record))
    }

    /// Whether the record of a failed run is to be kept.
    fn wants(&mut self, job: &Job, is_unexpected: bool) -> bool {
        let saved = self.saved.entry(job.scenario.name.clone()).or_default();
        *saved += 1;
        is_unexpected || *saved <= SAVED_PER_DEMONSTRATION
    }
}

impl Sink for Folder {
    fn started(&mut self, job: &Job) -> io::Result<()> {
        let (scenario, seed) = (&job.scenario.name, job.seed);
        writeln!(self.started, r#"{{"v":1,"scenario":"{scenario}","seed":{seed}}}"#)
    }

    fn ended(&mut self, job: &Job, result: &RunResult, record: Option<&RunRecord>) -> io::Result<()> {
        writeln!(self.results, "{}", serde_json::to_string(result)?)?;
        let is_unexpected = unexpected(&job.scenario, result);
        if result.outcome != Outcome::Pass
            && let Some(record) = record
            && self.wants(job, is_unexpected)
        {
            self.save_failure(job, record)?;
        }
        if is_unexpected && job.scenario.kind != Kind::Finding {
            let oracle = result.oracle.as_deref().unwrap_or("no oracle");
            let why = result.why.as_deref().unwrap_or_default();
            self.progress.say(&format!(
                "{:?} {}@{} {oracle}: {why}\n  replay: {}",
                result.outcome, result.scenario, result.seed, result.replay
            ));
        }
        self.progress.ended(&result.scenario, is_unexpected);
        Ok(())
    }
}
