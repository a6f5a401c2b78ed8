//! The command `shrink`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
    time::Instant,
};

use anyhow::{Context, bail};
use indicatif::{ProgressBar, ProgressStyle};
use sleet::{
    run::{
        RunRecord, Runner,
        repro::Repro,
        summary::{exit, unexpected},
    },
    scenario::Scenario,
    shrink::{InProcess, Limits, ShrinkError, Shrunk, shrink as search},
    trace::{Tap, Watch},
};
use sleet_reports::{pcap, shrunk};

use crate::{
    Done,
    args::{Effort, ShrinkArgs},
    attach,
    catalogue::Catalogue,
    corpus,
    identity::build_id,
    pool::{
        usual_jobs,
        worker::{CAPTURE, REPRO},
    },
    subject::Subject,
    terminal,
};

/// Shrinks a failure, saves the smallest plan and checks it in a fresh process.
pub fn shrink(catalogue: &Catalogue, args: &ShrinkArgs) -> Done {
    let subject = Subject::find(catalogue, &args.what)?;
    let Some((shrunk, record)) = smallest(&subject, args.effort)? else {
        return Ok(exit::NOT_REPRODUCED);
    };
    let path = match &args.out {
        Some(file) => file.clone(),
        None => folder(catalogue, &subject.scenario, &shrunk, &record)?.join(REPRO),
    };
    write(&path, &(Repro::of(&record, &build_id()?).to_json() + "\n"))?;
    if !replays(&path)? {
        terminal::note(&format!(
            "not reproduced: a fresh process does not replay '{}'",
            path.display()
        ));
        return Ok(exit::NONDETERMINISTIC);
    }
    terminal::print(shrunk::summary(&record, &shrunk).trim_end());
    let replay = catalogue.command(&format!("replay {}", path.display()));
    terminal::print(&format!("replay: {replay}"));
    if args.add_to_corpus {
        corpus::add(catalogue, None, &path, None)?;
    }
    Ok(exit::OK)
}

/// Shrinks `subject` within `effort` and runs the result; returns `None`, with a note, if `subject` does not fail.
pub fn smallest(subject: &Subject, effort: Effort) -> anyhow::Result<Option<(Shrunk, RunRecord)>> {
    let plan = subject.living_plan()?;
    let executor = InProcess {
        scenario: subject.scenario.clone(),
        seed: subject.seed,
    };
    let time_is_left = within(effort);
    let limits = Limits {
        jobs: effort.jobs.unwrap_or_else(usual_jobs),
        tries: effort.tries,
        go_on: &time_is_left,
    };
    let bar = progress_bar();
    let found = search(&executor, &plan, limits, &mut |progress| {
        bar.set_position(progress.tries);
        bar.set_message(format!("{} elements left", progress.elements));
    });
    bar.finish_and_clear();
    let shrunk = match found {
        Ok(shrunk) => shrunk,
        Err(ShrinkError::Holds) => {
            terminal::note(&format!(
                "{}@{}: every oracle holds, there is nothing to shrink",
                subject.scenario.name, subject.seed
            ));
            return Ok(None);
        }
        Err(error @ ShrinkError::Execute(_)) => bail!(error),
    };
    let record = Runner::new(&subject.scenario, subject.seed)
        .with_plan(shrunk.plan.clone())
        .run()?;
    Ok(Some((shrunk, record)))
}

/// Returns a function that becomes false when the budget is used up.
#[allow(
    clippy::disallowed_methods,
    reason = "the budget is wall time; it decides only when to stop"
)]
fn within(effort: Effort) -> impl Fn() -> bool {
    let began = Instant::now();
    move || began.elapsed() < effort.budget
}

fn progress_bar() -> ProgressBar {
    let style = ProgressStyle::with_template("shrinking: {pos} tries, {msg} {elapsed}");
    ProgressBar::new_spinner().with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()))
}

/// Creates the default folder for a shrunken failure, with its trace and a report.
fn folder(
    catalogue: &Catalogue,
    scenario: &Arc<Scenario>,
    shrunk: &Shrunk,
    record: &RunRecord,
) -> anyhow::Result<PathBuf> {
    let name = format!("{}.{}", record.scenario.replace('/', "-"), record.seed);
    let folder = catalogue.target_folder().join("sim/shrink").join(name);
    fs::create_dir_all(&folder).with_context(|| format!("cannot create '{}'", folder.display()))?;
    write(&folder.join("trace.jsonl"), &record.trace.to_json_lines())?;
    write(&folder.join("report.txt"), &shrunk::report(record, shrunk))?;
    attach_to(catalogue, scenario, &folder, record)?;
    Ok(folder)
}

/// Writes the files for a ticket. The run takes place once more for the bytes of its packets.
fn attach_to(
    catalogue: &Catalogue,
    scenario: &Arc<Scenario>,
    folder: &Path,
    record: &RunRecord,
) -> anyhow::Result<()> {
    let result = record
        .result()
        .replayed_from(catalogue.program(), &folder.join(REPRO));
    let expected = !unexpected(scenario, &result);
    attach::drawings(folder, scenario, record, &result, expected)?;
    let watch = Arc::new(Watch::default().tapping());
    let again = Runner::new(scenario, record.seed)
        .with_plan(record.plan.clone())
        .watched(watch.clone())
        .run()?;
    let bytes = pcap::pcapng(&again, &watch.tap().map(Tap::take).unwrap_or_default())?;
    let file = folder.join(CAPTURE);
    fs::write(&file, bytes).with_context(|| format!("cannot write '{}'", file.display()))
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write '{}'", path.display()))
}

/// Reports whether a fresh process breaks the same oracle along the same path.
fn replays(path: &Path) -> anyhow::Result<bool> {
    let program = std::env::current_exe().context("cannot find this program")?;
    let status = Command::new(program)
        .arg("replay")
        .arg(path)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .context("cannot start a fresh process")?;
    Ok(status.code() == Some(i32::from(exit::OK)))
}
