//! Collects the data for reports from the results of a suite, one by one.
//!
//! Its size is bounded, however many seeds failed: the first failures of each scenario, and counts of the rest. It
//! never judges a scenario: that is for the summary.

use std::collections::BTreeMap;

use sleet::{
    run::{
        result::{RunOutcome, RunResult},
        summary::unexpected,
    },
    scenario::Scenario,
    seed::Seed,
};

/// The number of failures of one scenario that are kept as a whole.
const KEPT_PER_SCENARIO: usize = 5_000;
/// The number of failures that are kept as a whole in all.
const KEPT: usize = 20_000;
/// The size of a bin for times to connect, in milliseconds.
pub const BIN_MS: u64 = 10;

/// The data of results for reports. Add each run once, in any order.
#[derive(Clone, Debug)]
pub struct Gathered<'a> {
    scenarios: Vec<&'a Scenario>,
    places: BTreeMap<&'a str, usize>,
    failures: BTreeMap<(usize, Seed), RunResult>,
    kept: BTreeMap<usize, usize>,
    counts: BTreeMap<(usize, String), u64>,
    connect_ms: BTreeMap<usize, BTreeMap<u64, u64>>,
}

/// Failures with the same broken oracle or outcome, over all scenarios.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group<'g> {
    /// The broken oracle, or the outcome of the run: `crash`, `hang`, `error`, `nondeterministic`, `not-shown`.
    pub broke: String,
    /// The requirement of the oracle, if there is one.
    pub meaning: &'static str,
    /// The number of runs.
    pub count: u64,
    /// The scenarios, in the order of the catalogue, each with its number of runs and the first of them.
    pub scenarios: Vec<(&'g str, u64, Vec<&'g RunResult>)>,
}

impl<'a> Gathered<'a> {
    /// Creates an empty collection for the scenarios of a catalogue.
    pub fn new(scenarios: impl IntoIterator<Item = &'a Scenario>) -> Self {
        let scenarios: Vec<&Scenario> = scenarios.into_iter().collect();
        let places = scenarios.iter().enumerate().map(|(i, s)| (s.name.as_str(), i));
        Self {
            places: places.collect(),
            scenarios,
            failures: BTreeMap::new(),
            kept: BTreeMap::new(),
            counts: BTreeMap::new(),
            connect_ms: BTreeMap::new(),
        }
    }

    /// Adds a run. A run of a scenario that is not in the catalogue is ignored.
    pub fn add(&mut self, result: &RunResult) {
        let Some(&place) = self.places.get(result.scenario.as_str()) else {
            return;
        };
        let scenario = self.scenarios[place];
        if scenario.rows.iter().any(|row| row.remedy().is_some())
            && let Some(ms) = result.stats.get("connect_ms")
        {
            let bins = self.connect_ms.entry(place).or_default();
            *bins.entry(ms / BIN_MS).or_default() += 1;
        }
        if !unexpected(scenario, result) {
            return;
        }
        *self.counts.entry((place, broke(result).to_owned())).or_default() += 1;
        let mut kept = result.clone();
        // Neither is shown for a failure, and both are large.
        kept.marks.clear();
        kept.stats.clear();
        if self.failures.insert((place, result.seed), kept).is_none() {
            *self.kept.entry(place).or_default() += 1;
        }
        self.forget_the_last(place);
    }

    /// Removes failures beyond the limits, those with the highest seeds: the rest is the same in whatever order they
    /// came.
    fn forget_the_last(&mut self, place: usize) {
        if self
            .kept
            .get(&place)
            .is_some_and(|kept| *kept > KEPT_PER_SCENARIO)
        {
            let of_scenario = self.failures.range((place, Seed(0))..(place + 1, Seed(0)));
            let last = of_scenario.last().map(|(key, _)| *key);
            if let Some(key) = last {
                self.forget(key);
            }
        }
        if self.failures.len() > KEPT {
            let last = self.failures.last_key_value().map(|(key, _)| *key);
            if let Some(key) = last {
                self.forget(key);
            }
        }
    }

    fn forget(&mut self, key: (usize, Seed)) {
        self.failures.remove(&key);
        *self.kept.entry(key.0).or_default() -= 1;
    }

    /// Returns the scenarios of the catalogue.
    pub fn scenarios(&self) -> &[&'a Scenario] {
        &self.scenarios
    }

    /// Returns the scenario called `name`.
    pub fn scenario(&self, name: &str) -> Option<&'a Scenario> {
        self.places.get(name).map(|place| self.scenarios[*place])
    }

    /// Iterates over the failures that are kept as a whole, in the order of the catalogue and of seeds.
    pub fn failures(&self) -> impl Iterator<Item = &RunResult> {
        self.failures.values()
    }

    /// Returns the number of unexpected runs.
    pub fn count(&self) -> u64 {
        self.counts.values().sum()
    }

    /// Returns the times to connect of a scenario of the remedy table: counts, in bins of [`BIN_MS`].
    pub fn connect_ms(&self, scenario: &str) -> Option<&BTreeMap<u64, u64>> {
        self.connect_ms.get(self.places.get(scenario)?)
    }

    /// Returns the failures grouped by what they broke, the most frequent first.
    pub fn groups(&self) -> Vec<Group<'_>> {
        let mut groups = BTreeMap::<&str, Group<'_>>::new();
        for ((place, broke), count) in &self.counts {
            let scenario = self.scenarios[*place];
            let group = groups.entry(broke).or_insert_with(|| Group {
                broke: broke.clone(),
                meaning: meaning(scenario, broke),
                count: 0,
                scenarios: Vec::new(),
            });
            group.count += count;
            let of_scenario = self.failures.range((*place, Seed(0))..(*place + 1, Seed(0)));
            let runs = of_scenario
                .map(|(_, run)| run)
                .filter(|run| self::broke(run) == broke);
            group.scenarios.push((&scenario.name, *count, runs.collect()));
        }
        let mut groups: Vec<Group<'_>> = groups.into_values().collect();
        groups.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.broke.cmp(&b.broke)));
        groups
    }
}

