//! One job slot: a worker, and the confirmation of its results.
//!
//! Nothing is retried until it is green: a run has one confirmation, and if the two differ, that is the result. Only a
//! process that was killed from outside says nothing about its run, which then takes place in another.

use std::path::Path;

use sleet::{
    run::{
        result::{RunOutcome, RunResult},
        suite::{self, Job},
        summary::unexpected,
    },
    trace::{Trace, first_divergence},
};

use super::{
    Suite,
    death::Death,
    folder,
    process::{self, Process, Run},
    protocol::Request,
    worker::TRACE,
};
use crate::{
    crash_report::{self, CrashReport},
    folder::failure_folder,
};

/// The result of a job in a slot.
pub struct Opinion {
    pub result: RunResult,
    /// Notes for the reader beside the result.
    pub notes: Vec<String>,
    /// The error if something could not be saved.
    pub unsaved: Option<String>,
}

/// One of the slots of a suite.
pub struct WorkerSlot<'a> {
    suite: &'a Suite<'a>,
    worker: Option<Process>,
    twin: Option<Process>,
    notes: Vec<String>,
    unsaved: Option<String>,
}

/// `None` if the suite was interrupted.
type Maybe<T> = anyhow::Result<Option<T>>;

impl<'a> WorkerSlot<'a> {
    pub fn new(suite: &'a Suite<'a>) -> Self {
        Self {
            suite,
            worker: None,
            twin: None,
            notes: Vec::new(),
            unsaved: None,
        }
    }

    pub fn suite(&self) -> &'a Suite<'a> {
        self.suite
    }

    /// Runs `job`, with a confirmation if it needs one.
    pub fn run(&mut self, job: &Job) -> Maybe<Opinion> {
        let Some(first) = self.first(job)? else {
            return Ok(None);
        };
        let result = match first {
            Run::Ended(result, _) if !unexpected(&job.scenario, &result) => {
                match self.suite.verify_determinism {
                    true => self.verified(job, *result)?,
                    false => Some(*result),
                }
            }
            Run::Ended(result, _) if result.outcome == RunOutcome::Pass => Some(*result),
            first => self.confirmed(job, &first)?,
        };
        Ok(result.map(|result| self.opinion(result)))
    }

    /// Confirms a failure that has been recorded.
    pub fn confirm(&mut self, job: &Job, first: RunResult) -> Maybe<Opinion> {
        let result = self.confirmed(job, &Run::Ended(Box::new(first), None))?;
        Ok(result.map(|result| self.opinion(result)))
    }

    fn opinion(&mut self, result: RunResult) -> Opinion {
        Opinion {
            result,
            notes: std::mem::take(&mut self.notes),
            unsaved: self.unsaved.take(),
        }
    }

    /// Runs `job` on this slot's worker, or on a new one.
    fn first(&mut self, job: &Job) -> Maybe<Run> {
        let mut worker = self.worker.take();
        let run = self.in_process(job, None, &mut worker)?;
        self.worker = worker;
        Ok(run)
    }

    /// Runs `job` in `process`, or in another one if it is killed from outside. A process that died is removed.
    fn in_process(&mut self, job: &Job, save: Option<&Path>, process: &mut Option<Process>) -> Maybe<Run> {
        let (settings, notes) = (&self.suite.settings, &mut self.notes);
        let asked = (&request(job, save), settings.patience(&job.scenario));
        let run = process::run_in(process, settings, asked, self.suite.interrupted, |id, death| {
            notes.push(format!(
                "somebody outside killed worker {id} while it ran {}@{}: {death}; the run takes place in another",
                job.scenario.name, job.seed
            ));
        })?;
        Ok(run.map(|run| match run {
            Run::Ended(result, unsaved) => {
                self.unsaved = self.unsaved.take().or(unsaved);
                Run::Ended(result, None)
            }
            died => died,
        }))
    }

