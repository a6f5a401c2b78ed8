//! Everything that one run recorded, and what the oracles found in it.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    explored::Explored,
    heard,
    judged::Judged,
    marks,
    result::{self, FilledCell, RunOutcome, RunResult},
};
use crate::{
    fault::{self, Plan},
    oracle::{self, Evidence, Verdict, Violation, calls},
    scenario::{Cell, Scenario},
    seed::Seed,
    time::SimTime,
    trace::{Event, EventKind, Trace},
    world::Ending,
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
    /// The oracles that a known defect explains, by id: they broke or could not be judged, and nothing but the defect did it.
    pub excused: Vec<&'static str>,
    /// What each oracle found, by id. In a promise, what cannot be judged has failed.
    pub verdicts: Vec<(&'static str, Verdict)>,
    /// The sum over all orders of its exploration; none of a run that explores nothing.
    pub explored: Option<Explored>,
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

    pub(super) fn judged(scenario: &Scenario, seed: Seed, plan: Arc<Plan>, ending: Ending) -> Self {
        let evidence = Evidence {
            trace: &ending.trace,
            plan: &plan,
        };
        let judged = Judged::of(scenario, evidence);
        Self {
            scenario: scenario.name.clone(),
            seed,
            known: judged.known,
            excused: judged.excused,
            cell: scenario.cell(&plan),
            verdicts: judged.verdicts,
            plan,
            trace: ending.trace,
            ended_at: ending.at,
            packets: ending.packets,
            explored: None,
        }
    }

    /// The oracle that decides the run, and how it was broken: the first that broke, and one that a known defect explains only if
    /// no other did.
    pub fn failure(&self) -> Option<(&'static str, &Violation)> {
        let is_excused = |id| self.excused.contains(&id);
        let first = self.broken().find(|(id, _)| !is_excused(*id));
        first.or_else(|| self.broken().find(|(id, _)| Some(*id) == self.known))
    }

    /// Every oracle that was broken, in the order of the scenario's.
    pub fn broken(&self) -> impl Iterator<Item = (&'static str, &Violation)> {
        self.verdicts.iter().filter_map(|(id, verdict)| match verdict {
            Verdict::Fail(violation) => Some((*id, violation)),
            _ => None,
        })
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

    fn also(&self, decides: Option<&str>) -> Vec<String> {
        let others = self.broken().filter(|(id, _)| Some(*id) != decides);
        others.map(|(id, _)| id.to_owned()).collect()
    }

    /// Its line of `results.jsonl`, but for the command that replays it.
    pub fn result(&self) -> RunResult {
        let failure = self.failure();
        let mut stats = BTreeMap::new();
        // The time to connect of a run with several calls is that of the slowest.
        let calls = calls::calls(&self.trace);
        let times: Option<Vec<_>> = calls.iter().map(|c| c.time_to_connect(&self.trace)).collect();
        if let Some(slowest) = times.and_then(|t| t.into_iter().max()) {
            stats.insert(result::CONNECT_MS.to_owned(), slowest.as_millis() as u64);
        }
        let silences = heard::silences(&self.trace);
        for (name, time) in [
            (result::SILENCE_MS, silences.longest),
            (result::RECOVER_MS, silences.recovery),
        ] {
            stats.extend(time.map(|time| (name.to_owned(), time.as_millis() as u64)));
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
            also: self.also(failure.map(|(id, _)| id)),
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
