//! What a suite comes to.
//!
//! Pure arithmetic over results: the same results give the same summary, whoever ran them and in
//! whatever order.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    matrix::Matrix,
    orders::{self, part_of},
    result::{Outcome, RunResult},
    stats::{Share, percentile},
};
use crate::{
    oracle::calls::CONNECTS,
    scenario::{Exploration, Kind, Scenario},
    seed::Seed,
    trace::Digest,
};

/// The version of the format.
pub const SUMMARY_VERSION: u32 = 1;
/// How many failures a summary names.
const FAILURES_NAMED: usize = 20;

/// What a suite comes to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// The version of the format.
    pub v: u32,
    /// How each scenario came out, in the order of the catalogue.
    pub scenarios: Vec<ScenarioSummary>,
    /// Success by remedy, in the order of the catalogue.
    pub remedies: Vec<RemedyRow>,
    /// Mistakes of clients and what catches them, in the order of the catalogue.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub mistakes: Vec<MistakeRow>,
    /// How calls were carried, by what their ends are behind.
    pub matrices: Vec<Matrix>,
    /// The first runs that broke what was expected of them.
    pub failures: Vec<FailureRef>,
    /// A hash over the digests of all runs.
    pub digest: Digest,
}

/// How the runs of a scenario came out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScenarioSummary {
    /// Its name.
    pub name: String,
    /// What was expected of it.
    pub kind: Kind,
    /// How many seeds ran.
    pub seeds: u64,
    /// How many came out how.
    pub outcomes: BTreeMap<Outcome, u64>,
    /// How often each mark was reached, over all seeds.
    pub marks: BTreeMap<String, u64>,
    /// How many showed a known defect of the stack, as they must.
    pub known: u64,
    /// What that means.
    pub judgement: Judgement,
    /// The first seed that failed as it should: of a demonstration or a finding.
    pub shown_by: Option<Seed>,
    /// The orders that it went through, if it does not leave the order to the seed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub orders: Option<Orders>,
}

/// The orders that the runs of a scenario went through.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Orders {
    /// What bounds them.
    pub bound: String,
    /// How many.
    pub orders: u64,
    /// How many broke an oracle.
    pub failed: u64,
    /// How many more runs it took, which were cut off because they began to repeat another.
    pub repeats: u64,
    /// The most free steps that one had.
    pub steps: u64,
    /// How many times over all orders were gone through; 0 if some were not.
    pub times: u64,
}

/// What the runs of a scenario mean.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Judgement {
    /// Everything was as expected.
    Held,
    /// Nothing was unexpected, but there were too few seeds, or only a part of them, to judge marks, demonstrations
    /// and findings.
    NotJudged,
    /// It did not check what it is there to check.
    Vacuous(String),
    /// An invariant was broken.
    Broken(String),
    /// Two runs of a seed differed.
    Nondeterministic(String),
}

/// A row of the remedy table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RemedyRow {
    /// The policy.
    pub policy: String,
    /// The scenario that was run.
    pub scenario: String,
    /// How many calls connected within their budget.
    pub connected: u64,
    /// Of how many.
    pub seeds: u64,
    /// The lower end of the 95 % Wilson interval of the rate.
    pub rate_low: f64,
    /// The upper end.
    pub rate_high: f64,
    /// The median time from dialing to a connection at both ends, simulated milliseconds.
    pub median_ms: Option<u64>,
    /// The 95th percentile.
    pub p95_ms: Option<u64>,
}

/// A row of the table of mistakes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MistakeRow {
    /// The mistake.
    pub mistake: String,
    /// The scenario that was run.
    pub scenario: String,
    /// The oracle that names it.
    pub oracle: String,
    /// The first seed that showed it.
    pub first: Option<Seed>,
    /// How many seeds showed it.
    pub shown: u64,
    /// Of how many.
    pub seeds: u64,
    /// The lower end of the 95 % Wilson interval of the share.
    pub share_low: f64,
    /// The upper end.
    pub share_high: f64,
}

/// A run that broke what was expected of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailureRef {
    /// The name of the scenario.
    pub scenario: String,
    /// The seed.
    pub seed: Seed,
    /// How it came out.
    pub outcome: Outcome,
    /// The oracle that was broken.
    pub oracle: Option<String>,
    /// How.
    pub why: Option<String>,
    /// The command that replays it.
    pub replay: String,
}

/// Exit codes of the command line, by what they mean.
pub mod exit {
    /// Everything held.
    pub const OK: u8 = 0;
    /// Bad usage or bad input, or a machine that cannot run simulations.
    pub const USAGE: u8 = 2;
    /// The filter selected nothing.
    pub const NOTHING_SELECTED: u8 = 4;
    /// An invariant failed, or a run crashed or hung.
    pub const BROKEN: u8 = 100;
    /// Nondeterminism, or a replay that diverged.
    pub const NONDETERMINISTIC: u8 = 120;
    /// A suite did not check what it is there to check.
    pub const VACUOUS: u8 = 121;
    /// Merging: a run is missing, doubled or in conflict.
    pub const UNMERGEABLE: u8 = 122;
    /// A saved failure did not reproduce.
    pub const NOT_REPRODUCED: u8 = 123;
    /// The budget ended first; what ran, held.
    pub const BUDGET: u8 = 124;
    /// Interrupted.
    pub const INTERRUPTED: u8 = 130;

