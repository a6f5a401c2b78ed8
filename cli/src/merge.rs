//! The command `merge`.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, bail, ensure};
use sleet::{
    run::{
        merge,
        result::RunResult,
        shard::Shard,
        summary::{Summary, exit},
    },
    scenario::Scenario,
};
use sleet_reports::gather::Gathered;

use crate::{
    Done, args::MergeArgs, catalogue::Catalogue, ending, folder, identity::build_id, log::read_results,
    manifest::Manifest, papers, schedule::Seeds, terminal,
};

/// The folder of a shard.
struct Part {
    path: PathBuf,
    manifest: Manifest,
    results: Vec<RunResult>,
}

/// Merges the folders of the shards of a suite, as if one machine had run it.
pub fn merge(catalogue: &Catalogue, args: &MergeArgs) -> Done {
    let parts: Vec<Part> = args
        .dirs
        .iter()
        .map(|dir| read(dir))
        .collect::<anyhow::Result<_>>()?;
    let whole = belong_together(&parts)?;
    let (scenarios, suite) = suite(catalogue, &whole)?;
    let named = parts
        .iter()
        .map(|p| (p.path.display().to_string(), p.results.clone()));
    let all: Vec<RunResult> = parts.iter().flat_map(|p| p.results.clone()).collect();
    let so_far = Summary::of_part(scenarios.iter().map(Arc::as_ref), &all).exit_code();
    let proven = match shards_missing(&parts) {
        Some(missing) => Err(missing),
        None => merge::merge(&suite, named.collect()).map_err(|e| e.to_string()),
    };
    let results = match proven {
        Ok(results) => results,
        Err(why) => {
            terminal::note(&format!("cannot merge: {why}"));
            return Ok(exit::gravest([so_far, exit::UNMERGEABLE]));
        }
    };
    let sum = Summary::of(scenarios.iter().map(Arc::as_ref), &results);
    write(&args.out, &whole, &parts, &results, &sum)?;
    let mut gathered = Gathered::new(scenarios.iter().map(Arc::as_ref));
    results.iter().for_each(|result| gathered.add(result));
    let papers = papers::Papers {
        catalogue,
        folder: &args.out,
        sum: &sum,
        gathered: &gathered,
        manifest: Some(&whole),
    };
    papers.leave(Some(papers::PAGES))?;
    ending::print(catalogue, &sum, &args.out, args.verbose);
    papers::tell_ci(&sum, &gathered)?;
    Ok(sum.exit_code())
}

fn read(path: &Path) -> anyhow::Result<Part> {
    let manifest = Manifest::read(path)?;
    let manifest = manifest.with_context(|| format!("'{}' is not the folder of a suite", path.display()))?;
    let results = read_results(&path.join("results.jsonl"))?;
    let mut last = BTreeMap::new();
    for result in results {
        // Results that were confirmed later come further down.
        last.insert((result.scenario.clone(), result.seed), result);
    }
    Ok(Part {
        path: path.to_owned(),
        manifest,
        results: last.into_values().collect(),
    })
}

/// Returns the manifest of the whole, if `parts` are parts of one suite that this program ran.
fn belong_together(parts: &[Part]) -> anyhow::Result<Manifest> {
    let first = parts.first().context("nothing to merge")?;
    for part in parts {
        let mut manifest = part.manifest.clone();
        ensure!(
            manifest.shard.total() == first.manifest.shard.total(),
            "'{}' is shard {}, '{}' is shard {}",
            first.path.display(),
            first.manifest.shard,
            part.path.display(),
            manifest.shard
        );
        manifest.shard = first.manifest.shard;
        if let Some(difference) = first.manifest.difference(&manifest) {
            bail!(
                "'{}' and '{}' are of different suites: {difference}",
                first.path.display(),
                part.path.display()
            );
        }
    }
    let build = build_id()?;
    ensure!(
        first.manifest.build == build,
        "the shards were run by build {}, this is {build}: merge with the program that ran them",
        first.manifest.build
    );
    Ok(Manifest {
        shard: Shard::WHOLE,
        complete: true,
        started_unix_s: parts
            .iter()
            .map(|p| p.manifest.started_unix_s)
            .min()
            .unwrap_or_default(),
        took_ms: parts.iter().map(|p| p.manifest.took_ms).sum(),
        ..first.manifest.clone()
    })
}

/// Returns a message about shards that are missing or come twice.
fn shards_missing(parts: &[Part]) -> Option<String> {
    let total = parts.first()?.manifest.shard.total();
    let mut found = BTreeMap::<u64, &Path>::new();
    for part in parts {
        let shard = part.manifest.shard;
        if let Some(other) = found.insert(shard.number(), &part.path) {
            let (other, this) = (other.display(), part.path.display());
            return Some(format!("shard {shard} is there twice: '{other}' and '{this}'"));
        }
    }
    let missing: Vec<String> = (1..=total)
        .filter(|n| !found.contains_key(n))
        .map(|n| format!("{n}/{total}"))
        .collect();
    (!missing.is_empty()).then(|| format!("shards are missing: {}", missing.join(", ")))
}

/// Returns the scenarios and runs of the whole suite, in its order.
fn suite(catalogue: &Catalogue, whole: &Manifest) -> anyhow::Result<(Vec<Arc<Scenario>>, Vec<merge::Run>)> {
    let mut left: BTreeMap<&str, &str> = whole
        .scenarios
        .iter()
        .map(|(name, seeds)| (name.as_str(), seeds.as_str()))
        .collect();
    let (mut scenarios, mut runs) = (Vec::new(), Vec::new());
    for scenario in catalogue.scenarios() {
        if let Some(seeds) = left.remove(scenario.name.as_str()) {
            let seeds: Seeds = seeds.parse()?;
            runs.extend(seeds.iter().map(|seed| (scenario.name.clone(), seed)));
            scenarios.push(scenario.clone());
        }
    }
    match left.keys().next() {
        None => Ok((scenarios, runs)),
        Some(name) => bail!("there is no scenario '{name}'"),
    }
}

fn write(
    out: &Path,
    whole: &Manifest,
    parts: &[Part],
    results: &[RunResult],
    sum: &Summary,
) -> anyhow::Result<()> {
    for part in parts {
        ensure!(
            fs::canonicalize(&part.path).ok() != fs::canonicalize(out).ok(),
            "'{}' is one of the parts: choose another folder with --out",
            out.display()
        );
    }
    fs::create_dir_all(out).with_context(|| format!("cannot make '{}'", out.display()))?;
    for part in parts {
        copy_failures(&part.path.join("fail"), &out.join("fail"))?;
    }
    let mut lines = String::new();
    for result in results {
        lines.push_str(&serde_json::to_string(result)?);
        lines.push('\n');
    }
    folder::write(
        out,
        "manifest.json",
        &(serde_json::to_string_pretty(whole)? + "\n"),
    )?;
    folder::write(out, "results.jsonl", &lines)?;
    folder::write_summary(out, sum)
}

/// Copies the saved failures of shards. No two save the same one.
fn copy_failures(from: &Path, to: &Path) -> anyhow::Result<()> {
    let Ok(failures) = fs::read_dir(from) else {
        return Ok(());
    };
    for failure in failures {
        let failure = failure?;
        let target = to.join(failure.file_name());
        fs::create_dir_all(&target).with_context(|| format!("cannot make '{}'", target.display()))?;
        for file in fs::read_dir(failure.path())? {
            let file = file?;
            fs::copy(file.path(), target.join(file.file_name()))?;
        }
    }
    Ok(())
}
