//! The folder of a suite's results, in which a suite can be resumed.
//!
//! Whatever happens to this process, no result is lost: each is written as its run ends ([`Log`]). Only the few results
//! that still have to be confirmed are kept in memory.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use sleet::{
    run::{
        result::{RunOutcome, RunResult},
        suite::Job,
        summary::{Summary, unexpected},
        tally::Tally,
    },
    scenario::Kind,
};
use sleet_reports::{gather::Gathered, summary};

use crate::{
    log::Log, manifest::Manifest, places::Places, pool::worker::REPRO, progress::Progress, schedule::Schedule,
};

/// The number of expected failures of a scenario that are confirmed and saved: a sample, not all of them.
const SAVED_PER_SCENARIO: usize = 3;

const RESULTS: &str = "results.jsonl";
const STARTED: &str = "started.jsonl";
/// The files made at the end of a suite, which are stale when a new one starts.
const STALE: [&str; 8] = [
    "manifest.json",
    "summary.json",
    "summary.md",
    "junit.xml",
    "step-summary.md",
    "code-quality.json",
    "report.html",
    "reality.json",
];

/// The folder while the suite runs.
pub struct Folder {
    path: PathBuf,
    started: File,
    log: Log,
    progress: Progress,
    failures: Failures,
}

impl Folder {
    /// Prepares `path` for a new suite: files of an earlier one are removed.
    ///
    /// # Errors
    /// Fails if nothing can be written there.
    pub fn create(path: &Path, progress: Progress) -> anyhow::Result<Self> {
        let advice = || no_room(path);
        fs::create_dir_all(path).with_context(advice)?;
        let started = lock(path)?;
        started.set_len(0).with_context(advice)?;
        match fs::remove_dir_all(path.join("fail")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error).with_context(advice),
            _ => {}
        }
        for stale in STALE {
            match fs::remove_file(path.join(stale)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(error).with_context(advice);
                }
                _ => {}
            }
        }
        Ok(Self {
            started,
            log: Log::create(&path.join(RESULTS)).with_context(advice)?,
            path: path.to_owned(),
            progress,
            failures: Failures::default(),
        })
    }

    /// Resumes in `path`, where a part of `schedule` has run.
    ///
    /// # Errors
    /// Fails if the results there are not of this schedule, or cannot be read or added to.
    pub fn resume(path: &Path, schedule: &Schedule) -> anyhow::Result<Self> {
        let started = lock(path)?;
        let mut failures = Failures::default();
        let log = Log::resume(&path.join(RESULTS), schedule, |number, result| {
            let job = schedule.job(number).expect("it is of this schedule");
            failures.add(number, &job, result, path);
            Ok(())
        });
        let log = log?;
        let left = schedule.len().map(|runs| runs - log.ended().len());
        Ok(Self {
            started,
            log,
            path: path.to_owned(),
            progress: Progress::new(left),
            failures,
        })
    }

    /// Returns the path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the numbers of the runs that have ended.
    pub fn ended(&self) -> &Places {
        self.log.ended()
    }

    /// Records that a run is about to begin.
    ///
    /// # Errors
    /// Fails if it cannot be written: the suite has to stop.
    pub fn begin(&mut self, job: &Job) -> anyhow::Result<()> {
        let (scenario, seed) = (&job.scenario.name, job.seed);
        let line = format!("{{\"v\":1,\"scenario\":\"{scenario}\",\"seed\":{seed}}}\n");
        let written = self.started.write_all(line.as_bytes());
        written.map_err(|e| self.cannot_write(e.into()))
    }

    /// Records the result of the run with `number`, and replaces an earlier one.
    ///
    /// # Errors
    /// Fails if it cannot be written: the suite has to stop.
    pub fn end(&mut self, number: u64, job: &Job, result: RunResult, notes: &[String]) -> anyhow::Result<()> {
        let is_known = self.log.ended().contains(number);
        let news = self.failures.result_of(number, job) != Some(&result);
        if news {
            let written = self.log.add(number, &result);
            written.map_err(|e| self.cannot_write(e))?;
        }
        for note in notes {
            self.progress.say(note);
        }
        let is_unexpected = unexpected(&job.scenario, &result);
        if news && is_unexpected && job.scenario.kind != Kind::Finding {
            self.progress.say(&describe(&result));
        }
        if !is_known {
            self.progress.ended(&result.scenario, is_unexpected);
        }
        self.failures.add(number, job, result, &self.path);
        Ok(())
    }

    /// Returns the failures that still have to be confirmed and saved: unexpected ones, and the first few expected ones
    /// of each scenario.
    pub fn unconfirmed(&self) -> Vec<(u64, Job, RunResult)> {
        self.failures.unsaved(&self.path)
    }

    /// Puts the results in the order of `schedule` and writes the summary; `is_whole` if they are all of a suite.
    ///
    /// # Errors
    /// Fails if that cannot be written; the results remain.
    pub fn finish(
        &mut self,
        schedule: &Schedule,
        mut tally: Tally<'_>,
        gathered: &mut Gathered<'_>,
        is_whole: bool,
    ) -> anyhow::Result<Summary> {
        self.progress.finish();
        let finished = self.log.finish(schedule, |result| {
            tally.add(result);
            gathered.add(result);
        });
        finished.with_context(|| no_room(&self.path))?;
        let sum = if is_whole { tally.whole() } else { tally.part() };
        write_summary(&self.path, &sum)?;
        Ok(sum)
    }

    /// Writes the manifest.
    ///
    /// # Errors
    /// Fails if it cannot be written.
    pub fn write_manifest(&self, manifest: &Manifest) -> anyhow::Result<()> {
        let text = serde_json::to_string_pretty(manifest)? + "\n";
        write(&self.path, "manifest.json", &text)
    }

    /// Adds advice to an error about results that cannot be written.
    pub fn cannot_write(&self, error: anyhow::Error) -> anyhow::Error {
        error.context(format!(
            "cannot write results to '{}': make room there, then go on with the same command and --resume; the {} runs \
             that ended are kept",
            self.path.display(),
            self.log.ended().len()
        ))
    }
}