    /// The gravest of `codes`: 120 wins over 100, 100 over 122, 122 over 121, 121 over 124, 124 over 130.
    pub fn gravest(codes: impl IntoIterator<Item = u8>) -> u8 {
        const ORDER: [u8; 6] = [
            NONDETERMINISTIC,
            BROKEN,
            UNMERGEABLE,
            VACUOUS,
            BUDGET,
            INTERRUPTED,
        ];
        let rank = |code: &u8| ORDER.iter().position(|c| c == code).unwrap_or(ORDER.len());
        codes.into_iter().min_by_key(rank).unwrap_or(OK)
    }
}

/// How much of a suite results are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Extent {
    Whole,
    Part,
}

impl Judgement {
    /// The exit code that it calls for.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Held | Self::NotJudged => exit::OK,
            Self::Vacuous(_) => exit::VACUOUS,
            Self::Broken(_) => exit::BROKEN,
            Self::Nondeterministic(_) => exit::NONDETERMINISTIC,
        }
    }
}

impl Summary {
    /// Sums up `results` of the scenarios of `catalogue`.
    pub fn of<'a>(catalogue: impl IntoIterator<Item = &'a Scenario>, results: &[RunResult]) -> Self {
        Self::over(catalogue, results, Extent::Whole)
    }

    /// Sums up `results` that are a part of a suite: what needs many seeds is not judged.
    pub fn of_part<'a>(catalogue: impl IntoIterator<Item = &'a Scenario>, results: &[RunResult]) -> Self {
        Self::over(catalogue, results, Extent::Part)
    }

    fn over<'a>(
        catalogue: impl IntoIterator<Item = &'a Scenario>,
        results: &[RunResult],
        extent: Extent,
    ) -> Self {
        let mut by_scenario = BTreeMap::<&str, Vec<&RunResult>>::new();
        for result in results {
            by_scenario.entry(&result.scenario).or_default().push(result);
        }
        let (mut scenarios, mut remedies, mut failures) = (Vec::new(), Vec::new(), Vec::new());
        let (mut matrices, mut mistakes) = (Vec::new(), Vec::new());
        for scenario in catalogue {
            let Some(mut runs) = by_scenario.remove(scenario.name.as_str()) else {
                continue;
            };
            runs.sort_by_key(|r| r.seed);
            scenarios.push(summarise(scenario, &runs, extent));
            matrices.extend(Matrix::of(&scenario.name, &runs));
            failures.extend(
                runs.iter()
                    .filter(|r| unexpected(scenario, r))
                    .map(|r| FailureRef::of(r)),
            );
            if let Some(policy) = &scenario.remedy {
                remedies.push(RemedyRow::of(policy, &runs));
            }
            if let (Some(mistake), Some(oracle)) = (&scenario.mistake, scenario.trips) {
                mistakes.push(MistakeRow::of(mistake, oracle, &runs));
            }
        }
        failures.truncate(FAILURES_NAMED);
        Self {
            v: SUMMARY_VERSION,
            scenarios,
            remedies,
            mistakes,
            matrices,
            failures,
            digest: digest_of(results),
        }
    }

    /// The exit code: the gravest that a scenario calls for, in the order of [`exit::gravest`].
    pub fn exit_code(&self) -> u8 {
        exit::gravest(self.scenarios.iter().map(|s| s.judgement.exit_code()))
    }

    /// How many runs there were.
    pub fn runs(&self) -> u64 {
        self.scenarios.iter().map(|s| s.seeds).sum()
    }
}

/// Whether a run broke what is expected of its scenario.
pub fn unexpected(scenario: &Scenario, result: &RunResult) -> bool {
    match result.outcome {
        Outcome::Nondeterministic | Outcome::Crash | Outcome::Hang | Outcome::Error => true,
        Outcome::Fail if result.known.is_some() => result.oracle != result.known,
        Outcome::Fail => result.oracle.as_deref() != scenario.trips || scenario.trips.is_none(),
        Outcome::Pass => scenario.kind == Kind::Finding || result.known.is_some(),
    }
}

