//! The sweep itself: which plans are run, in which order, and their outcomes.
//!
//! Results have the order of the plans, whichever thread ran them when.

use std::{
    num::NonZeroUsize,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use thiserror::Error;

use super::{
    pairs::{self, Survived},
    prober::{Probe, ProbeError, Prober},
    seen::{Seen, TrialOutcome},
    subject::{Hit, Subject},
    trial::{Tried, subjects, with},
};
use crate::fault::Plan;

/// The limits of a sweep: plans and threads.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The number of plans run at once. The result does not depend on it.
    pub jobs: NonZeroUsize,
    /// The largest number of pairs of losses to try.
    pub pairs: usize,
}

/// The result of a sweep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Swept {
    /// The plan of the good run: the scenario's, with a chaos phase that lasts until its last packet has gone, as a
    /// fault on a single packet takes effect in the chaos phase only.
    pub plan: Plan,
    /// The good run.
    pub good: Seen,
    /// The trials with single faults, in the order of the good run.
    pub singles: Vec<Tried>,
    /// The trials with pairs of losses.
    pub pairs: Vec<Tried>,
}

/// The error of a sweep that could not take place.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SweepError {
    /// The run without any fault breaks an oracle.
    #[error("the run to sweep breaks {oracle} before anything is done to it: {why}")]
    NotGood {
        /// The oracle.
        oracle: String,
        /// The reason that the oracle gives.
        why: String,
    },
    /// The run without any fault does not end.
    #[error("the run to sweep does not come to its end: {0}")]
    Dies(String),
    /// No plan can be run.
    #[error(transparent)]
    Probe(#[from] ProbeError),
}

impl Swept {
    /// Returns the plan with the faults of `hits`.
    pub fn plan_with(&self, hits: &[Hit]) -> Plan {
        with(&self.plan, hits)
    }
}

/// Sweeps the run of `plan`. `progress` is called with the number of plans run so far, and the total.
///
/// # Errors
/// [`SweepError`]
pub fn sweep(
    prober: &dyn Prober,
    plan: &Plan,
    limits: Limits,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Swept, SweepError> {
    let (plan, good) = good_run(prober, plan)?;
    let single = |subject: Subject| {
        let hit = |treatment| Hit {
            subject: subject.clone(),
            treatment,
        };
        subject.treatments().into_iter().map(hit).collect::<Vec<Hit>>()
    };
    let hits: Vec<Vec<Hit>> = subjects(&good, &plan)
        .into_iter()
        .flat_map(single)
        .map(|hit| vec![hit])
        .collect();
    let singles = try_all(prober, (&plan, &good), hits, limits, progress)?;
    let pairs = pairs_after(prober, (&plan, &good), &singles, limits, progress)?;
    Ok(Swept {
        plan,
        good,
        singles,
        pairs,
    })
}

/// Returns the good run of `plan`, with a chaos phase that is long enough.
fn good_run(prober: &dyn Prober, plan: &Plan) -> Result<(Plan, Seen), SweepError> {
    let mut plan = plan.clone();
    let seen = good(prober, &plan)?;
    let last = seen.packets.iter().map(|p| p.at_ms);
    let last = last
        .chain(seen.messages.iter().map(|m| m.at_ms))
        .max()
        .unwrap_or(0);
    if last < plan.heal_at_ms {
        return Ok((plan, seen));
    }
    plan.horizon_ms += last + 1 - plan.heal_at_ms;
    plan.heal_at_ms = last + 1;
    let seen = good(prober, &plan)?;
    Ok((plan, seen))
}

fn good(prober: &dyn Prober, plan: &Plan) -> Result<Seen, SweepError> {
    match prober.probe(&Arc::new(plan.clone()), true)? {
        Probe::Died(how) => Err(SweepError::Dies(how)),
        Probe::Ended(seen) => match seen.broken {
            Some(broken) => Err(SweepError::NotGood {
                oracle: broken.oracle,
                why: broken.why,
            }),
            None => Ok(*seen),
        },
    }
}

/// Tries pairs of losses: the first of each is one that the call survived.
fn pairs_after(
    prober: &dyn Prober,
    (plan, good): (&Plan, &Seen),
    singles: &[Tried],
    limits: Limits,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Vec<Tried>, SweepError> {
    let mut firsts = pairs::firsts(singles);
    firsts.truncate(limits.pairs);
    let look = |tried: &&Tried| prober.probe(&Arc::new(with(plan, &tried.hits)), true);
    let mut survived = Vec::new();
    for (first, probe) in firsts
        .iter()
        .zip(in_parallel(&firsts, limits.jobs, look, &|_, _| {})?)
    {
        if let Probe::Ended(seen) = probe {
            survived.push((*first, seen));
        }
    }
    let survived: Vec<Survived<'_>> = survived
        .iter()
        .map(|(first, seen)| Survived { first, seen })
        .collect();
    let seconds = pairs::seconds(&survived, good, plan, limits.pairs);
    let hits = seconds.into_iter().map(|pair| pair.to_vec()).collect();
    try_all(prober, (plan, good), hits, limits, progress)
}

/// Runs a plan for each of `hits`.
fn try_all(
    prober: &dyn Prober,
    (plan, good): (&Plan, &Seen),
    hits: Vec<Vec<Hit>>,
    limits: Limits,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Vec<Tried>, SweepError> {
    let run = |hits: &Vec<Hit>| prober.probe(&Arc::new(with(plan, hits)), false);
    let probes = in_parallel(&hits, limits.jobs, run, progress)?;
    let tried = hits.into_iter().zip(probes).map(|(hits, probe)| match probe {
        Probe::Died(how) => Tried {
            hits,
            outcome: TrialOutcome::Died(how),
            digest: None,
        },
        Probe::Ended(seen) => Tried {
            hits,
            outcome: seen.beside(good),
            digest: Some(seen.digest),
        },
    });
    Ok(tried.collect())
}

/// Calls `act` for each of `items` on `jobs` threads; returns the results in the order of the items.
fn in_parallel<T: Sync, R: Send>(
    items: &[T],
    jobs: NonZeroUsize,
    act: impl Fn(&T) -> Result<R, ProbeError> + Sync,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Vec<R>, ProbeError> {
    let next = AtomicUsize::new(0);
    let results: Mutex<Vec<Option<Result<R, ProbeError>>>> = Mutex::new(items.iter().map(|_| None).collect());
    thread::scope(|scope| {
        for _ in 0..jobs.get().min(items.len()) {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(index) else { return };
                    let result = act(item);
                    let failed = result.is_err();
                    results.lock().expect("nobody panics while it is held")[index] = Some(result);
                    if failed {
                        next.store(items.len(), Ordering::Relaxed);
                        return;
                    }
                    progress(index + 1, items.len());
                }
            });
        }
    });
    let results = results.into_inner().expect("nobody panics while it is held");
    // The first error also explains the items that were not started.
    let mut done = Vec::new();
    let mut missing = false;
    for result in results {
        match result {
            Some(result) => done.push(result?),
            None => missing = true,
        }
    }
    match missing {
        false => Ok(done),
        true => Err(ProbeError("another run failed first".to_owned())),
    }
}
