//! What `replay`, `shrink` and `explain` are about: a seed of a scenario, or a saved failure.

use std::{fs, path::Path, sync::Arc};

use anyhow::Context;
use sleet::{
    fault::Plan,
    run::{plan_of, repro::Repro},
    scenario::Scenario,
    seed::Seed,
    trace::{Event, Trace},
};

use crate::{cli::Target, select};

/// What to run again, and what is known of the run before.
pub struct Subject {
    pub scenario: Arc<Scenario>,
    pub seed: Seed,
    pub plan: Arc<Plan>,
    pub saved: Option<Saved>,
}

/// A saved failure, and its trace if that lies beside it.
pub struct Saved {
    pub repro: Repro,
    pub trace: Option<Trace>,
}

impl Subject {
    /// Reads `SCENARIO@SEED`, or a saved failure.
    pub fn find(what: &str) -> anyhow::Result<Self> {
        if what.ends_with(".json") || Path::new(what).is_file() {
            return Self::read(Path::new(what));
        }
        let target: Target = what
            .parse()
            .with_context(|| format!("'{what}' is neither SCENARIO@SEED nor the path of a repro.json"))?;
        let scenario = select::scenario(&target.scenario)?;
        Ok(Self {
            plan: plan_of(&scenario, target.seed)?,
            seed: target.seed,
            scenario,
            saved: None,
        })
    }

    fn read(path: &Path) -> anyhow::Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("cannot read '{}'", path.display()))?;
        let repro = Repro::parse(&text).with_context(|| format!("'{}'", path.display()))?;
        let scenario = select::scenario(&repro.scenario).with_context(|| format!("'{}'", path.display()))?;
        Ok(Self {
            scenario,
            seed: repro.seed,
            plan: Arc::new(repro.plan.clone()),
            saved: Some(Saved {
                trace: read_trace(&path.with_file_name("trace.jsonl")).ok(),
                repro,
            }),
        })
    }
}

/// Reads a trace, one event a line.
pub fn read_trace(path: &Path) -> anyhow::Result<Trace> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read '{}'", path.display()))?;
    let events: Result<Vec<Event>, _> = text.lines().map(serde_json::from_str).collect();
    let events = events.with_context(|| format!("'{}' is not a trace", path.display()))?;
    Ok(Trace::from_events(events))
}