    /// Runs `job` once more, in a fresh process that saves everything, and compares.
    fn confirmed(&mut self, job: &Job, first: &Run) -> Maybe<RunResult> {
        let save = failure_folder(folder(self.suite).path(), job);
        let mut fresh = None;
        let Some(second) = self.in_process(job, Some(&save), &mut fresh)? else {
            return Ok(None);
        };
        Ok(Some(match (first, second) {
            (Run::Ended(first, _), Run::Ended(second, _)) if first.digest == second.digest => {
                (**first).clone()
            }
            (Run::Ended(first, _), Run::Ended(..)) => {
                let mut worker = self.worker.take();
                let result = self.differ(job, first, worker.as_mut(), &save, None);
                self.worker = worker;
                result
            }
            (Run::Died(first, _), Run::Died(death, stderr)) if *first == death => {
                self.died(job, &death, &stderr, &save)
            }
            (first, second) => {
                let why = format!(
                    "two runs of this seed differ: in one, {}; in the other, {}",
                    end(first),
                    end(&second)
                );
                self.without_record(job, RunOutcome::Nondeterministic, why)
            }
        }))
    }

    /// Runs `job` once more, in another process that has run one seed more than this slot's, so that state kept across
    /// runs shows.
    fn verified(&mut self, job: &Job, first: RunResult) -> Maybe<RunResult> {
        let mut twin = self.twin.take();
        if twin.is_none() && self.in_process(job, None, &mut twin)?.is_none() {
            return Ok(None);
        }
        let Some(second) = self.in_process(job, None, &mut twin)? else {
            return Ok(None);
        };
        let result = match second {
            Run::Ended(second, _) if first.digest == second.digest => first,
            Run::Ended(..) => {
                let save = failure_folder(folder(self.suite).path(), job);
                let mut worker = self.worker.take();
                let result = self.differ(job, &first, worker.as_mut(), &save, twin.as_mut());
                self.worker = worker;
                result
            }
            died => {
                let why = format!(
                    "two runs of this seed differ: one came to its end; in the other, {}",
                    end(&died)
                );
                self.without_record(job, RunOutcome::Nondeterministic, why)
            }
        };
        self.twin = twin;
        Ok(Some(result))
    }

    /// Describes the first difference of two runs that ended, and leaves both traces in `save`.
    fn differ(
        &self,
        job: &Job,
        first: &RunResult,
        worker: Option<&mut Process>,
        save: &Path,
        twin: Option<&mut Process>,
    ) -> RunResult {
        let patience = self.suite.settings.hang_after;
        let left = save.join("trace.first.jsonl");
        let right = save.join(TRACE);
        let mut saved = worker.is_some_and(|w| w.dump(&left, patience));
        if let Some(twin) = twin {
            saved &= twin.dump(&right, patience);
        }
        let traces = saved
            .then(|| Some((crash_report::read_torn(&left)?, crash_report::read_torn(&right)?)))
            .flatten();
        let why = traces.and_then(|(left, right)| Some(suite::describe(&first_divergence(&left, &right)?)));
        RunResult {
            outcome: RunOutcome::Nondeterministic,
            oracle: None,
            why: Some(why.unwrap_or_else(|| "two runs of this seed have different digests".to_owned())),
            scenario: job.scenario.name.clone(),
            ..first.clone()
        }
    }

    fn without_record(&self, job: &Job, outcome: RunOutcome, why: String) -> RunResult {
        RunResult::without_record(&job.scenario.name, job.seed, outcome, why).replayed_by(self.suite.program)
    }

    /// Creates the result of a run that died twice in the same way. The last events come from the trace that the second
    /// one streamed.
    fn died(&mut self, job: &Job, death: &Death, stderr: &str, save: &Path) -> RunResult {
        let trace = crash_report::read_streamed(save).unwrap_or_else(|| Trace::from_events(Vec::new()));
        let result = RunResult {
            sim_ms: trace.events.last().map_or(0, |e| e.at.as_millis()),
            events: trace.events.len() as u64,
            ..self.without_record(job, death.outcome(), death.to_string())
        };
        let crash_report = CrashReport {
            scenario: &job.scenario,
            result: &result,
            trace: &trace,
            stderr,
        };
        if let Err(error) = crash_report.save(save) {
            self.unsaved = Some(format!("{error:#}"));
        }
        result
    }
}

fn request(job: &Job, save: Option<&Path>) -> Request {
    Request::Run {
        scenario: job.scenario.name.clone(),
        seed: job.seed,
        save: save.map(Path::to_owned),
    }
}

/// Describes the end of a run.
fn end(run: &Run) -> String {
    match run {
        Run::Died(death, _) => death.to_string(),
        Run::Ended(result, _) => match &result.oracle {
            Some(oracle) => format!("{oracle} was broken"),
            None => "it came to its end".to_owned(),
        },
    }
}
