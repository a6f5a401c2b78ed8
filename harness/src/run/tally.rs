//! Results summed up one by one, in whatever order they come.
//!
//! What it holds grows with the catalogue and not with the number of runs, so that a suite of a million seeds needs no more
//! memory than one of a hundred. It never reads or writes a file.

use std::collections::BTreeMap;

use super::{
    explored,
    matrix::{Matrix, MatrixTally},
    orders::part_of,
    result::{RunOutcome, RunResult},
    stats::{Histogram, Share},
    summary::{
        FailureRef, Judgement, MistakeRow, Orders, RemedyRow, SUMMARY_VERSION, ScenarioSummary, Summary,
        unexpected,
    },
};
use crate::{
    oracle::calls::CONN_01_CONNECTS,
    scenario::{Exploration, Row, Scenario},
    seed::Seed,
    trace::Digest,
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
    /// Milliseconds to connect, of the calls that did.
    connect_ms: Histogram,
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
            connect_ms: Histogram::default(),
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
        if let Some(ms) = run.stats.get("connect_ms")
            && run.oracle.as_deref() != Some(CONN_01_CONNECTS.id)
        {
            self.connect_ms.add(*ms);
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
        let needs_many = scenario.trips().is_some() || !scenario.marks_required.is_empty();
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
            _ => Judgement::Held,
        }
    }

    fn remedy(&self) -> Option<RemedyRow> {
        let share = Share::wilson(self.connect_ms.total(), self.seeds);
        Some(RemedyRow {
            policy: self.scenario.rows.iter().find_map(Row::remedy)?.to_owned(),
            scenario: self.scenario.name.clone(),
            connected: share.hits,
            seeds: share.of,
            rate_low: share.low,
            rate_high: share.high,
            median_ms: self.connect_ms.percentile(50),
            p95_ms: self.connect_ms.percentile(95),
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

/// The orders that the runs of one scenario went through.
#[derive(Clone, Debug)]
struct OrdersTally<'a> {
    explores: &'a Exploration,
    sum: Orders,
    /// How often each part was gone through.
    parts: Vec<u64>,
}

impl<'a> OrdersTally<'a> {
    fn new(explores: &'a Exploration) -> Self {
        Self {
            explores,
            sum: Orders {
                bound: explores.bound.clone(),
                orders: 0,
                failed: 0,
                repeats: 0,
                steps: 0,
                times: 0,
            },
            parts: vec![0; explores.parts as usize],
        }
    }

    fn add(&mut self, run: &RunResult) {
        let stat = |name| run.stats.get(name).copied().unwrap_or_default();
        self.sum.orders += stat(explored::ORDERS);
        self.sum.failed += stat(explored::FAILED);
        self.sum.repeats += stat(explored::REPEATS);
        self.sum.steps = self.sum.steps.max(stat(explored::STEPS));
        self.parts[part_of(run.seed, self.explores.parts).index as usize] += 1;
    }

    fn orders(&self) -> Orders {
        Orders {
            times: self.parts.iter().copied().min().unwrap_or_default(),
            ..self.sum.clone()
        }
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

/// A hash over a set of lines that does not depend on their order: the sum of their hashes, lane by lane.
#[derive(Clone, Copy, Debug, Default)]
struct SumOfHashes([u64; 4]);

impl SumOfHashes {
    fn add(&mut self, line: &str) {
        let hash = blake3::hash(line.as_bytes());
        for (lane, bytes) in self.0.iter_mut().zip(hash.as_bytes().chunks_exact(8)) {
            let bytes = bytes.try_into().expect("chunks of eight bytes");
            *lane = lane.wrapping_add(u64::from_le_bytes(bytes));
        }
    }

    fn digest(self) -> Digest {
        Digest::of(&self.0.map(u64::to_le_bytes).concat())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        fault::Plan,
        reach::Reach,
        run::result::FilledCell,
        scenario::{Cell, Expectation, Kind},
    };

    fn scenario(kind: Kind, name: &str) -> Scenario {
        let draw = |_| -> Plan { unreachable!("nothing is drawn") };
        Scenario::new(kind, name, draw, |_, _| async {})
    }

    fn catalogue() -> Vec<Scenario> {
        vec![
            scenario(Kind::Promise, "a/remedy").fills(Row::Remedy("remedy".into())),
            scenario(Kind::Demonstration, "a/mistake")
                .expects(Expectation::broken(&CONN_01_CONNECTS, 5))
                .fills(Row::Mistake("mistake".into())),
            scenario(Kind::Promise, "a/matrix"),
        ]
    }

    /// Runs of every sort, told apart by their seeds alone.
    fn runs() -> Vec<RunResult> {
        let mut runs = Vec::new();
        for seed in (0..40).map(Seed) {
            for scenario in catalogue() {
                let mut run =
                    RunResult::without_record(&scenario.name, seed, RunOutcome::Pass, String::new());
                run.marks.insert("seen".into(), seed.0 % 3);
                run.stats.insert("connect_ms".into(), 1_000 - seed.0 * 7 % 11);
                if seed.0 % 4 == 3 {
                    (run.outcome, run.oracle) = (RunOutcome::Fail, Some(CONN_01_CONNECTS.id.to_owned()));
                }
                let cell = Cell {
                    row: format!("row {}", 3 - seed.0 % 3),
                    column: format!("column {}", seed.0 % 2),
                    expected: Reach::Direct,
                };
                run.cell = (scenario.name == "a/matrix").then(|| FilledCell {
                    cell,
                    seen: if seed.0 == 17 {
                        Reach::Impossible
                    } else {
                        Reach::Direct
                    },
                    pair: format!("pair of {seed}"),
                });
                runs.push(run);
            }
        }
        runs
    }

    fn sum(runs: &[RunResult]) -> Summary {
        let catalogue = catalogue();
        Summary::of(&catalogue, runs)
    }

    #[test]
    fn what_runs_come_to() {
        let summary = sum(&runs());
        let names: Vec<u64> = summary.failures.iter().map(|f| f.seed.0).collect();
        assert_eq!(
            names[..10],
            [3, 7, 11, 15, 19, 23, 27, 31, 35, 39],
            "of the remedy first"
        );
        assert_eq!(summary.failures.len(), 20, "the mistake's are expected");
        assert_eq!(
            (
                summary.remedies[0].connected,
                summary.remedies[0].seeds,
                summary.remedies[0].median_ms
            ),
            (30, 40, Some(995))
        );
        let mistake = &summary.mistakes[0];
        assert_eq!(
            (mistake.first, mistake.shown, mistake.seeds),
            (Some(Seed(3)), 10, 40)
        );
        let matrix = &summary.matrices[0];
        assert_eq!(
            matrix.rows,
            ["row 3", "row 2", "row 1"],
            "in the order of the seeds"
        );
        let cell = |row: usize, column: usize| matrix.cells[row][column].clone().expect("it is filled");
        assert_eq!(cell(0, 0).pair, "pair of 0");
        assert_eq!(
            (cell(2, 1).pair.as_str(), cell(2, 1).seen),
            ("pair of 17", Reach::Impossible)
        );
        assert_eq!(summary.scenarios[1].judgement, Judgement::Held);
        assert!(
            matches!(&summary.scenarios[0].judgement, Judgement::Broken(why) if why.starts_with("seed 3"))
        );
    }

    proptest! {
        #[test]
        fn the_order_of_the_results_does_not_matter(shuffled in Just(runs()).prop_shuffle()) {
            prop_assert_eq!(sum(&shuffled), sum(&runs()));
        }

        #[test]
        fn the_digest_tells_runs_apart(pick in any::<prop::sample::Index>()) {
            let mut other = runs();
            let run = pick.get(&other).clone();
            let place = other.iter().position(|r| *r == run).expect("it is one of them");
            other[place].digest = Some(Digest::of(b"another"));
            prop_assert_ne!(sum(&other).digest, sum(&runs()).digest);
        }
    }
}
