//! Which scenarios and which seeds.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use anyhow::{Context, bail, ensure};
use sleet::{
    run::{shard::Shard, suite::Job},
    scenario::{Kind, Scenario},
    seed::{self, Seed},
};
use thiserror::Error;

use crate::{
    cli::{Profile, RunArgs},
    schedule::Schedule,
    terminal, wall,
};

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
    among(&sleet_scenarios::catalogue(), name)
}

/// The scenario called `name` of `all`.
pub fn among(all: &[Arc<Scenario>], name: &str) -> anyhow::Result<Arc<Scenario>> {
    let found = all.iter().find(|s| s.name == name).cloned();
    found.ok_or_else(|| anyhow::anyhow!("there is no scenario '{name}': `cargo xtask list --all` names them"))
}

/// The seeds that `args` asks for of `scenario`, each once.
pub fn seeds(args: &RunArgs, scenario: &Scenario) -> Vec<Seed> {
    if !args.seed.is_empty() {
        let mut known = BTreeSet::new();
        return args
            .seed
            .iter()
            .filter(|seed| known.insert(**seed))
            .copied()
            .collect();
    }
    let range = args
        .seeds
        .clone()
        .unwrap_or_else(|| 0..args.profile.seeds(scenario.min_seeds).unwrap_or_default());
    range.map(Seed).collect()
}

/// The seeds that `args` asks for of `scenario`, as a manifest writes them.
pub fn seeds_in_words(args: &RunArgs, scenario: &Scenario) -> String {
    let seeds = seeds(args, scenario);
    match (&args.seed[..], seeds.first(), seeds.last()) {
        ([], Some(first), Some(last)) => format!("{first}..{}", last.0 + 1),
        _ => seeds
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(","),
    }
}

/// Reads what [`seeds_in_words`] writes.
pub fn seeds_from_words(words: &str) -> anyhow::Result<Vec<Seed>> {
    ensure!(
        !words.starts_with("from "),
        "a soak has no end, so its shards cannot be proven whole"
    );
    if words.contains("..") {
        return Ok(seed::parse_range(words)?.map(Seed).collect());
    }
    let one = |word: &str| word.parse().with_context(|| format!("'{words}' are not seeds"));
    words.split(',').map(one).collect()
}

/// What `args` asks for: the runs, and the seeds of each scenario in words.
pub fn schedule(
    args: &RunArgs,
    scenarios: &[Arc<Scenario>],
    shard: Shard,
) -> anyhow::Result<(Schedule, BTreeMap<String, String>)> {
    if args.profile == Profile::Soak {
        return soak(args, scenarios, shard);
    }
    let of = |scenario: &Arc<Scenario>| {
        let scenario = scenario.clone();
        seeds(args, &scenario.clone()).into_iter().map(move |seed| Job {
            scenario: scenario.clone(),
            seed,
        })
    };
    let jobs = scenarios.iter().flat_map(of).collect();
    let words = scenarios
        .iter()
        .map(|s| (s.name.clone(), seeds_in_words(args, s)));
    Ok((Schedule::listed(jobs, shard), words.collect()))
}

/// Seeds that nobody has run before, unless somebody wants the same again.
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

/// Seeds between the bases of two days: more than a day can run.
const SEEDS_PER_DAY: u64 = 1_000_000_000;
