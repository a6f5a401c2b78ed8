//! Running scenarios and keeping what came of it.
//!
//! - [`execute`]: one scenario with one seed or one plan
//! - [`orders`]: one job that goes through many orders
//! - [`suite`]: many of them on several threads
//! - [`shard`], [`merge`]: a suite dealt to several machines, and put together again
//! - [`result`]: the line of `results.jsonl`
//! - [`summary`]: what a suite comes to, and its exit code
//! - [`tally`]: results are summed up one by one
//! - [`matrix`]: how calls were carried, by what their ends are behind
//! - [`repro`]: a saved failure
//! - [`stats`]: the arithmetic of the remedy table

mod came_to;
mod heard;
mod marks;
pub mod matrix;
pub mod merge;
pub mod orders;
pub mod repro;
pub mod result;
pub mod shard;
pub mod stats;
pub mod suite;
pub mod summary;
pub mod tally;

use std::{collections::BTreeMap, sync::Arc};

use orders::Explored;
use result::{FilledCell, RunOutcome, RunResult};

use crate::{
    app,
    fault::{self, Plan, Timeline},
    oracle::{self, Evidence, Verdict, Violation, calls},
    scenario::{Cell, Scenario},
    seed::Seed,
    time::SimTime,
    trace::{Event, EventKind, Trace, Watch},
    world::{self, Ending, Sim, WorldError, WorldSpec},
};

/// One run, with everything that it recorded.
#[derive(Clone, Debug)]
pub struct RunRecord {
    /// The name of the scenario.
    pub scenario: String,
    /// What decided it.
    pub seed: Seed,
    /// What was meant to happen.
    pub plan: Arc<Plan>,
    /// What happened.
    pub trace: Trace,
    /// The simulated time at the end.
    pub ended_at: SimTime,
    /// Packets sent.
    pub packets: u64,
    /// The oracle that a known defect of the stack breaks with this plan.
    pub known: Option<&'static str>,
    /// The cell of the scenario's matrix that the plan fills.
    pub cell: Option<Cell>,
    /// What each oracle found, by id.
    pub verdicts: Vec<(&'static str, Verdict)>,
    /// The sum over all orders of its exploration; none of a run that explores nothing.
    pub explored: Option<Explored>,
}

/// Runs `scenario` with the plan that `seed` draws, or goes through the orders that `seed` names.
///
/// # Errors
/// [`WorldError`]
pub fn execute(scenario: &Arc<Scenario>, seed: Seed) -> Result<RunRecord, WorldError> {
    execute_seed_watched(scenario, seed, Arc::default())
}

/// As [`execute`], while `watch` is told how far the run is. Of a run that goes through orders it is told no more
/// than that another is over.
///
/// # Errors
/// [`WorldError`]
pub fn execute_seed_watched(
    scenario: &Arc<Scenario>,
    seed: Seed,
    watch: Arc<Watch>,
) -> Result<RunRecord, WorldError> {
    match &scenario.explores {
        Some(explores) => orders::explore(scenario, seed, explores.parts, &watch),
        None => execute_watched(scenario, seed, Arc::new(scenario.try_draw(seed)?), watch),
    }
}

/// The plan that shows what `seed` does: of several orders, that of the one whose record [`execute`] keeps.
///
/// # Errors
/// [`WorldError`]
pub fn plan_of(scenario: &Arc<Scenario>, seed: Seed) -> Result<Arc<Plan>, WorldError> {
    match scenario.explores {
        Some(_) => Ok(execute(scenario, seed)?.plan),
        None => Ok(Arc::new(scenario.try_draw(seed)?)),
    }
}

/// Runs `scenario` with `plan`, drawing what the plan leaves open from `seed`.
///
/// # Errors
/// [`WorldError`]
pub fn execute_plan(scenario: &Arc<Scenario>, seed: Seed, plan: Arc<Plan>) -> Result<RunRecord, WorldError> {
    execute_watched(scenario, seed, plan, Arc::default())
}

/// As [`execute_plan`], while `watch` is told how far the run is.
///
/// # Errors
/// [`WorldError`]
pub fn execute_watched(
    scenario: &Arc<Scenario>,
    seed: Seed,
    plan: Arc<Plan>,
    watch: Arc<Watch>,
) -> Result<RunRecord, WorldError> {
    let spec = WorldSpec {
        seed,
        topology: plan.topology.clone(),
        bounds: plan.bounds(),
    };
    let (played, script) = (scenario.clone(), plan.clone());
    let timeline = Timeline::of(&plan);
    let ending = world::run_under(spec, timeline, watch, move |sim| {
        app::follow(&sim, &script);
        let story = played.play(sim.clone(), script.clone());
        in_order(story, sim, script)
    })?;
    Ok(RunRecord::judged(scenario, seed, plan, ending))
}

/// Plays `story` in the order of `plan`, if it has one; it ends at once where that turns out to repeat another.
async fn in_order(story: impl Future<Output = ()>, sim: Sim, plan: Arc<Plan>) {
    let Some(order) = &plan.order else {
        return story.await;
    };
    sim.keep(order);
    tokio::select! {
        biased;
        () = story => {}
        () = sim.redundant() => {}
    }
}

impl RunRecord {
    /// The record of a run whose plan and trace were kept, judged by the oracles of `scenario` as it is now. Of a run that died
    /// the trace is what it recorded before.
    pub fn recall(scenario: &Scenario, seed: Seed, plan: Arc<Plan>, trace: Trace) -> Self {
        let sent = |event: &&Event| matches!(event.kind, EventKind::PacketSent { .. });
        let ending = Ending {
            at: trace.events.last().map(|event| event.at).unwrap_or_default(),
            packets: trace.events.iter().filter(sent).count() as u64,
            trace,
        };
        Self::judged(scenario, seed, plan, ending)
    }

