//! The search: delta debugging over elements, then one by one, then shorter and plainer, until nothing changes.
//!
//! A candidate must break the oracle because of an obstacle: if it breaks it in a calm network too (a user who dials
//! before the callee is online), it is another failure, unless the plan to shrink does so itself.

use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroUsize,
    sync::Arc,
    thread,
};

use thiserror::Error;

use super::{
    ddmin::{Kept, ddmin, one_by_one},
    edit::{Element, Inventory},
    executor::{Broken, ExecuteError, Executor},
    simpler::{self, Knob},
};
use crate::{fault::Plan, trace::Digest};

/// The limits of shrinking: time, candidates and threads.
#[derive(Clone, Copy)]
pub struct Limits<'a> {
    /// The number of candidates run at once. The result does not depend on it.
    pub jobs: NonZeroUsize,
    /// The largest number of candidates to try.
    pub tries: u64,
    /// Reports whether there is time left; called before candidates are run.
    pub go_on: &'a dyn Fn() -> bool,
}

/// The progress of shrinking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The number of candidates tried.
    pub tries: u64,
    /// The number of elements of the smallest failing plan so far.
    pub elements: usize,
}

/// The result of shrinking.
#[derive(Clone, Debug, PartialEq)]
pub struct Shrunk {
    /// The smallest plan; it breaks the same oracle first, by the same kind of event.
    pub plan: Plan,
    /// The oracle.
    pub oracle: String,
    /// The number of elements before.
    pub before: usize,
    /// The elements that are left.
    pub elements: Vec<Element>,
    /// The number of candidates tried.
    pub tries: u64,
    /// Whether the search was completed: then no single element can go.
    pub complete: bool,
}

/// The error of shrinking.
#[derive(Debug, Error)]
pub enum ShrinkError {
    /// Every oracle holds.
    #[error("nothing to shrink: every oracle holds")]
    Holds,
    /// No candidate can be run.
    #[error(transparent)]
    Execute(#[from] ExecuteError),
}

/// Finds a small plan that breaks the oracle that `plan` breaks first, decided by the same kind of event.
///
/// # Errors
/// [`ShrinkError`]
pub fn shrink(
    executor: &dyn Executor,
    plan: &Plan,
    limits: Limits<'_>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Shrunk, ShrinkError> {
    let broken = executor.run(&Arc::new(plan.clone()))?;
    let target = broken.ok_or(ShrinkError::Holds)?;
    let mut search = Search {
        judge: Judge {
            executor,
            target: &target,
            limits,
            known: BTreeMap::new(),
            calm_holds: false,
            counted: BTreeSet::new(),
            stopped: false,
            error: None,
        },
        plan: plan.clone(),
        progress,
    };
    search.judge.calm_holds = search.judge.holds_when_calm(plan)?;
    search.remove(ddmin);
    loop {
        let before = search.plan.clone();
        search.remove(one_by_one);
        // A short and late fault need not be enough when it is early; elements that an earlier start would require are
        // not causes.
        search.turn_all(simpler::begins);
        search.remove(one_by_one);
        search.shorten();
        if search.plan == before {
            break;
        }
    }
    let Search {
        judge,
        plan: smallest,
        ..
    } = search;
    if let Some(error) = judge.error {
        return Err(error.into());
    }
    Ok(Shrunk {
        before: Inventory::of(plan).elements().len(),
        elements: Inventory::of(&smallest).elements().to_vec(),
        tries: judge.tries(),
        complete: !judge.stopped,
        plan: smallest,
        oracle: target.oracle.clone(),
    })
}

type Reduce = fn(Kept, &mut dyn FnMut(&[Kept]) -> Option<usize>) -> Kept;

/// The smallest plan so far, and the judge of candidates.
struct Search<'a> {
    judge: Judge<'a>,
    plan: Plan,
    progress: &'a mut dyn FnMut(Progress),
}

