//! Scenarios of the catalogue, run as a suite runs them: drawn, played, judged, and summed up in a line of results.

use std::sync::Arc;

use anyhow::{Context, ensure};
use sleet::{
    fault::Plan,
    run::{RunRecord, Runner, result::RunOutcome},
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
pub fn run_with(
    scenario: &Arc<Scenario>,
    seed: u64,
    change: impl FnOnce(&mut Plan),
) -> anyhow::Result<RunRecord> {
    let seed = Seed(seed);
    let mut plan = scenario.draw(seed);
    change(&mut plan);
    let record = Runner::new(scenario, seed).with_plan(plan).run()?;
    let result = record.result();
    ensure!(
        result.outcome == RunOutcome::Pass,
        "{}@{}: {:?}",
        scenario.name,
        seed.0,
        result.why
    );
    Ok(record)
}

/// Runs `seed` of the scenario called `name` so often, whatever comes of it, as a worker does: drawn, played, judged, summed up.
///
/// # Errors
/// If there is no such scenario, or it does not run.
pub fn again(name: &str, seed: u64, times: u32) -> anyhow::Result<()> {
    let scenario = scenario(name)?;
    for _ in 0..times {
        let result = Runner::new(&scenario, Seed(seed)).run()?.result();
        std::hint::black_box(result);
    }
    Ok(())
}
