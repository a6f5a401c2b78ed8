//! A suite on worker processes.
//!
//! Every job slot has a thread here and a process that does the work, so that no run can take the suite down. An
//! unexpected result is confirmed once in a fresh process before it is reported; of a scenario's expected failures, the
//! first few are confirmed ([`confirm_expected`]). Neither the number of slots nor the deaths of workers can show in a
//! result.
//!
//! - [`protocol`]: the messages between parent and worker
//! - [`worker`]: the worker, from inside
//! - [`process`]: the worker, from its parent
//! - [`death`]: the ways in which a worker can fail to complete a run
//! - [`idle`]: workers that answer whichever thread asks next: those of a sweep, or of a search
//! - [`slot`]: performs one run after the other, with confirmations

mod death;
pub mod idle;
pub mod process;
pub mod protocol;
mod slot;
pub mod worker;

use std::{
    num::NonZeroUsize,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Instant,
};

pub use death::Death;
pub use process::{Process, Run, Settings, run_in};
use sleet::run::suite::Job;

use self::slot::{Opinion, WorkerSlot};
use crate::{folder::Folder, wall};

/// Returns the number of workers where nobody says how many: that of the cores.
pub fn usual_jobs() -> NonZeroUsize {
    thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

/// A suite, as the slots see it.
pub struct Suite<'a> {
    /// The command that users type to call the program.
    pub program: &'a str,
    /// The number of slots.
    pub jobs: usize,
    /// The settings of workers.
    pub settings: Settings,
    /// Whether every run takes place a second time, in another process.
    pub verify_determinism: bool,
    /// Becomes true when the suite is to stop.
    pub interrupted: &'a AtomicBool,
    /// The time after which no further run begins.
    pub deadline: Option<Instant>,
    /// The folder of the results.
    pub folder: &'a Mutex<Folder>,
}

/// The reason why the slots stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Nothing was left to do.
    Finished,
    /// The budget was used up.
    BudgetEnded,
    /// A user interrupted the suite.
    Interrupted,
}

/// Runs `todo`, each job with its number.
///
/// # Errors
/// Fails if no worker can be started, or if a result could not be written.
pub fn run(suite: &Suite<'_>, todo: impl Iterator<Item = (u64, Job)> + Send) -> anyhow::Result<End> {
    let todo = todo.map(|(number, job)| (number, job, ()));
    work(suite, todo, |slot, job, ()| slot.run(job))
}

/// Confirms the expected failures that are not saved yet: the first few of each scenario, in the order of the suite.
///
/// # Errors
/// Fails as [`run`] does.
pub fn confirm_expected(suite: &Suite<'_>) -> anyhow::Result<End> {
    let todo = folder(suite).unconfirmed();
    work(suite, todo.into_iter(), |slot, job, first| {
        slot.confirm(job, first)
    })
}

fn folder<'a>(suite: &Suite<'a>) -> std::sync::MutexGuard<'a, Folder> {
    suite.folder.lock().expect("slots do not panic")
}

/// Lets every slot take one job after the other, each with its number and earlier result.
fn work<Known: Send>(
    suite: &Suite<'_>,
    todo: impl Iterator<Item = (u64, Job, Known)> + Send,
    act: impl Fn(&mut WorkerSlot<'_>, &Job, Known) -> anyhow::Result<Option<Opinion>> + Sync,
) -> anyhow::Result<End> {
    let todo = Mutex::new(todo);
    let end = Mutex::new(Ok(End::Finished));
    let next = || match stopped(suite) {
        None => Ok(todo.lock().expect("slots do not panic").next()),
        Some(early) => Err(early),
    };
    thread::scope(|scope| {
        for _ in 0..suite.jobs {
            scope.spawn(|| {
                let mut slot = WorkerSlot::new(suite);
                loop {
                    let failed = match next() {
                        Ok(None) => return,
                        Ok(Some((number, job, known))) => {
                            serve(&mut slot, number, &job, |slot, job| act(slot, job, known))
                        }
                        Err(early) => Ok(Some(early)),
                    };
                    let mut end = end.lock().expect("slots do not panic");
                    match failed {
                        _ if end.is_err() => return,
                        Ok(None) => {}
                        Ok(Some(early)) => return *end = Ok(early),
                        Err(error) => return *end = Err(error),
                    }
                }
            });
        }
    });
    end.into_inner().expect("slots do not panic")
}

/// Performs one job and records its result. Nothing is recorded of a job that an interrupt cut short.
fn serve(
    slot: &mut WorkerSlot<'_>,
    number: u64,
    job: &Job,
    act: impl FnOnce(&mut WorkerSlot<'_>, &Job) -> anyhow::Result<Option<Opinion>>,
) -> anyhow::Result<Option<End>> {
    folder(slot.suite()).begin(job)?;
    let Some(opinion) = act(slot, job)? else {
        return Ok(Some(End::Interrupted));
    };
    folder(slot.suite()).end(number, job, opinion.result, &opinion.notes)?;
    match opinion.unsaved {
        None => Ok(None),
        Some(why) => Err(folder(slot.suite()).cannot_write(anyhow::anyhow!(why))),
    }
}

/// Returns why no further run is to begin, if so.
fn stopped(suite: &Suite<'_>) -> Option<End> {
    if suite.interrupted.load(Ordering::Relaxed) {
        return Some(End::Interrupted);
    }
    let over = suite.deadline.is_some_and(|deadline| wall::now() >= deadline);
    over.then_some(End::BudgetEnded)
}
