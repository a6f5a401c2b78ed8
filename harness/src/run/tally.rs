//! Results summed up one by one, in whatever order they come.
//!
//! What it holds grows with the catalogue and not with the number of runs, so that a suite of a million seeds needs no more
//! memory than one of a hundred. It never reads or writes a file.

mod digest;
mod orders;

use std::collections::BTreeMap;

use digest::SumOfHashes;
use orders::OrdersTally;

use super::{
    matrix::{Matrix, MatrixTally},
    result::{CONNECT_MS, RECOVER_MS, RunOutcome, RunResult, SILENCE_MS},
    stats::{Histogram, Percentiles, Share},
    summary::{
        FailureRef, Judgement, MistakeRow, RemedyRow, SUMMARY_VERSION, ScenarioSummary, Summary, unexpected,
    },
};
use crate::{
    oracle::calls::CONN_01_CONNECTS,
    scenario::{Ceiling, Row, Scenario},
    seed::Seed,
};

/// How many failures a summary names.
const FAILURES_NAMED: usize = 20;

/// How much of a suite results are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Extent {
    Whole,
    Part,
}

/// A summary under way. Add each run once.
#[derive(Clone, Debug)]
pub struct Tally<'a> {
    scenarios: Vec<ScenarioTally<'a>>,
    places: BTreeMap<&'a str, usize>,
    digests: SumOfHashes,
}

impl<'a> Tally<'a> {
    /// Nothing yet, of the scenarios of `catalogue`.
    pub fn new(catalogue: impl IntoIterator<Item = &'a Scenario>) -> Self {
        let scenarios: Vec<ScenarioTally<'a>> = catalogue.into_iter().map(ScenarioTally::new).collect();
        Self {
            places: scenarios
                .iter()
                .enumerate()
                .map(|(place, s)| (s.scenario.name.as_str(), place))
                .collect(),
            scenarios,
            digests: SumOfHashes::default(),
        }
    }

    /// Adds a run. One of a scenario that is not in the catalogue counts for the digest only.
    pub fn add(&mut self, result: &RunResult) {
        let digest = result.digest.map_or_else(|| "none".to_owned(), |d| d.to_string());
        self.digests
            .add(&format!("{}@{} {digest}\n", result.scenario, result.seed));
        if let Some(place) = self.places.get(result.scenario.as_str()) {
            self.scenarios[*place].add(result);
        }
    }

    /// What it comes to, if these were all runs of a suite.
    pub fn whole(self) -> Summary {
        self.over(Extent::Whole)
    }

    /// What it comes to, if these were a part of a suite: what needs many seeds is not judged.
    pub fn part(self) -> Summary {
        self.over(Extent::Part)
    }

    fn over(self, extent: Extent) -> Summary {
        let ran = || self.scenarios.iter().filter(|s| s.seeds > 0);
        let failures = ran().flat_map(|s| s.failures.values().cloned());
        Summary {
            v: SUMMARY_VERSION,
            scenarios: ran().map(|s| s.summary(extent)).collect(),
            remedies: ran().filter_map(ScenarioTally::remedy).collect(),
            mistakes: ran().filter_map(ScenarioTally::mistake).collect(),
            matrices: ran().filter_map(ScenarioTally::matrix).collect(),
            failures: failures.take(FAILURES_NAMED).collect(),
            digest: self.digests.digest(),
        }
    }
}

/// The runs of one scenario.
#[derive(Clone, Debug)]
struct ScenarioTally<'a> {
    scenario: &'a Scenario,
    seeds: u64,
    outcomes: BTreeMap<RunOutcome, u64>,
    marks: BTreeMap<String, u64>,
    known: u64,
    /// The first runs that broke what was expected.
    failures: BTreeMap<Seed, FailureRef>,
    /// The first seed whose runs differed, and how.
    differed: Option<(Seed, String)>,
    /// The first seed that was broken by the oracle that the scenario names, and how many were.
    shown_by: Option<Seed>,
    shown: u64,
    /// Each statistic of times, over the runs that have it; the time to connect, over the calls that did.
    times: BTreeMap<&'static str, Histogram>,
    orders: Option<OrdersTally<'a>>,
    matrix: MatrixTally,
}

