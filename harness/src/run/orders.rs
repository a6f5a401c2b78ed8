//! One job that goes through many orders: the part of a scenario's orders that its seed names.
//!
//! Each order is a run of its own. What is kept of them is one record (of the first order that is not as it should be,
//! else of the first that fails, else of the first) and what all of them come to.

use std::sync::Arc;

use super::{RunRecord, explored::Explored};
use crate::{
    explore::{Decision, EnabledSteps, Entangled, Foresight, Part, Point, Repeats, Walk},
    fault::Plan,
    oracle::{Verdict, Violation},
    scenario::Scenario,
    seed::Seed,
    signaling::Ordering,
    trace::{Digest, EventKind, Trace, Watch},
    world::WorldError,
};

/// The part of the orders of a scenario with `parts` of them that `seed` names. Seeds from `parts` on go through the
/// same orders again, with other draws, and through those that repeat one: they check that these do.
pub fn part_of(seed: Seed, parts: u64) -> Part {
    Part {
        index: seed.0 % parts,
        of: parts,
    }
}

/// Goes through the orders of the plan that `seed` draws: `run` runs each; `watch` is told of each that is over.
pub(super) fn explore(
    scenario: &Arc<Scenario>,
    seed: Seed,
    parts: u64,
    watch: &Watch,
    run: impl Fn(Plan) -> Result<RunRecord, WorldError>,
) -> Result<RunRecord, WorldError> {
    let mut explorer = Explorer::new(scenario, seed, parts)?;
    while let Some(plan) = explorer.next_plan() {
        explorer.take(run(plan)?);
        watch.got_on();
    }
    Ok(explorer.end())
}

/// An exploration under way.
struct Explorer<'a> {
    scenario: &'a Scenario,
    plan: Plan,
    part: Part,
    // Whether runs that repeat another go on, to check that they do.
    checks: bool,
    foresees: bool,
    walk: Walk,
    known: EnabledSteps,
    foresight: Foresight,
    sum: Explored,
    digests: String,
    kept: Option<RunRecord>,
    // A run that counts for nothing.
    elsewhere: Option<RunRecord>,
}

impl<'a> Explorer<'a> {
    fn new(scenario: &'a Scenario, seed: Seed, parts: u64) -> Result<Self, WorldError> {
        let (plan, part) = (scenario.try_draw(seed)?, part_of(seed, parts));
        let checks = seed.0 >= parts;
        Ok(Self {
            scenario,
            part,
            checks,
            // Behind a queue nothing is foreseen.
            foresees: !checks
                && plan
                    .signaling
                    .as_ref()
                    .is_some_and(|s| s.ordering == Ordering::Concurrent),
            plan,
            walk: Walk::new(part),
            known: EnabledSteps::default(),
            foresight: Foresight::default(),
            sum: Explored::default(),
            digests: String::new(),
            kept: None,
            elsewhere: None,
        })
    }

    /// The plan of the next order that has to be run.
    fn next_plan(&mut self) -> Option<Plan> {
        loop {
            let mut plan = self.plan.clone();
            let order = plan
                .order
                .as_mut()
                .expect("a scenario that explores draws an order");
            (order.choices, order.part) = (self.walk.next_run()?, self.part);
            if self.checks {
                order.repeats = Repeats::RunOn;
            }
            match self.foresight.redundant(order).filter(|_| self.foresees) {
                Some(points) => self.walk.passed(&points),
                None => return Some(plan),
            };
        }
    }

    /// A run has ended.
    fn take(&mut self, mut record: RunRecord) {
        self.digests.push_str(&format!("{}\n", record.trace.digest));
        let (turns, points) = (turns(&record.trace), points(&record.trace));
        let is_mine = self.walk.passed(&points);
        let is_new = is_mine && !repeats(&record.trace);
        self.foresight.learn(&turns);
        let entangled = self.known.learn(&turns).err();
        let counts = is_new || (is_mine && self.checks) || entangled.is_some();
        if let Some(entangled) = entangled {
            record.verdicts = vec![(INDEPENDENT, fail(&entangled))];
        }
        match is_new {
            true => add(&mut self.sum, &record, turns.len()),
            false => self.sum.repeats += 1,
        }
        if !counts {
            self.elsewhere = Some(record);
        } else if self.is_worse(&record) {
            record.plan = Arc::new(written_out(&record.plan, &points));
            self.kept = Some(record);
        }
    }

    /// Whether `record` is worth more to be kept than the one that is.
    fn is_worse(&self, record: &RunRecord) -> bool {
        let rank = |record: &RunRecord| match record.failure() {
            None => 0,
            Some((oracle, _)) if self.scenario.trips() == Some(oracle) => 1,
            Some(_) => 2,
        };
        self.kept.as_ref().is_none_or(|kept| rank(record) > rank(kept))
    }

    fn end(mut self) -> RunRecord {
        self.sum.digest = Digest::of(self.digests.as_bytes());
        let mut record = self.kept.unwrap_or_else(|| {
            let mut record = self.elsewhere.expect("a walk has a first run");
            // A part without an order of its own has nothing to be judged.
            record.verdicts.clear();
            record
        });
        record.explored = Some(self.sum);
        record
    }
}

/// What an exploration stands on, as the id of a broken oracle: a step acts on its own host only ([`Entangled`]).
pub const INDEPENDENT: &str = "ORDER-01";

fn fail(entangled: &Entangled) -> Verdict {
    Verdict::Fail(Violation {
        event: None,
        why: entangled.to_string(),
        ..Violation::default()
    })
}

/// Adds an order that counts, which had `steps` free steps.
fn add(sum: &mut Explored, record: &RunRecord, steps: usize) {
    sum.orders += 1;
    sum.failed += u64::from(record.failure().is_some());
    sum.steps = sum.steps.max(steps as u64);
    for (mark, n) in record.marks() {
        *sum.marks.entry(mark).or_default() += n;
    }
}

/// The plan with every choice that was made, so that it says by itself which order it is.
fn written_out(plan: &Plan, points: &[Point]) -> Plan {
    let mut plan = plan.clone();
    if let Some(order) = &mut plan.order {
        order.choices = points.iter().map(|point| point.taken).collect();
        order.part = Part::WHOLE;
    }
    plan
}

/// Whether a run repeats another from some point on.
fn repeats(trace: &Trace) -> bool {
    let mut events = trace.events.iter();
    events.any(|e| matches!(&e.kind, EventKind::Decision { awake, .. } if awake.is_empty()))
}

/// The points of a run, with the steps that were enabled at each.
///
/// # Panics
/// If the trace is not one of this program.
pub fn turns(trace: &Trace) -> Vec<Decision> {
    let step = |step: &String| step.parse().expect("the run wrote down a step");
    let turns = trace.events.iter().filter_map(|e| match &e.kind {
        EventKind::Decision { taken, awake, asleep } => Some(Decision {
            taken: taken.as_ref().map(step),
            enabled: awake.iter().chain(asleep).map(step).collect(),
        }),
        _ => None,
    });
    turns.collect()
}

/// The points of a run at which there was something to choose.
pub fn points(trace: &Trace) -> Vec<Point> {
    let points = trace.events.iter().filter_map(|e| match &e.kind {
        EventKind::Decision {
            taken: Some(taken),
            awake,
            ..
        } if awake.len() > 1 => Some(Point {
            awake: awake.len(),
            taken: awake.iter().position(|step| step == taken)?,
        }),
        _ => None,
    });
    points.collect()
}
