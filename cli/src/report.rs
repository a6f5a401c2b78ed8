//! The command `report`: writes all reports of a suite, from its folder.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
};

use anyhow::ensure;
use sleet::{
    run::{
        result::RunResult,
        shard::Shard,
        summary::{Summary, exit},
    },
    scenario::Scenario,
    seed::Seed,
};
use sleet_reports::gather::Gathered;

use crate::{
    Done, args::ReportArgs, catalogue::Catalogue, log::read_results, manifest::Manifest, papers, terminal,
};

/// Writes the reports of a suite's folder.
pub fn report(catalogue: &Catalogue, args: &ReportArgs) -> Done {
    let manifest = look_at(&args.dir)?;
    if let Some(table) = &args.reality {
        papers::add_reality(&args.dir, table)?;
    }
    let results = results(&args.dir)?;
    let (scenarios, unknown) = known(catalogue, &results);
    if let Some((name, _)) = unknown.first_key_value() {
        let runs: u64 = unknown.values().sum();
        terminal::note(&format!(
            "{runs} runs of {} scenarios that this program does not have are left out, such as {name}",
            unknown.len()
        ));
    }
    let is_whole = manifest
        .as_ref()
        .is_none_or(|m| m.complete && m.shard == Shard::WHOLE);
    let of = if is_whole { Summary::of } else { Summary::of_part };
    let sum = of(scenarios.iter().map(Arc::as_ref), &results);
    let mut gathered = Gathered::new(scenarios.iter().map(Arc::as_ref));
    results.iter().for_each(|result| gathered.add(result));
    let suite = papers::Papers {
        catalogue,
        folder: &args.dir,
        sum: &sum,
        gathered: &gathered,
        manifest: manifest.as_ref(),
    };
    let pages = suite.leave(None)?;
    let page = args.dir.join("report.html");
    terminal::print(&format!(
        "{} runs, {} unexpected failures; {pages} saved runs with what is attached to them: {}",
        sum.runs(),
        gathered.count(),
        page.display()
    ));
    if args.open {
        open(&page);
    }
    Ok(exit::OK)
}

/// Returns the manifest of a folder, if it has one; a folder without one is valid as long as it has results.
fn look_at(dir: &Path) -> anyhow::Result<Option<Manifest>> {
    ensure!(dir.exists(), "there is no folder '{}'", dir.display());
    ensure!(dir.is_dir(), "'{}' is not a folder", dir.display());
    ensure!(
        dir.join("results.jsonl").is_file(),
        "'{}' is not the folder of a suite: it has no results.jsonl",
        dir.display()
    );
    Manifest::read(dir)
}

/// Returns the result of each run; of several results of one run the last counts.
fn results(dir: &Path) -> anyhow::Result<Vec<RunResult>> {
    let mut last = BTreeMap::<(String, Seed), RunResult>::new();
    for result in read_results(&dir.join("results.jsonl"))? {
        last.insert((result.scenario.clone(), result.seed), result);
    }
    Ok(last.into_values().collect())
}

/// Returns the scenarios with results, in the order of the catalogue, and the number of runs of unknown scenarios.
fn known(catalogue: &Catalogue, results: &[RunResult]) -> (Vec<Arc<Scenario>>, BTreeMap<String, u64>) {
    let mut runs = BTreeMap::<String, u64>::new();
    for result in results {
        *runs.entry(result.scenario.clone()).or_default() += 1;
    }
    let scenarios = catalogue
        .scenarios()
        .iter()
        .filter(|s| runs.remove(&s.name).is_some());
    (scenarios.cloned().collect(), runs)
}

/// Opens a file with the desktop. Without a desktop, the path has been printed already.
fn open(page: &PathBuf) {
    let program = if cfg!(target_os = "macos") {
        "open"
    } else {
        "xdg-open"
    };
    let started = Command::new(program)
        .arg(page)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if !started.is_ok_and(|status| status.success()) {
        terminal::note(&format!("'{program}' could not open it"));
    }
}