impl<'a> ScenarioTally<'a> {
    fn new(scenario: &'a Scenario) -> Self {
        Self {
            scenario,
            seeds: 0,
            outcomes: BTreeMap::new(),
            marks: BTreeMap::new(),
            known: 0,
            failures: BTreeMap::new(),
            differed: None,
            shown_by: None,
            shown: 0,
            times: BTreeMap::new(),
            orders: scenario.explores.as_ref().map(OrdersTally::new),
            matrix: MatrixTally::default(),
        }
    }

    fn add(&mut self, run: &RunResult) {
        self.seeds += 1;
        *self.outcomes.entry(run.outcome).or_default() += 1;
        for (mark, n) in &run.marks {
            *self.marks.entry(mark.clone()).or_default() += n;
        }
        self.known += u64::from(run.known.is_some());
        if unexpected(self.scenario, run) {
            self.failures.insert(run.seed, FailureRef::of(run));
            if self.failures.len() > FAILURES_NAMED {
                self.failures.pop_last();
            }
        }
        let is_first = self.differed.as_ref().is_none_or(|(seed, _)| run.seed < *seed);
        if run.outcome == RunOutcome::Nondeterministic && is_first {
            self.differed = Some((run.seed, reason(run.why.as_deref())));
        }
        if run.oracle.is_some() && run.oracle.as_deref() == self.scenario.trips() {
            self.shown += 1;
            self.shown_by = Some(self.shown_by.map_or(run.seed, |seed| seed.min(run.seed)));
        }
        for stat in [CONNECT_MS, SILENCE_MS, RECOVER_MS] {
            let counts = stat != CONNECT_MS || run.oracle.as_deref() != Some(CONN_01_CONNECTS.id);
            if let Some(ms) = run.stats.get(stat).filter(|_| counts) {
                self.times.entry(stat).or_default().add(*ms);
            }
        }
        if let Some(orders) = &mut self.orders {
            orders.add(run);
        }
        self.matrix.add(run);
    }

    fn summary(&self, extent: Extent) -> ScenarioSummary {
        ScenarioSummary {
            name: self.scenario.name.clone(),
            kind: self.scenario.kind,
            seeds: self.seeds,
            outcomes: self.outcomes.clone(),
            marks: self.marks.clone(),
            known: self.known,
            judgement: self.judgement(extent),
            stats: self.percentiles(),
            shown_by: self.shown_by,
            orders: self.orders.as_ref().map(OrdersTally::orders),
        }
    }

    fn judgement(&self, extent: Extent) -> Judgement {
        if let Some((seed, why)) = &self.differed {
            return Judgement::Nondeterministic(format!("seed {seed}: {why}"));
        }
        if let Some((seed, run)) = self.failures.first_key_value() {
            let why = match run.outcome {
                RunOutcome::Pass => "the finding did not show: the stack may have changed".to_owned(),
                _ => reason(run.why.as_deref()),
            };
            return Judgement::Broken(format!("seed {seed}: {why}"));
        }
        let scenario = self.scenario;
        let needs_many = scenario.trips().is_some()
            || !scenario.marks_required.is_empty()
            || !scenario.ceilings.is_empty();
        if self.seeds < scenario.min_seeds || needs_many && extent == Extent::Part {
            return Judgement::NotJudged;
        }
        let missing: Vec<&str> = scenario
            .marks_required
            .iter()
            .filter(|m| !self.marks.contains_key(*m))
            .map(String::as_str)
            .collect();
        if !missing.is_empty() {
            return Judgement::Vacuous(format!("never reached: {}", missing.join(", ")));
        }
        match scenario.trips() {
            Some(oracle) if self.shown == 0 => {
                Judgement::Vacuous(format!("{oracle} did not fail on any of {} seeds", self.seeds))
            }
            _ => self.by_ceilings(),
        }
    }

