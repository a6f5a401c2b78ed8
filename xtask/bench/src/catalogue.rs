//! Scenarios of the catalogue, run as a suite runs them: drawn, played, judged, and summed up in a line of results.

use std::sync::Arc;

use anyhow::{Context, ensure};
use sleet::{
    fault::Plan,
    run::{self, RunRecord, result::Outcome},
    scenario::Scenario,
    seed::Seed,
};

/// The scenario called `name`.
///
/// # Errors
/// If there is none.
pub fn scenario(name: &str) -> anyhow::Result<Arc<Scenario>> {
    let mut all = sleet_scenarios::catalogue().into_iter();
    all.find(|s| s.name == name)
        .with_context(|| format!("no scenario '{name}'"))
}

/// Runs `seed` of it, with its plan changed by `change`.
///
/// # Errors
/// If it does not run, or an oracle does not hold.
pub fn run_with(scenario: &Arc<Scenario>, seed: u64, change: impl FnOnce(&mut Plan)) -> anyhow::Result<RunRecord> {
    let seed = Seed(seed);
    let mut plan = scenario.draw(seed);
    change(&mut plan);
    let record = run::execute_plan(scenario, seed, Arc::new(plan))?;
    let result = record.result();
    ensure!(
        result.outcome == Outcome::Pass,
        "{}@{}: {:?}",
        scenario.name,
        seed.0,
        result.why
    );
    Ok(record)
}