/// The failures that may still have to be confirmed and saved.
#[derive(Default)]
struct Failures {
    /// The first few of each scenario.
    first: BTreeMap<String, BTreeMap<u64, (Job, RunResult)>>,
    /// Unexpected failures that are not saved yet. A failure that is confirmed at once is saved.
    unsaved: BTreeMap<u64, (Job, RunResult)>,
}

impl Failures {
    fn add(&mut self, number: u64, job: &Job, result: RunResult, folder: &Path) {
        let first = self.first.entry(job.scenario.name.clone()).or_default();
        if result.outcome != RunOutcome::Fail {
            first.remove(&number);
            self.unsaved.remove(&number);
            return;
        }
        if unexpected(&job.scenario, &result) && !is_saved(folder, job) {
            self.unsaved.insert(number, (job.clone(), result.clone()));
        }
        first.insert(number, (job.clone(), result));
        if first.len() > SAVED_PER_SCENARIO {
            first.pop_last();
        }
    }

    fn result_of(&self, number: u64, job: &Job) -> Option<&RunResult> {
        let first = self.first.get(&job.scenario.name)?.get(&number);
        let (_, result) = first.or_else(|| self.unsaved.get(&number))?;
        Some(result)
    }

    fn unsaved(&self, folder: &Path) -> Vec<(u64, Job, RunResult)> {
        let first = self.first.values().flatten().map(|(number, run)| (*number, run));
        let unsaved = self.unsaved.iter().map(|(number, run)| (*number, run));
        let all: BTreeMap<u64, &(Job, RunResult)> = first.chain(unsaved).collect();
        all.into_iter()
            .filter(|(_, (job, _))| !is_saved(folder, job))
            .map(|(number, (job, result))| (number, job.clone(), result.clone()))
            .collect()
    }
}

fn is_saved(folder: &Path, job: &Job) -> bool {
    failure_folder(folder, job).join(REPRO).is_file()
}

/// Opens the file of started runs, and locks the folder against other suites for as long as it is open.
fn lock(path: &Path) -> anyhow::Result<File> {
    let started = OpenOptions::new()
        .create(true)
        .append(true)
        .open(path.join(STARTED));
    let started = started.with_context(|| no_room(path))?;
    match started.try_lock() {
        Ok(()) => Ok(started),
        Err(TryLockError::WouldBlock) => bail!(
            "another suite is running in '{}': wait for it, or choose another folder with --out",
            path.display()
        ),
        Err(TryLockError::Error(error)) => Err(error).with_context(|| no_room(path)),
    }
}

/// Writes the summary of results.
///
/// # Errors
/// Fails if it cannot be written.
pub fn write_summary(folder: &Path, sum: &Summary) -> anyhow::Result<()> {
    let json = serde_json::to_string_pretty(sum)? + "\n";
    write(folder, "summary.json", &json)?;
    let markdown = format!("{}\n", summary::to_markdown(sum).trim_end());
    write(folder, "summary.md", &markdown)
}

/// Writes a file atomically: afterwards it is complete, or as it was before.
///
/// # Errors
/// Fails if it cannot be written.
pub fn write(folder: &Path, name: &str, text: &str) -> anyhow::Result<()> {
    let (path, new) = (folder.join(name), folder.join(format!("{name}.new")));
    let written = fs::write(&new, text).and_then(|()| fs::rename(&new, &path));
    written.with_context(|| no_room(folder))
}

/// Returns the advice for results that cannot be written.
pub fn no_room(folder: &Path) -> String {
    format!(
        "cannot write results to '{}': make room there, or choose another folder with --out",
        folder.display()
    )
}

/// Returns the folder of a saved failure.
pub fn failure_folder(folder: &Path, job: &Job) -> PathBuf {
    let name = format!("{}.{}", job.scenario.name.replace('/', "-"), job.seed);
    folder.join("fail").join(name)
}

/// Describes an unexpected result.
pub fn describe(result: &RunResult) -> String {
    let outcome = match result.outcome {
        RunOutcome::Pass => "PASS",
        RunOutcome::Fail => "FAIL",
        RunOutcome::Nondeterministic => "NONDETERMINISTIC",
        RunOutcome::Crash => "CRASH",
        RunOutcome::Hang => "HANG",
        RunOutcome::Error => "ERROR",
    };
    let oracle = result
        .oracle
        .as_deref()
        .map_or_else(String::new, |o| format!(" {o}"));
    let why = result.why.as_deref().unwrap_or("no reason was recorded");
    format!(
        "{outcome} {}@{}{oracle}: {why}\n  replay: {}",
        result.scenario, result.seed, result.replay
    )
}