    fn percentiles(&self) -> BTreeMap<String, Percentiles> {
        let each = self.times.iter();
        each.filter_map(|(stat, times)| Some(((*stat).to_owned(), times.percentiles()?)))
            .collect()
    }

    fn by_ceilings(&self) -> Judgement {
        let mut judged = self.scenario.ceilings.iter().map(|ceiling| self.by(ceiling));
        judged.find(|j| *j != Judgement::Held).unwrap_or(Judgement::Held)
    }

    fn by(&self, ceiling: &Ceiling) -> Judgement {
        let Ceiling { stat, percent, ms } = *ceiling;
        let times = self.times.get(stat);
        let runs = times.map_or(0, Histogram::total);
        let Some(times) = times.filter(|_| runs >= Ceiling::MIN_RUNS) else {
            let (of, least) = (self.seeds, Ceiling::MIN_RUNS);
            return Judgement::Vacuous(format!(
                "the ceiling of {stat} was held against {runs} of {of} runs, and it takes {least}"
            ));
        };
        match (times.percentile_at_least(percent), times.percentile(percent)) {
            (Some(low), Some(seen)) if low > ms => Judgement::Slower(format!(
                "{stat}: {percent} % of {runs} runs stay within {seen} ms (95 % confidence: not below {low} ms), and the ceiling is {ms} \
                 ms"
            )),
            _ => Judgement::Held,
        }
    }

    fn connect_ms(&self) -> Option<&Histogram> {
        self.times.get(CONNECT_MS)
    }

    fn remedy(&self) -> Option<RemedyRow> {
        let share = Share::wilson(self.connect_ms().map_or(0, Histogram::total), self.seeds);
        Some(RemedyRow {
            policy: self.scenario.rows.iter().find_map(Row::remedy)?.to_owned(),
            scenario: self.scenario.name.clone(),
            connected: share.hits,
            seeds: share.of,
            rate_low: share.low,
            rate_high: share.high,
            median_ms: self.connect_ms().and_then(|ms| ms.percentile(50)),
            p95_ms: self.connect_ms().and_then(|ms| ms.percentile(95)),
        })
    }

    fn mistake(&self) -> Option<MistakeRow> {
        let share = Share::wilson(self.shown, self.seeds);
        Some(MistakeRow {
            mistake: self.scenario.rows.iter().find_map(Row::mistake)?.to_owned(),
            scenario: self.scenario.name.clone(),
            oracle: self.scenario.trips()?.to_owned(),
            first: self.shown_by,
            shown: share.hits,
            seeds: share.of,
            share_low: share.low,
            share_high: share.high,
        })
    }

    fn matrix(&self) -> Option<Matrix> {
        self.matrix.matrix(&self.scenario.name)
    }
}

impl Summary {
    /// Sums up `results` of the scenarios of `catalogue`.
    pub fn of<'a>(catalogue: impl IntoIterator<Item = &'a Scenario>, results: &[RunResult]) -> Self {
        Self::tally(catalogue, results).whole()
    }

    /// Sums up `results` that are a part of a suite: what needs many seeds is not judged.
    pub fn of_part<'a>(catalogue: impl IntoIterator<Item = &'a Scenario>, results: &[RunResult]) -> Self {
        Self::tally(catalogue, results).part()
    }

    fn tally<'a>(catalogue: impl IntoIterator<Item = &'a Scenario>, results: &[RunResult]) -> Tally<'a> {
        let mut tally = Tally::new(catalogue);
        results.iter().for_each(|result| tally.add(result));
        tally
    }
}

impl FailureRef {
    fn of(result: &RunResult) -> Self {
        Self {
            scenario: result.scenario.clone(),
            seed: result.seed,
            outcome: result.outcome,
            oracle: result.oracle.clone(),
            why: result.why.clone(),
            replay: result.replay.clone(),
        }
    }
}

fn reason(why: Option<&str>) -> String {
    why.unwrap_or("no reason was recorded").to_owned()
}

#[cfg(test)]
mod tests;
