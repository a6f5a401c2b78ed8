//! The selection of scenarios and seeds.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use anyhow::{bail, ensure};
use sleet::{
    run::shard::Shard,
    scenario::{Kind, Scenario},
    seed::Seed,
};
use thiserror::Error;

use crate::{
    args::{Profile, RunArgs},
    catalogue::Catalogue,
    schedule::{Schedule, Seeds},
    terminal, wall,
};

/// A filter that matches no scenario.
#[derive(Debug, Error)]
pub enum NothingSelected {
    /// A prefix.
    #[error("no scenario begins with '{filter}': `{list}` names them")]
    Prefix { filter: String, list: String },
    /// A whole name.
    #[error("no scenario is called '{filter}': `{list}` names them")]
    Name { filter: String, list: String },
}

/// Reports whether `filter` selects the scenario called `name`: it is a prefix, or `=` and the whole name.
fn selects(filter: &str, name: &str) -> bool {
    match filter.strip_prefix('=') {
        Some(whole) => name == whole,
        None => name.starts_with(filter),
    }
}

/// Returns the scenarios that `filter` selects, hidden ones only by their whole name.
pub fn scenarios(catalogue: &Catalogue, filter: &[String]) -> anyhow::Result<Vec<Arc<Scenario>>> {
    let all = catalogue.scenarios();
    for one in filter {
        if all.iter().any(|s| selects(one, &s.name)) {
            continue;
        }
        let list = catalogue.command("list --all");
        bail!(match one.strip_prefix('=') {
            Some(name) => NothingSelected::Name {
                filter: name.to_owned(),
                list,
            },
            None => NothingSelected::Prefix {
                filter: one.clone(),
                list,
            },
        });
    }
    let wanted = |s: &&Arc<Scenario>| match filter {
        [] => s.kind != Kind::Selftest,
        filter => filter.iter().any(|one| selects(one, &s.name)),
    };
    Ok(all.iter().filter(wanted).cloned().collect())
}

/// Returns the scenario called `name`.
pub fn scenario(catalogue: &Catalogue, name: &str) -> anyhow::Result<Arc<Scenario>> {
    let found = catalogue.scenarios().iter().find(|s| s.name == name).cloned();
    found.ok_or_else(|| {
        let list = catalogue.command("list --all");
        anyhow::anyhow!("there is no scenario '{name}': `{list}` names them")
    })
}

/// Returns the seeds of `scenario` that `args` asks for, each once.
fn seeds(args: &RunArgs, scenario: &Scenario) -> Seeds {
    if args.seed.is_empty() {
        let count = args.profile.seeds(scenario.min_seeds).unwrap_or_default();
        return Seeds::Range(args.seeds.clone().unwrap_or(0..count));
    }
    let mut known = BTreeSet::new();
    let each_once = args.seed.iter().filter(|seed| known.insert(**seed));
    Seeds::Listed(each_once.copied().collect())
}

/// Returns the runs that `args` asks for, and the seeds of each scenario in words.
pub fn schedule(
    args: &RunArgs,
    scenarios: &[Arc<Scenario>],
    shard: Shard,
) -> anyhow::Result<(Schedule, BTreeMap<String, String>)> {
    if args.profile == Profile::Soak {
        return soak(args, scenarios, shard);
    }
    let suite: Vec<(Arc<Scenario>, Seeds)> = scenarios
        .iter()
        .map(|scenario| (scenario.clone(), seeds(args, scenario)))
        .collect();
    let words = suite
        .iter()
        .map(|(scenario, seeds)| (scenario.name.clone(), seeds.to_string()))
        .collect();
    Ok((Schedule::listed(suite, shard), words))
}

/// Returns seeds that have never run before, or those after a given base.
fn soak(
    args: &RunArgs,
    scenarios: &[Arc<Scenario>],
    shard: Shard,
) -> anyhow::Result<(Schedule, BTreeMap<String, String>)> {
    ensure!(
        args.budget.is_some(),
        "a soak runs until its budget ends: say --budget 10m"
    );
    ensure!(
        args.seeds.is_none(),
        "a soak has no last seed: say --seed with the first"
    );
    let base = match args.seed[..] {
        [] => Seed(wall::date(wall::unix_s()) * SEEDS_PER_DAY),
        [base] => base,
        _ => bail!("a soak begins with one --seed"),
    };
    terminal::note(&format!(
        "soak from seed {base} (repeat or resume it with --seed {base})"
    ));
    let words = scenarios.iter().map(|s| (s.name.clone(), format!("from {base}")));
    Ok((
        Schedule::endless(scenarios.to_vec(), base, shard),
        words.collect(),
    ))
}

/// The number of seeds between the bases of two days: more than a day can run.
const SEEDS_PER_DAY: u64 = 1_000_000_000;