    fn judged(scenario: &Scenario, seed: Seed, plan: Arc<Plan>, ending: Ending) -> Self {
        let evidence = Evidence {
            trace: &ending.trace,
            plan: &plan,
        };
        let verdicts: Vec<(&'static str, Verdict)> = scenario
            .oracles
            .iter()
            .map(|o| (o.id, (o.check)(evidence)))
            .collect();
        let broken = first_failure(&verdicts).map(|(id, _)| id);
        Self {
            scenario: scenario.name.clone(),
            seed,
            known: scenario
                .known
                .and_then(|known| known(&plan))
                .filter(|k| k.always || broken == Some(k.oracle))
                .map(|k| k.oracle),
            cell: scenario.cell.map(|cell| cell(&plan)),
            plan,
            trace: ending.trace,
            ended_at: ending.at,
            packets: ending.packets,
            verdicts,
            explored: None,
        }
    }

    /// The first oracle that was broken, and how.
    pub fn failure(&self) -> Option<(&'static str, &Violation)> {
        first_failure(&self.verdicts)
    }

    /// How often each mark was reached, and how often each kind of fault hit something.
    pub fn marks(&self) -> BTreeMap<String, u64> {
        if let Some(explored) = &self.explored {
            return explored.marks.clone();
        }
        let mut marks = BTreeMap::new();
        for event in &self.trace.events {
            if let EventKind::Mark { mark } = &event.kind {
                *marks.entry(mark.clone()).or_default() += 1;
            }
        }
        let heard = heard::marks(&self.trace).into_iter().map(str::to_owned);
        for mark in marks::marks(&self.trace).into_iter().chain(heard) {
            *marks.entry(mark).or_default() += 1;
        }
        for (mark, times) in fault::coverage(&self.plan, &self.trace) {
            *marks.entry(mark.to_owned()).or_default() += times;
        }
        marks
    }

    fn filled_cell(&self, calls: &[calls::Call<'_>]) -> Option<FilledCell> {
        let seen = oracle::reach::carried(&self.trace, calls.first()?);
        Some(FilledCell {
            cell: self.cell.clone()?,
            seen: seen.reach,
            pair: seen.pair,
        })
    }

    /// Its line of `results.jsonl`, but for the command that replays it.
    pub fn result(&self) -> RunResult {
        let failure = self.failure();
        let mut stats = BTreeMap::new();
        // The time to connect of a run with several calls is that of the slowest.
        let calls = calls::calls(&self.trace);
        let times: Option<Vec<_>> = calls.iter().map(|c| c.time_to_connect(&self.trace)).collect();
        if let Some(slowest) = times.and_then(|t| t.into_iter().max()) {
            stats.insert("connect_ms".to_owned(), slowest.as_millis() as u64);
        }
        stats.extend(self.explored.iter().flat_map(Explored::stats));
        RunResult {
            v: result::RESULT_VERSION,
            scenario: self.scenario.clone(),
            seed: self.seed,
            outcome: if failure.is_some() {
                RunOutcome::Fail
            } else {
                RunOutcome::Pass
            },
            oracle: failure.map(|(id, _)| id.to_owned()),
            why: failure.map(|(_, violation)| violation.why.clone()),
            digest: Some(self.explored.as_ref().map_or(self.trace.digest, |e| e.digest)),
            sim_ms: self.ended_at.as_millis(),
            events: self.trace.events.len() as u64,
            packets: self.packets,
            marks: self.marks(),
            stats,
            known: self.known.map(str::to_owned),
            cell: self.filled_cell(&calls),
            replay: String::new(),
        }
    }
}

fn first_failure<'a>(verdicts: &'a [(&'static str, Verdict)]) -> Option<(&'static str, &'a Violation)> {
    verdicts.iter().find_map(|(id, verdict)| match verdict {
        Verdict::Fail(violation) => Some((*id, violation)),
        _ => None,
    })
}