/// Returns what a run broke, in one word: an oracle's id, or the outcome.
pub fn broke(result: &RunResult) -> &str {
    match result.outcome {
        // A finding, or a known defect, that did not show.
        RunOutcome::Pass => "not-shown",
        RunOutcome::Fail => result.oracle.as_deref().unwrap_or("fail"),
        RunOutcome::Nondeterministic => "nondeterministic",
        RunOutcome::Crash => "crash",
        RunOutcome::Hang => "hang",
        RunOutcome::Error => "error",
    }
}

fn meaning(scenario: &Scenario, broke: &str) -> &'static str {
    let oracle = scenario.oracles.iter().find(|o| o.id == broke);
    oracle.map_or_else(
        || match broke {
            "not-shown" => "A known defect did not show: the stack may have changed.",
            "nondeterministic" => "Two runs of the same seed differed.",
            "crash" => "The process that ran it died, twice in the same way.",
            "hang" => "It made no headway in real time, twice.",
            "error" => "The run could not take place.",
            _ => "",
        },
        |oracle| oracle.meaning,
    )
}

#[cfg(test)]
pub(crate) mod tests {
    use sleet::{oracle::calls::CONN_01_CONNECTS, scenario::Kind, trace::Trace};

    use super::*;

    /// Returns a scenario that is never run.
    pub fn scenario(name: &str, kind: Kind) -> Scenario {
        let draw = |_| unreachable!("nothing runs");
        Scenario::new(kind, name, draw, |_, _| async { unreachable!("nothing runs") })
            .holds(&[&CONN_01_CONNECTS])
    }

    /// Returns a run of such a scenario.
    pub fn result(scenario: &str, seed: u64, outcome: RunOutcome) -> RunResult {
        let why = "alice lost <a> candidate & \"more\" | \u{1b}[31m\nand `so on`".to_owned();
        let mut result = RunResult::without_record(scenario, Seed(seed), outcome, why);
        result.oracle = (outcome == RunOutcome::Fail).then(|| "CONN-01".to_owned());
        result.digest = Some(Trace::from_events(Vec::new()).digest);
        result.replayed_by("cargo xtask")
    }

    /// Returns two promises that break 5,000 times, by two oracles and a hang, and one that holds.
    pub fn very_broken() -> (Vec<Scenario>, Vec<RunResult>) {
        let scenarios = vec![
            scenario("calls/rapid", Kind::Promise),
            scenario("calls/glare", Kind::Promise),
            scenario("chaos/storm", Kind::Promise),
        ];
        let mut results: Vec<RunResult> = (0..3_000)
            .map(|n| result("calls/rapid", n, RunOutcome::Fail))
            .collect();
        results.extend((0..1_990).map(|n| result("chaos/storm", n, RunOutcome::Fail)));
        for (n, run) in results.iter_mut().enumerate().skip(3_000) {
            run.oracle = Some(["CAND-01", "HANG-01"][n % 2].to_owned());
        }
        results.extend((1_990..2_000).map(|n| result("chaos/storm", n, RunOutcome::Hang)));
        results.extend((0..50).map(|n| result("calls/glare", n, RunOutcome::Pass)));
        (scenarios, results)
    }

    /// Collects all of `results`.
    pub fn gathered<'a>(scenarios: &'a [Scenario], results: &[RunResult]) -> Gathered<'a> {
        let mut gathered = Gathered::new(scenarios);
        results.iter().for_each(|result| gathered.add(result));
        gathered
    }

    #[test]
    fn failures_are_grouped_by_what_they_broke() {
        let (scenarios, results) = very_broken();
        let gathered = gathered(&scenarios, &results);
        let groups = gathered.groups();
        let counts: Vec<(&str, u64)> = groups.iter().map(|g| (g.broke.as_str(), g.count)).collect();
        assert_eq!(
            counts,
            [
                ("CONN-01", 3_000),
                ("CAND-01", 995),
                ("HANG-01", 995),
                ("hang", 10)
            ]
        );
        assert_eq!(gathered.count(), 5_000);
        assert!(!groups[0].meaning.is_empty());
        let (name, count, runs) = &groups[0].scenarios[0];
        assert_eq!((*name, *count, runs[0].seed), ("calls/rapid", 3_000, Seed(0)));
    }

    #[test]
    fn what_is_kept_is_bounded_and_does_not_depend_on_the_order() {
        let scenarios = vec![scenario("calls/rapid", Kind::Promise)];
        let all: Vec<RunResult> = (0..6_000)
            .map(|n| result("calls/rapid", n, RunOutcome::Fail))
            .collect();
        let reversed: Vec<RunResult> = all.iter().rev().cloned().collect();
        let (forth, back) = (gathered(&scenarios, &all), gathered(&scenarios, &reversed));
        assert_eq!(forth.failures().count(), KEPT_PER_SCENARIO);
        assert!(forth.failures().eq(back.failures()));
        assert_eq!(forth.count(), 6_000);
    }
}
