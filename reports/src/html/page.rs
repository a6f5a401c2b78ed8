//! The page of one failure: the data for its timeline, its filters and its explanation, compressed.

use std::io::Write as _;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use flate2::{Compression, write::DeflateEncoder};
use serde::Serialize;
use sleet::{
    explain,
    oracle::Verdict,
    run::{RunRecord, result::RunResult},
    scenario::Scenario,
    trace::{Event, first_divergence},
};

use crate::{descriptions::Names, gather::broke, tracks::Tracks};

/// The data of a failure for drawing.
#[derive(Clone, Debug, Serialize)]
pub struct Page {
    id: String,
    scenario: String,
    seed: String,
    kind: String,
    summary: String,
    /// Whether the failure is expected of its scenario.
    expected: bool,
    /// The broken oracle or the outcome, in one word.
    broke: String,
    oracle: Option<String>,
    meaning: String,
    source: String,
    why: String,
    decided: Option<Moment>,
    chain: Vec<Step>,
    /// Whether a rule applied; otherwise the chain is the last events.
    understood: bool,
    verdicts: Vec<Judged>,
    replay: String,
    digest: String,
    tracks: Tracks,
    #[serde(skip_serializing_if = "Option::is_none")]
    other: Option<OtherRun>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parted_ns: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parted: Option<String>,
}

/// Another run, which is drawn over the first.
#[derive(Clone, Copy, Debug)]
pub struct Other<'a> {
    /// The name of the run.
    pub name: &'a str,
    /// The run; hosts that the first does not have are not drawn.
    pub record: &'a RunRecord,
}

#[derive(Clone, Debug, Serialize)]
struct OtherRun {
    name: String,
    tracks: Tracks,
}

#[derive(Clone, Debug, Serialize)]
struct Moment {
    at_ns: u64,
    event: u64,
}

#[derive(Clone, Debug, Serialize)]
struct Step {
    at_ns: u64,
    event: u64,
    what: String,
}

#[derive(Clone, Debug, Serialize)]
struct Judged {
    id: String,
    verdict: &'static str,
    meaning: String,
    why: String,
}

impl Page {
    /// Creates the page of `record`; `result` is its line of the results: for a run that died, it says how.
    pub fn of(scenario: &Scenario, record: &RunRecord, result: &RunResult, expected: bool) -> Self {
        let failure = record.failure();
        let oracle = failure.and_then(|(id, _)| scenario.oracles.iter().find(|o| o.id == id));
        let decided = failure
            .and_then(|(_, violation)| violation.event)
            .and_then(|seq| record.trace.events.get(seq as usize));
        let (chain, understood) = explain::how(scenario, record).unwrap_or_default();
        let held = failure.is_none() && result.why.is_none();
        Self {
            id: format!("{}@{}", record.scenario, record.seed),
            scenario: record.scenario.clone(),
            seed: record.seed.to_string(),
            kind: scenario.kind.to_string(),
            summary: scenario.summary.clone(),
            expected,
            broke: if held {
                "held".to_owned()
            } else {
                broke(result).to_owned()
            },
            oracle: oracle.map(|o| o.id.to_owned()),
            meaning: oracle.map_or("", |o| o.meaning).to_owned(),
            source: oracle.map_or("", |o| o.source).to_owned(),
            why: failure
                .map(|(_, violation)| violation.why.clone())
                .or_else(|| result.why.clone())
                .unwrap_or_default(),
            decided: decided.map(moment),
            chain: chain
                .into_iter()
                .map(|link| Step {
                    at_ns: link.at.as_nanos(),
                    event: link.event,
                    what: link.what,
                })
                .collect(),
            understood,
            verdicts: verdicts(scenario, record),
            replay: result.replay.clone(),
            digest: record.trace.digest.to_string(),
            tracks: Tracks::of(record),
            other: None,
            parted_ns: None,
            parted: None,
        }
    }

    /// Adds another run on top.
    pub fn beside(mut self, record: &RunRecord, other: Other<'_>) -> Self {
        if let Some(divergence) = first_divergence(&record.trace, &other.record.trace) {
            let at = divergence
                .left
                .as_ref()
                .or(divergence.right.as_ref())
                .map(|e| e.at.as_nanos());
            let side = |event: &Option<Event>, run: &RunRecord| match event {
                Some(event) => Names::of(&run.trace, &run.plan).line(event),
                None => "it has ended".to_owned(),
            };
            self.parted_ns = at;
            self.parted = Some(format!(
                "event {}: here “{}”, there “{}”",
                divergence.index,
                side(&divergence.left, record),
                side(&divergence.right, other.record)
            ));
        }
        self.other = Some(OtherRun {
            name: other.name.to_owned(),
            tracks: Tracks::of(other.record),
        });
        self
    }

    /// Returns the scenario and the seed.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the reason of the failure.
    pub(super) fn why(&self) -> &str {
        &self.why
    }

    /// Returns the data: JSON, deflated, in base64.
    pub(super) fn packed(&self) -> String {
        let json = serde_json::to_vec(self).expect("pages are plain data");
        let mut deflated = DeflateEncoder::new(Vec::new(), Compression::best());
        let written = deflated.write_all(&json).and_then(|()| deflated.finish());
        STANDARD.encode(written.expect("it is written to memory"))
    }
}

fn moment(event: &Event) -> Moment {
    Moment {
        at_ns: event.at.as_nanos(),
        event: event.seq,
    }
}

fn verdicts(scenario: &Scenario, record: &RunRecord) -> Vec<Judged> {
    let judged = |(id, verdict): &(&'static str, Verdict)| {
        let (name, why) = match verdict {
            Verdict::Pass => ("pass", String::new()),
            Verdict::Fail(violation) => ("fail", violation.why.clone()),
            Verdict::Unknown(why) => ("unknown", why.clone()),
        };
        let oracle = scenario.oracles.iter().find(|o| o.id == *id);
        Judged {
            id: (*id).to_owned(),
            verdict: name,
            meaning: oracle.map_or("", |o| o.meaning).to_owned(),
            why,
        }
    };
    record.verdicts.iter().map(judged).collect()
}
