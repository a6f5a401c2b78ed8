//! Files for a ticket: a capture, a timeline, diagrams and traces, beside each saved failure.
//!
//! Everything but the capture is made from saved files. A capture needs the bytes of packets, which are not kept: the
//! failure runs once more for it, in a worker, and if that run is not identical to the saved one there is no capture.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::{Arc, atomic::AtomicBool},
};

use anyhow::Context;
use sleet::{
    run::{
        RunRecord,
        repro::Repro,
        result::{RunOutcome, RunResult},
        summary::unexpected,
    },
    scenario::Scenario,
    trace::Trace,
};
use sleet_reports::{
    gather::Gathered,
    html::{self, Page},
    mermaid, perfetto, rtcstats,
    tracks::Tracks,
};
use tempfile::TempDir;

use crate::{
    catalogue::Catalogue,
    crash_report::read_torn,
    folder::{no_room, write},
    pool::{
        Process, Run, Settings,
        protocol::Request,
        run_in,
        worker::{CAPTURE, REPRO, TRACE},
    },
    select, terminal,
};

/// A saved failure.
struct Saved {
    folder: PathBuf,
    scenario: Arc<Scenario>,
    repro: Repro,
    result: RunResult,
    record: RunRecord,
    is_unexpected: bool,
}

/// The longest trace that is drawn, in events. A run of 1,024 peers has more, and no timeline of it could be read.
const MOST_EVENTS: usize = 200_000;

/// Attaches to the failures saved in `folder`, to the first `most` of them where that is said: unexpected ones first, then the
/// first of each scenario that is there to fail. Gives their pages in that order.
///
/// # Errors
/// Fails if something cannot be written, or no worker can be started.
pub fn attach(
    catalogue: &Catalogue,
    folder: &Path,
    gathered: &Gathered<'_>,
    most: Option<usize>,
) -> anyhow::Result<Vec<Page>> {
    let mut pages = Vec::new();
    let mut worker = None;
    for path in in_order(catalogue, folder, gathered)
        .into_iter()
        .take(most.unwrap_or(usize::MAX))
    {
        let Some(saved) = read(catalogue, &path, gathered) else {
            continue;
        };
        let (name, seed) = (&saved.repro.scenario, saved.repro.seed);
        let events = saved.record.trace.events.len();
        if events > MOST_EVENTS {
            terminal::note(&format!(
                "no drawings of {name}@{seed}: its trace has {events} events, and at most {MOST_EVENTS} are drawn; trace.jsonl has \
                 all of them"
            ));
            continue;
        }
        if let Err(why) = capture(&saved, &mut worker) {
            terminal::note(&format!("no capture of {name}@{seed}: {why:#}"));
        }
        pages.push(drawings(
            &saved.folder,
            &saved.scenario,
            &saved.record,
            &saved.result,
            !saved.is_unexpected,
        )?);
    }
    Ok(pages)
}

/// Writes everything that is made from one run into `folder`, and returns its page.
///
/// # Errors
/// Fails if it cannot be written.
pub fn drawings(
    folder: &Path,
    scenario: &Scenario,
    record: &RunRecord,
    result: &RunResult,
    expected: bool,
) -> anyhow::Result<Page> {
    let tracks = Tracks::of(record);
    let page = Page::of(scenario, record, result, expected);
    write(folder, "sequence.mmd", &mermaid::diagram(record, &tracks))?;
    write(folder, "perfetto.json", &perfetto::json(record, &tracks))?;
    write(folder, "rtcstats.txt", &rtcstats::dump(record, &tracks))?;
    write(folder, "report.html", &html::failure(&page))?;
    Ok(page)
}

/// Returns the folders of saved failures: unexpected ones, then the first of each scenario, then the rest; each in the
/// order of the catalogue and of seeds.
fn in_order(catalogue: &Catalogue, folder: &Path, gathered: &Gathered<'_>) -> Vec<PathBuf> {
    let places: BTreeMap<&str, usize> = catalogue
        .scenarios()
        .iter()
        .enumerate()
        .map(|(place, s)| (s.name.as_str(), place))
        .collect();
    let unexpected: BTreeSet<(&str, u64)> = gathered
        .failures()
        .map(|run| (run.scenario.as_str(), run.seed.0))
        .collect();
    let mut found = Vec::new();
    for entry in fs::read_dir(folder.join("fail")).into_iter().flatten().flatten() {
        let Some(repro) = read_repro(&entry.path()) else {
            continue;
        };
        if let Some(place) = places.get(repro.scenario.as_str()) {
            let is_expected = !unexpected.contains(&(repro.scenario.as_str(), repro.seed.0));
            found.push((is_expected, *place, repro.seed, entry.path()));
        }
    }
    found.sort();
    let mut seen = BTreeSet::new();
    let mut ranked: Vec<_> = found
        .into_iter()
        .map(|(is_expected, place, seed, path)| {
            let rank = if is_expected {
                1 + usize::from(!seen.insert(place))
            } else {
                0
            };
            (rank, place, seed, path)
        })
        .collect();
    ranked.sort();
    ranked.into_iter().map(|(.., path)| path).collect()
}

fn read_repro(folder: &Path) -> Option<Repro> {
    Repro::parse(&fs::read_to_string(folder.join(REPRO)).ok()?).ok()
}

fn read(catalogue: &Catalogue, folder: &Path, gathered: &Gathered<'_>) -> Option<Saved> {
    let repro = read_repro(folder)?;
    let scenario = select::scenario(catalogue, &repro.scenario).ok()?;
    let trace = read_torn(&folder.join(TRACE))?;
    let record = RunRecord::recall(&scenario, repro.seed, Arc::new(repro.plan.clone()), trace);
    let told = gathered
        .failures()
        .find(|run| run.scenario == repro.scenario && run.seed == repro.seed);
    let result = told
        .cloned()
        .unwrap_or_else(|| record.result().replayed_by(catalogue.program()));
    Some(Saved {
        folder: folder.to_owned(),
        is_unexpected: told.is_some() || unexpected(&scenario, &result),
        scenario,
        repro,
        result,
        record,
    })
}

/// Makes the capture of a failure that has none.
fn capture(saved: &Saved, worker: &mut Option<Process>) -> anyhow::Result<()> {
    let file = saved.folder.join(CAPTURE);
    if file.is_file()
        || matches!(
            saved.result.outcome,
            RunOutcome::Crash | RunOutcome::Hang | RunOutcome::Error
        )
    {
        return Ok(());
    }
    let room = TempDir::new().context("no room for a run")?;
    let request = Request::Play {
        repro: Box::new(saved.repro.clone()),
        save: Some(room.path().to_owned()),
        capture: true,
    };
    let settings = Settings::usual()?;
    let asked = (&request, settings.patience(&saved.scenario));
    let never = AtomicBool::new(false);
    match run_in(worker, &settings, asked, &never, |_, _| {})?.context("nobody stops it")? {
        Run::Ended(_, Some(unsaved)) => anyhow::bail!(unsaved),
        Run::Died(death, _) => anyhow::bail!("{death}"),
        Run::Ended(_, None) => {}
    }
    let again = read_torn(&room.path().join(TRACE)).unwrap_or_else(|| Trace::from_events(Vec::new()));
    anyhow::ensure!(
        again.digest == saved.record.trace.digest,
        "this program runs it along another path than the one that saved it"
    );
    fs::copy(room.path().join(CAPTURE), &file).with_context(|| no_room(&saved.folder))?;
    Ok(())
}