fn summarise(scenario: &Scenario, runs: &[&RunResult], extent: Extent) -> ScenarioSummary {
    let (mut outcomes, mut marks) = (BTreeMap::new(), BTreeMap::new());
    for run in runs {
        *outcomes.entry(run.outcome).or_default() += 1;
        for (mark, n) in &run.marks {
            *marks.entry(mark.clone()).or_default() += n;
        }
    }
    let shown = runs
        .iter()
        .find(|r| r.oracle.is_some() && r.oracle.as_deref() == scenario.trips);
    ScenarioSummary {
        name: scenario.name.clone(),
        kind: scenario.kind,
        seeds: runs.len() as u64,
        known: runs.iter().filter(|r| r.known.is_some()).count() as u64,
        judgement: judge(scenario, runs, &marks, shown.is_some(), extent),
        outcomes,
        marks,
        shown_by: shown.map(|r| r.seed),
        orders: scenario
            .explores
            .as_ref()
            .map(|explores| Orders::of(explores, runs)),
    }
}

fn judge(
    scenario: &Scenario,
    runs: &[&RunResult],
    marks: &BTreeMap<String, u64>,
    shown: bool,
    extent: Extent,
) -> Judgement {
    let on = |r: &RunResult| {
        format!(
            "seed {}: {}",
            r.seed,
            r.why.as_deref().unwrap_or("no reason was recorded")
        )
    };
    if let Some(run) = runs.iter().find(|r| r.outcome == Outcome::Nondeterministic) {
        return Judgement::Nondeterministic(on(run));
    }
    if let Some(run) = runs.iter().find(|r| unexpected(scenario, r)) {
        return Judgement::Broken(match (run.outcome, scenario.kind) {
            (Outcome::Pass, _) => format!(
                "seed {}: the finding did not show: the stack may have changed",
                run.seed
            ),
            _ => on(run),
        });
    }
    let needs_many = scenario.trips.is_some() || !scenario.marks_required.is_empty();
    if (runs.len() as u64) < scenario.min_seeds || needs_many && extent == Extent::Part {
        return Judgement::NotJudged;
    }
    let missing: Vec<&str> = scenario
        .marks_required
        .iter()
        .filter(|m| !marks.contains_key(*m))
        .map(String::as_str)
        .collect();
    if !missing.is_empty() {
        return Judgement::Vacuous(format!("never reached: {}", missing.join(", ")));
    }
    match scenario.trips {
        Some(oracle) if !shown => {
            Judgement::Vacuous(format!("{oracle} did not fail on any of {} seeds", runs.len()))
        }
        _ => Judgement::Held,
    }
}

impl Orders {
    fn of(explores: &Exploration, runs: &[&RunResult]) -> Self {
        let stats = |name| runs.iter().filter_map(move |r| r.stats.get(name).copied());
        let mut parts = vec![0; explores.parts as usize];
        for run in runs {
            parts[part_of(run.seed, explores.parts).index as usize] += 1;
        }
        Self {
            bound: explores.bound.clone(),
            orders: stats(orders::ORDERS).sum(),
            failed: stats(orders::FAILED).sum(),
            repeats: stats(orders::REPEATS).sum(),
            steps: stats(orders::STEPS).max().unwrap_or_default(),
            times: parts.into_iter().min().unwrap_or_default(),
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

impl RemedyRow {
    fn of(policy: &str, runs: &[&RunResult]) -> Self {
        let connected = runs.iter().filter(|r| r.oracle.as_deref() != Some(CONNECTS.id));
        let mut times: Vec<u64> = connected
            .filter_map(|r| r.stats.get("connect_ms").copied())
            .collect();
        times.sort_unstable();
        let share = Share::wilson(times.len() as u64, runs.len() as u64);
        Self {
            policy: policy.to_owned(),
            scenario: runs[0].scenario.clone(),
            connected: share.hits,
            seeds: share.of,
            rate_low: share.low,
            rate_high: share.high,
            median_ms: percentile(&times, 50),
            p95_ms: percentile(&times, 95),
        }
    }
}

impl MistakeRow {
    fn of(mistake: &str, oracle: &str, runs: &[&RunResult]) -> Self {
        let shown: Vec<Seed> = runs
            .iter()
            .filter(|r| r.oracle.as_deref() == Some(oracle))
            .map(|r| r.seed)
            .collect();
        let share = Share::wilson(shown.len() as u64, runs.len() as u64);
        Self {
            mistake: mistake.to_owned(),
            scenario: runs[0].scenario.clone(),
            oracle: oracle.to_owned(),
            first: shown.first().copied(),
            shown: share.hits,
            seeds: share.of,
            share_low: share.low,
            share_high: share.high,
        }
    }
}

/// A hash over what each run was and what digest it had, in an order that does not depend on who ran it.
fn digest_of(results: &[RunResult]) -> Digest {
    let mut lines: Vec<String> = results
        .iter()
        .map(|r| {
            let digest = r.digest.map_or_else(|| "none".to_owned(), |d| d.to_string());
            format!("{}@{} {digest}\n", r.scenario, r.seed)
        })
        .collect();
    lines.sort_unstable();
    Digest::of(lines.concat().as_bytes())
}
