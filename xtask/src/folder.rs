//! The folder that a suite leaves behind, and goes on in.
//!
//! `results.jsonl` grows by a line as each run ends, so that whatever happens to this process loses none; at the end it is
//! put in the order of the suite, in one step. A last line that was cut off was never a result.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use sleet::{
    run::{
        repro::{REPRO_VERSION, Repro},
        result::{Outcome, RunResult},
        suite::Job,
        summary::{Summary, unexpected},
    },
    scenario::Kind,
    trace::Trace,
};
use sleet_reports::{summary, words::Names};

use crate::{manifest::Manifest, pool::worker::TRACE, progress::Progress, run::build_id, schedule::Schedule};

/// Expected failures of a scenario that are confirmed and saved: enough to look at, not all of them.
const SAVED_PER_SCENARIO: usize = 3;
/// Events of a run that died which its report shows.
const LAST_EVENTS: usize = 30;

const RESULTS: &str = "results.jsonl";
const STARTED: &str = "started.jsonl";

/// The folder while the suite runs.
pub struct Folder {
    path: PathBuf,
    started: File,
    results: File,
    progress: Progress,
    ended: BTreeMap<u64, (Job, RunResult)>,
}

impl Folder {
    /// Makes `path` ready for a new suite: what an earlier one left there is removed.
    ///
    /// # Errors
    /// If nothing can be written there.
    pub fn create(path: &Path, runs: Option<u64>) -> anyhow::Result<Self> {
        let advice = || no_room(path);
        fs::create_dir_all(path).with_context(advice)?;
        let started = lock(path)?;
        started.set_len(0).with_context(advice)?;
        match fs::remove_dir_all(path.join("fail")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error).with_context(advice),
            _ => {}
        }
        for stale in ["manifest.json", "summary.json", "summary.md"] {
            match fs::remove_file(path.join(stale)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(error).with_context(advice);
                }
                _ => {}
            }
        }
        Ok(Self {
            started,
            results: File::create(path.join(RESULTS)).with_context(advice)?,
            path: path.to_owned(),
            progress: Progress::new(runs),
            ended: BTreeMap::new(),
        })
    }

    /// Goes on in `path`, where a part of `schedule` has run.
    ///
    /// # Errors
    /// If the results there are not of this schedule, or cannot be read or added to.
    pub fn resume(path: &Path, schedule: &Schedule) -> anyhow::Result<Self> {
        let advice = || no_room(path);
        let started = lock(path)?;
        let (whole, results) = read_results(&path.join(RESULTS))?;
        let mut ended = BTreeMap::new();
        for result in results {
            let place = schedule.place(&result.scenario, result.seed);
            let job = place.and_then(|place| Some((place, schedule.job(place)?)));
            let (place, job) = job.with_context(|| {
                format!(
                    "{}@{} in '{}' is not of this suite",
                    result.scenario,
                    result.seed,
                    path.display()
                )
            })?;
            ended.insert(place, (job, result));
        }
        let results = OpenOptions::new()
            .create(true)
            .append(true)
            .open(path.join(RESULTS));
        let results = results.with_context(advice)?;
        results.set_len(whole).with_context(advice)?;
        let left = schedule.len().map(|runs| runs - ended.len() as u64);
        Ok(Self {
            started,
            results,
            path: path.to_owned(),
            progress: Progress::new(left),
            ended,
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How many runs have ended.
    pub fn runs(&self) -> u64 {
        self.ended.len() as u64
    }

    /// The places in the suite of the runs that have ended.
    pub fn places(&self) -> BTreeSet<u64> {
        self.ended.keys().copied().collect()
    }

    /// Whether the run at `place` of the suite has ended.
    fn has(&self, place: u64) -> bool {
        self.ended.contains_key(&place)
    }

    /// What came of a run that has ended.
    ///
    /// # Panics
    /// If it has not.
    pub fn result_of(&self, job: &Job) -> RunResult {
        let same = |result: &&RunResult| (&result.scenario, result.seed) == (&job.scenario.name, job.seed);
        self.results().find(same).expect("it has ended").clone()
    }

    /// The results, in the order of the suite.
    pub fn results(&self) -> impl Iterator<Item = &RunResult> {
        self.ended.values().map(|(_, result)| result)
    }

    /// Writes down that a run is about to begin.
    ///
    /// # Errors
    /// If it cannot: the suite has to stop.
    pub fn started(&mut self, job: &Job) -> anyhow::Result<()> {
        let (scenario, seed) = (&job.scenario.name, job.seed);
        let line = format!("{{\"v\":1,\"scenario\":\"{scenario}\",\"seed\":{seed}}}\n");
        let written = self.started.write_all(line.as_bytes());
        written.map_err(|e| self.cannot_write(e.into()))
    }

    /// Writes down what came of the run at `place`, in place of what was known of it before.
    ///
    /// # Errors
    /// If it cannot: the suite has to stop.
    pub fn ended(
        &mut self,
        place: u64,
        job: &Job,
        result: RunResult,
        notes: &[String],
    ) -> anyhow::Result<()> {
        let news = self.ended.get(&place).is_none_or(|(_, known)| *known != result);
        if news {
            let line = serde_json::to_string(&result)? + "\n";
            let written = self.results.write_all(line.as_bytes());
            written.map_err(|e| self.cannot_write(e.into()))?;
        }
        for note in notes {
            self.progress.say(note);
        }
        let is_unexpected = unexpected(&job.scenario, &result);
        if news && is_unexpected && job.scenario.kind != Kind::Finding {
            self.progress.say(&in_words(&result));
        }
        if !self.has(place) {
            self.progress.ended(&result.scenario, is_unexpected);
        }
        self.ended.insert(place, (job.clone(), result));
        Ok(())
    }

    /// Failures that are to be confirmed and saved and are not yet: what was unexpected, and the first few of each
    /// scenario that were expected.
    pub fn unconfirmed(&self) -> Vec<(u64, Job, RunResult)> {
        let mut expected = BTreeMap::<&str, usize>::new();
        let mut wanted = Vec::new();
        for (place, (job, result)) in &self.ended {
            if !matches!(result.outcome, Outcome::Fail) {
                continue;
            }
            let before = expected.entry(&job.scenario.name).or_default();
            let is_wanted = unexpected(&job.scenario, result) || *before < SAVED_PER_SCENARIO;
            *before += 1;
            let saved = failure_folder(&self.path, job).join("repro.json");
            if is_wanted && !saved.is_file() {
                wanted.push((*place, job.clone(), result.clone()));
            }
        }
        wanted
    }

    /// Puts the results in the order of the suite and writes what they come to.
    ///
    /// # Errors
    /// If that cannot be written; the results are there all the same.
    pub fn finish(&mut self, sum: &Summary) -> anyhow::Result<()> {
        self.progress.finish();
        let mut lines = String::new();
        for result in self.results() {
            lines.push_str(&serde_json::to_string(result)?);
            lines.push('\n');
        }
        write(&self.path, RESULTS, &lines)?;
        write_summary(&self.path, sum)
    }

    /// Writes the manifest.
    ///
    /// # Errors
    /// If it cannot.
    pub fn write_manifest(&self, manifest: &Manifest) -> anyhow::Result<()> {
        let text = serde_json::to_string_pretty(manifest)? + "\n";
        write(&self.path, "manifest.json", &text)
    }

    /// Says what to do where nothing more can be written.
    pub fn cannot_write(&self, error: anyhow::Error) -> anyhow::Error {
        error.context(format!(
            "cannot write results to '{}': make room there, then go on with the same command and --resume; the {} runs \
             that ended are kept",
            self.path.display(),
            self.ended.len()
        ))
    }
}

/// Opens the file of what began, and keeps every other suite out of the folder for as long as it is open.
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

/// Writes what results come to.
///
/// # Errors
/// If it cannot.
pub fn write_summary(folder: &Path, sum: &Summary) -> anyhow::Result<()> {
    let json = serde_json::to_string_pretty(sum)? + "\n";
    write(folder, "summary.json", &json)?;
    let markdown = format!("{}\n", summary::to_markdown(sum).trim_end());
    write(folder, "summary.md", &markdown)
}

/// Writes a file in one step: it is there as a whole, or as it was before.
///
/// # Errors
/// If it cannot.
pub fn write(folder: &Path, name: &str, text: &str) -> anyhow::Result<()> {
    let (path, new) = (folder.join(name), folder.join(format!("{name}.new")));
    let written = fs::write(&new, text).and_then(|()| fs::rename(&new, &path));
    written.with_context(|| no_room(folder))
}

fn no_room(folder: &Path) -> String {
    format!(
        "cannot write results to '{}': make room there, or choose another folder with --out",
        folder.display()
    )
}

/// The results in a file and how many of its bytes they are: all but a last line that was cut off.
///
/// # Errors
/// If it cannot be read, or a whole line is no result.
pub fn read_results(path: &Path) -> anyhow::Result<(u64, Vec<RunResult>)> {
    let text = match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        text => text.with_context(|| format!("cannot read '{}'", path.display()))?,
    };
    let whole = text.iter().rposition(|b| *b == b'\n').map_or(0, |end| end + 1);
    let lines = text[..whole].split_inclusive(|b| *b == b'\n').enumerate();
    let results = lines.map(|(n, line)| {
        let result = serde_json::from_slice(line);
        result.with_context(|| format!("line {} of '{}' is not a result", n + 1, path.display()))
    });
    Ok((whole as u64, results.collect::<anyhow::Result<_>>()?))
}

/// Where a failure is saved.
pub fn failure_folder(folder: &Path, job: &Job) -> PathBuf {
    let name = format!("{}.{}", job.scenario.name.replace('/', "-"), job.seed);
    folder.join("fail").join(name)
}

/// What is known of a run that took its process down.
pub struct Obituary<'a> {
    pub job: &'a Job,
    pub result: &'a RunResult,
    /// What the process streamed before its end.
    pub trace: &'a Trace,
    /// The end of its error output.
    pub stderr: &'a str,
}

