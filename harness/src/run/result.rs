//! The line that a run leaves in `results.jsonl`.

use std::{collections::BTreeMap, path::Path};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{reach::Reach, scenario::Cell, seed::Seed, trace::Digest};

/// The version of the line.
pub const RESULT_VERSION: u32 = 1;

/// The name of a statistic: milliseconds from dialing until both ends of a call are connected; of several calls, the slowest.
pub const CONNECT_MS: &str = "connect_ms";
/// The name of a statistic: the longest silence between two messages that an end of a call heard, in milliseconds.
pub const SILENCE_MS: &str = "silence_ms";
/// The name of a statistic: of silences of two seconds or more, the longest time from the last fault that began or ended within one to
/// its end, in milliseconds.
pub const RECOVER_MS: &str = "recover_ms";

/// How a run came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunOutcome {
    /// Every oracle held, or could not be judged.
    Pass,
    /// An oracle was broken.
    Fail,
    /// Two runs of the same seed differed.
    Nondeterministic,
    /// The process that ran it died, twice in the same way.
    Crash,
    /// It made no headway in real time, twice.
    Hang,
    /// The run could not take place.
    Error,
}

/// What is kept of a run.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct RunResult {
    /// The version of the line.
    pub v: u32,
    /// The name of the scenario.
    pub scenario: String,
    /// The seed.
    pub seed: Seed,
    /// How it came out.
    pub outcome: RunOutcome,
    /// The oracle that was broken.
    pub oracle: Option<String>,
    /// The other oracles that were broken in the same run, in the order in which they judge.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub also: Vec<String>,
    /// How, in protocol terms; for an error, what went wrong.
    pub why: Option<String>,
    /// The digest of the trace, if there is one.
    pub digest: Option<Digest>,
    /// Simulated milliseconds.
    pub sim_ms: u64,
    /// Events in the trace.
    pub events: u64,
    /// Packets sent.
    pub packets: u64,
    /// How often each mark was reached.
    pub marks: BTreeMap<String, u64>,
    /// What was measured, in simulated time.
    pub stats: BTreeMap<String, u64>,
    /// The oracle that a known defect of the stack breaks in this run.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub known: Option<String>,
    /// The cell of the scenario's matrix that it filled, and how the call was carried.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cell: Option<FilledCell>,
    /// The command that replays it; empty until whoever knows the program's name says it ([`RunResult::replayed_by`]).
    #[serde(default)]
    pub replay: String,
}

impl RunResult {
    /// Says that `program`, as its users call it, replays the run.
    pub fn replayed_by(mut self, program: &str) -> Self {
        self.replay = format!("{program} replay {}@{}", self.scenario, self.seed);
        self
    }

    /// Says that `program` replays the run, whose plan is not the one that its seed draws, from the file at `path`.
    #[must_use]
    pub fn replayed_from(mut self, program: &str, path: &Path) -> Self {
        self.replay = format!("{program} replay {}", path.display());
        self
    }

    /// Of a run that left no record.
    pub fn without_record(scenario: &str, seed: Seed, outcome: RunOutcome, why: String) -> Self {
        Self {
            v: RESULT_VERSION,
            scenario: scenario.to_owned(),
            seed,
            outcome,
            oracle: None,
            also: Vec::new(),
            why: Some(why),
            digest: None,
            sim_ms: 0,
            events: 0,
            packets: 0,
            marks: BTreeMap::new(),
            stats: BTreeMap::new(),
            known: None,
            cell: None,
            replay: String::new(),
        }
    }
}

/// A cell of a matrix with what was seen.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct FilledCell {
    /// The cell and what was expected of it.
    #[serde(flatten)]
    pub cell: Cell,
    /// What was seen.
    pub seen: Reach,
    /// The types of the pair that the caller selected; empty without one.
    pub pair: String,
}
