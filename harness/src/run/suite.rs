//! Many runs on several threads of this process.
//!
//! For users of the library, and the measure of every other way to run a suite: the command line runs seeds in worker
//! processes and must come to the same results. A run that takes its process down takes the suite with it here, so
//! scenarios that are there to do that are refused.
//!
//! Every run gets a fresh thread of its own below its worker, so neither the number of workers nor the
//! order of the runs can show in a result.

use std::{
    io,
    ops::ControlFlow,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

use thiserror::Error;

use super::{
    RunRecord, Runner,
    result::{RunOutcome, RunResult},
};
use crate::{
    scenario::Scenario,
    seed::Seed,
    trace::{Divergence, Event, first_divergence},
    world::WorldError,
};

/// One run that is to take place.
#[derive(Clone, Debug)]
pub struct Job {
    /// What.
    pub scenario: Arc<Scenario>,
    /// With which seed.
    pub seed: Seed,
}

/// Where results go while the suite runs. Called from its workers, one call at a time.
pub trait Sink: Send {
    /// A run is about to begin.
    ///
    /// # Errors
    /// When it cannot be written down: the suite stops.
    fn started(&mut self, job: &Job) -> io::Result<()>;

    /// A run has ended; there is a record unless it was an error.
    ///
    /// # Errors
    /// When it cannot be written down: the suite stops.
    fn ended(&mut self, job: &Job, result: &RunResult, record: Option<&RunRecord>) -> io::Result<()>;
}

/// How a suite is run.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// How many workers.
    pub jobs: usize,
    /// Run every seed twice and compare.
    pub verify_determinism: bool,
    /// Becomes true when no further run is to begin.
    pub interrupted: &'a AtomicBool,
}

/// A suite that could not go on. What had ended by then is with the sink.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SuiteError {
    /// A result could not be written down.
    #[error("a result could not be written down: {0}")]
    Sink(#[from] io::Error),
    /// This process cannot run anything.
    #[error(transparent)]
    World(#[from] WorldError),
}

/// Runs `jobs`; returns the results in the order of the jobs, without those that an interrupt kept from
/// beginning.
///
/// # Errors
/// [`SuiteError`]
///
/// # Panics
/// If a worker panics: a defect of Sleet.
pub fn run(jobs: &[Job], options: Options<'_>, sink: &mut dyn Sink) -> Result<Vec<RunResult>, SuiteError> {
    let next = AtomicUsize::new(0);
    let shared = Mutex::new(Shared {
        sink,
        results: vec![None; jobs.len()],
        broken: None,
    });
    thread::scope(|scope| {
        for _ in 0..options.jobs.max(1) {
            scope.spawn(|| while work(jobs, options, &next, &shared).is_continue() {});
        }
    });
    let shared = shared.into_inner().expect("workers do not panic");
    match shared.broken {
        Some(error) => Err(error),
        None => Ok(shared.results.into_iter().flatten().collect()),
    }
}

struct Shared<'a> {
    sink: &'a mut dyn Sink,
    results: Vec<Option<RunResult>>,
    broken: Option<SuiteError>,
}

/// Does the next job; breaks when there is none or the suite has to stop.
fn work(
    jobs: &[Job],
    options: Options<'_>,
    next: &AtomicUsize,
    shared: &Mutex<Shared<'_>>,
) -> ControlFlow<()> {
    let lock = || shared.lock().expect("workers do not panic");
    let stop = |error: SuiteError| {
        lock().broken.get_or_insert(error);
        ControlFlow::Break(())
    };
    if options.interrupted.load(Ordering::Relaxed) || lock().broken.is_some() {
        return ControlFlow::Break(());
    }
    let index = next.fetch_add(1, Ordering::Relaxed);
    let Some(job) = jobs.get(index) else {
        return ControlFlow::Break(());
    };
    let started = lock().sink.started(job);
    if let Err(error) = started {
        return stop(error.into());
    }
    let (result, record) = match run_job(job, options.verify_determinism) {
        Ok((result, record)) => (result, Some(record)),
        Err(error @ (WorldError::Panicked(_) | WorldError::NoPlan(_))) => (failed(job, &error), None),
        Err(error) => return stop(error.into()),
    };
    let mut shared = lock();
    let ended = shared.sink.ended(job, &result, record.as_ref());
    shared.results[index] = Some(result);
    drop(shared);
    match ended {
        Ok(()) => ControlFlow::Continue(()),
        Err(error) => stop(error.into()),
    }
}

/// Runs a job, and once more if it failed or if it is to be verified: no failure is reported that does
/// not repeat.
fn run_job(job: &Job, verify: bool) -> Result<(RunResult, RunRecord), WorldError> {
    if job.scenario.deadly {
        return Err(WorldError::Panicked(
            "it would take this process down: run it in a worker".into(),
        ));
    }
    let record = Runner::new(&job.scenario, job.seed).run()?;
    let mut result = record.result();
    if verify || result.outcome == RunOutcome::Fail {
        let again = Runner::new(&job.scenario, job.seed).run()?;
        if let Some(divergence) = first_divergence(&record.trace, &again.trace) {
            result.outcome = RunOutcome::Nondeterministic;
            result.oracle = None;
            result.why = Some(describe(&divergence));
        }
    }
    Ok((result, record))
}

fn failed(job: &Job, error: &WorldError) -> RunResult {
    RunResult::without_record(&job.scenario.name, job.seed, RunOutcome::Error, error.to_string())
}

/// Names the first event in which two runs of a seed differ.
pub fn describe(divergence: &Divergence) -> String {
    let line = |event: &Option<Event>| match event {
        Some(event) => serde_json::to_string(event).expect("events are plain data"),
        None => "the end of the run".to_owned(),
    };
    format!(
        "two runs of this seed differ first in event {}: {} | {}",
        divergence.index,
        line(&divergence.left),
        line(&divergence.right)
    )
}