impl Obituary<'_> {
    /// Leaves it in `folder`, beside the trace.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn save(&self, folder: &Path) -> anyhow::Result<()> {
        fs::create_dir_all(folder).with_context(|| no_room(folder))?;
        let repro = Repro {
            v: REPRO_VERSION,
            scenario: self.job.scenario.name.clone(),
            seed: self.job.seed,
            known: None,
            oracle: None,
            digest: self.trace.digest,
            build: build_id()?,
            plan: self.job.scenario.draw(self.job.seed),
        };
        write(folder, TRACE, &self.trace.to_json_lines())?;
        write(folder, "stderr.txt", self.stderr)?;
        write(folder, "report.txt", &self.report())?;
        write(folder, "repro.json", &(repro.to_json() + "\n"))
    }

    fn report(&self) -> String {
        let plan = self.job.scenario.draw(self.job.seed);
        let names = Names::of(self.trace, &plan);
        let mut out = format!("{}\n{}\n\n", in_words(self.result), self.job.scenario.summary);
        let events = &self.trace.events;
        let last = &events[events.len().saturating_sub(LAST_EVENTS)..];
        let _ = writeln!(out, "the last {} of {} events:", last.len(), events.len());
        for event in last {
            let host = event.host.as_deref().unwrap_or("the network");
            let _ = writeln!(out, "{:>12} {host}: {}", event.at.to_string(), names.line(event));
        }
        let _ = writeln!(out, "\nthe end of its error output:\n{}", self.stderr.trim_end());
        out
    }
}

/// A run that came out as it should not.
fn in_words(result: &RunResult) -> String {
    let outcome = match result.outcome {
        Outcome::Pass => "PASS",
        Outcome::Fail => "FAIL",
        Outcome::Nondeterministic => "NONDETERMINISTIC",
        Outcome::Crash => "CRASH",
        Outcome::Hang => "HANG",
        Outcome::Error => "ERROR",
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