impl Search<'_> {
    /// Removes elements with the algorithm `reduce`.
    fn remove(&mut self, reduce: Reduce) {
        let inventory = Inventory::of(&self.plan);
        let all: Kept = (0..inventory.elements().len()).collect();
        let keeping = |kept: &Kept| inventory.without(&all.difference(kept).copied().collect());
        let (judge, progress) = (&mut self.judge, &mut self.progress);
        let mut smallest = all.len();
        let kept = reduce(all.clone(), &mut |candidates| {
            let found = judge.first_failing(candidates.len(), |i| keeping(&candidates[i]));
            smallest = found.map_or(smallest, |i| candidates[i].len());
            progress(Progress {
                tries: judge.tries(),
                elements: smallest,
            });
            found
        });
        self.plan = keeping(&kept).expect("it was run");
    }

    /// Makes distributions constant and numbers small and round.
    fn shorten(&mut self) {
        let mut place = 0;
        while let Some(alternatives) = simpler::constants(&self.plan).get(place) {
            match self
                .judge
                .first_failing(alternatives.len(), |i| Some(alternatives[i].clone()))
            {
                Some(i) => self.plan = alternatives[i].clone(),
                None => place += 1,
            }
        }
        self.turn_all(simpler::knobs);
    }

    /// Makes the numbers that `knobs` returns for a plan smaller, one after the other.
    fn turn_all(&mut self, knobs: fn(&Plan) -> Vec<Knob>) {
        for place in 0.. {
            let knobs = knobs(&self.plan);
            let Some(knob) = knobs.get(place) else { break };
            self.turn(knob);
            (self.progress)(Progress {
                tries: self.judge.tries(),
                elements: Inventory::of(&self.plan).elements().len(),
            });
        }
    }

    /// Bisects between the smallest value, which need not fail, and the current one, which does.
    fn turn(&mut self, knob: &Knob) {
        let (mut low, mut high) = (knob.least, knob.value);
        if self.accept(knob, low) {
            return;
        }
        while let Some(middle) = simpler::round_middle(low, high).filter(|_| high - low > high / 8) {
            if self.accept(knob, middle) {
                high = middle;
            } else {
                low = middle;
            }
        }
    }

    fn accept(&mut self, knob: &Knob, value: u64) -> bool {
        let Some(plan) = knob.at(&self.plan, value) else {
            return false;
        };
        let fails = self.judge.first_failing(1, |_| Some(plan.clone())).is_some();
        if fails {
            self.plan = plan;
        }
        fails
    }
}

/// Judges candidates in their order, several at once.
struct Judge<'a> {
    executor: &'a dyn Executor,
    target: &'a Broken,
    limits: Limits<'a>,
    /// For each plan by its digest, whether it fails alike.
    known: BTreeMap<String, bool>,
    /// Whether the oracle holds in a calm network, and must hold for candidates too.
    calm_holds: bool,
    /// The plans that a search on one thread would have tried too.
    counted: BTreeSet<String>,
    stopped: bool,
    error: Option<ExecuteError>,
}

impl Judge<'_> {
    fn tries(&self) -> u64 {
        self.counted.len() as u64
    }

    /// Returns the first of `count` candidates that fails alike; `None` also if the limits are reached.
    fn first_failing(&mut self, count: usize, candidate: impl Fn(usize) -> Option<Plan>) -> Option<usize> {
        let mut next = 0;
        while next < count {
            let batch: Vec<(usize, String, Arc<Plan>)> = (next..count)
                .filter_map(|i| Some((i, Arc::new(candidate(i)?))))
                .map(|(i, plan)| (i, key(&plan), plan))
                .take(self.limits.jobs.get())
                .collect();
            next = batch.last().map_or(count, |(i, ..)| i + 1);
            if self.is_over() || !self.learn(&batch) {
                return None;
            }
            for (i, key, plan) in batch {
                if self.tries() >= self.limits.tries && !self.counted.contains(&key) {
                    self.stopped = true;
                    return None;
                }
                let fails = self.known[&key];
                self.counted.insert(key);
                match fails && (!self.calm_holds || self.is_fair(&plan)) {
                    true => return Some(i),
                    false if self.error.is_some() => return None,
                    false => {}
                }
            }
        }
        None
    }

    /// Reports whether `plan` breaks the oracle only because of obstacles.
    fn is_fair(&mut self, plan: &Plan) -> bool {
        self.holds_when_calm(plan).unwrap_or_else(|error| {
            self.error = Some(error);
            false
        })
    }

    fn holds_when_calm(&mut self, plan: &Plan) -> Result<bool, ExecuteError> {
        let Some(calm) = Inventory::of(plan).calm() else {
            return Ok(false);
        };
        let key = key(&calm);
        if let Some(breaks) = self.known.get(&key) {
            return Ok(!breaks);
        }
        let breaks = self.executor.run(&Arc::new(calm))?.as_ref() == Some(self.target);
        self.known.insert(key, breaks);
        Ok(!breaks)
    }

    fn is_over(&mut self) -> bool {
        self.stopped |= !(self.limits.go_on)();
        self.stopped || self.error.is_some()
    }

    /// Runs the plans that are not known yet; returns false if one could not be run.
    fn learn(&mut self, batch: &[(usize, String, Arc<Plan>)]) -> bool {
        let (executor, target) = (self.executor, self.target);
        let new: Vec<_> = batch
            .iter()
            .filter(|(_, key, _)| !self.known.contains_key(key))
            .collect();
        let broken = thread::scope(|scope| {
            let runs: Vec<_> = new
                .iter()
                .map(|(.., plan)| scope.spawn(move || executor.run(plan)))
                .collect();
            let ended = runs
                .into_iter()
                .map(|run| run.join().expect("executors do not panic"));
            ended.collect::<Vec<_>>()
        });
        for ((_, key, _), broken) in new.iter().zip(broken) {
            match broken {
                Ok(broken) => self.known.insert(key.clone(), broken.as_ref() == Some(target)),
                Err(error) => {
                    self.error = Some(error);
                    return false;
                }
            };
        }
        true
    }
}

/// Returns the key of a plan: the digest of its JSON.
fn key(plan: &Plan) -> String {
    Digest::of(&serde_json::to_vec(plan).expect("plans are plain data")).to_string()
}
