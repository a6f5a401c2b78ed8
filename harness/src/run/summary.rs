//! What a suite comes to.
//!
//! Plain data, and what it means. [`Tally`](super::tally::Tally) makes it: the same results give the same summary, whoever ran them and in
//! whatever order.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    matrix::Matrix,
    result::{RunOutcome, RunResult},
    stats::Percentiles,
};
use crate::{
    scenario::{Kind, Scenario},
    seed::Seed,
    trace::Digest,
};

/// The version of the format.
pub const SUMMARY_VERSION: u32 = 1;

/// What a suite comes to.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct ScenarioSummary {
    /// Its name.
    pub name: String,
    /// What was expected of it.
    pub kind: Kind,
    /// How many seeds ran.
    pub seeds: u64,
    /// How many came out how.
    pub outcomes: BTreeMap<RunOutcome, u64>,
    /// How often each mark was reached, over all seeds.
    pub marks: BTreeMap<String, u64>,
    /// How many showed a known defect of the stack, as they must.
    pub known: u64,
    /// What that means.
    pub judgement: Judgement,
    /// The distribution of each statistic: time to connect, longest silence, time to recover.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub stats: BTreeMap<String, Percentiles>,
    /// The first seed that failed as it should: of a demonstration or a finding.
    pub shown_by: Option<Seed>,
    /// The orders that it went through, if it does not leave the order to the seed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub orders: Option<Orders>,
}

/// The orders that the runs of a scenario went through.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Judgement {
    /// Everything was as expected.
    Held,
    /// Nothing was unexpected, but there were too few seeds, or only a part of them, to judge marks, demonstrations
    /// and findings.
    NotJudged,
    /// It did not check what it is there to check.
    Vacuous(String),
    /// Every run was as expected, but more of them took longer than chance explains.
    Slower(String),
    /// An invariant was broken.
    Broken(String),
    /// Two runs of a seed differed.
    Nondeterministic(String),
}

/// A row of the remedy table.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct FailureRef {
    /// The name of the scenario.
    pub scenario: String,
    /// The seed.
    pub seed: Seed,
    /// How it came out.
    pub outcome: RunOutcome,
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

impl Judgement {
    /// The exit code that it calls for.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Held | Self::NotJudged => exit::OK,
            Self::Vacuous(_) => exit::VACUOUS,
            Self::Slower(_) | Self::Broken(_) => exit::BROKEN,
            Self::Nondeterministic(_) => exit::NONDETERMINISTIC,
        }
    }
}

impl Summary {
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
        RunOutcome::Nondeterministic | RunOutcome::Crash | RunOutcome::Hang | RunOutcome::Error => true,
        RunOutcome::Fail if result.known.is_some() => result.oracle != result.known,
        RunOutcome::Fail => result.oracle.as_deref() != scenario.trips() || scenario.trips().is_none(),
        RunOutcome::Pass => scenario.kind == Kind::Finding || result.known.is_some(),
    }
}
