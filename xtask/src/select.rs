//! Which scenarios and which seeds.

use std::sync::Arc;

use anyhow::bail;
use sleet::{
    run::suite::Job,
    scenario::{Kind, Scenario},
    seed::Seed,
};
use thiserror::Error;

use crate::cli::RunArgs;

/// A filter that no scenario matches.
#[derive(Debug, Error)]
#[error("no scenario begins with '{0}': `cargo xtask list --all` names them")]
pub struct NothingSelected(pub String);

/// The scenarios that `filter` selects, hidden ones only by name.
pub fn scenarios(filter: &[String]) -> anyhow::Result<Vec<Arc<Scenario>>> {
    let all = sleet_scenarios::catalogue();
    for prefix in filter {
        if !all.iter().any(|s| s.name.starts_with(prefix.as_str())) {
            bail!(NothingSelected(prefix.clone()));
        }
    }
    let wanted = |s: &&Arc<Scenario>| match filter {
        [] => s.kind != Kind::Selftest,
        filter => filter.iter().any(|prefix| s.name.starts_with(prefix.as_str())),
    };
    Ok(all.iter().filter(wanted).cloned().collect())
}

/// The scenario called `name`.
pub fn scenario(name: &str) -> anyhow::Result<Arc<Scenario>> {
    let all = sleet_scenarios::catalogue();
    let found = all.into_iter().find(|s| s.name == name);
    found.ok_or_else(|| anyhow::anyhow!("there is no scenario '{name}': `cargo xtask list --all` names them"))
}

/// The seeds that `args` asks for of `scenario`.
pub fn seeds(args: &RunArgs, scenario: &Scenario) -> Vec<Seed> {
    if !args.seed.is_empty() {
        return args.seed.clone();
    }
    let range = args
        .seeds
        .clone()
        .unwrap_or_else(|| 0..args.profile.seeds(scenario.min_seeds));
    range.map(Seed).collect()
}

/// Every run that `args` asks for: scenario by scenario, seed by seed.
pub fn jobs(args: &RunArgs, scenarios: &[Arc<Scenario>]) -> Vec<Job> {
    let of = |scenario: &Arc<Scenario>| {
        let scenario = scenario.clone();
        seeds(args, &scenario.clone()).into_iter().map(move |seed| Job {
            scenario: scenario.clone(),
            seed,
        })
    };
    scenarios.iter().flat_map(of).collect()
}
