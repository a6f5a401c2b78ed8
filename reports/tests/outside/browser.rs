//! The HTML, driven in a browser: search, a failure of more than 1,000 packets, zoom, pan, hover, filters, the replay line.
//!
//! How long frames took is printed, not judged: that is the machine's doing.

use std::{
    fs,
    io::{self, Write},
    process::Command,
};

use sleet::{
    run::{result::RunResult, summary::Summary},
    seed::Seed,
};
use sleet_reports::{
    gather::Gathered,
    html::{self, Other, Page, Suite},
};

use crate::{
    runs::{self, Run},
    tools,
};

const DRIVE: &str = include_str!("browser.mjs");
/// A green suite, and the file of one failure.
const SUITE_LIMIT: usize = 1_000_000;
const FAILURE_LIMIT: usize = 500_000;

/// What a run is in a suite that does not expect it to fail so.
fn unexpected(run: &Run) -> RunResult {
    let mut result = run.record.result().replayed_by("cargo xtask");
    result.oracle = result.oracle.map(|_| "NOT-EXPECTED".to_owned());
    result
}

fn page(run: &Run) -> Page {
    Page::of(&run.scenario, &run.record, &unexpected(run), false)
}

/// A call of several people, with thousands of packets.
fn large() -> Run {
    runs::find("calls/misdirects-group-dial", |r| {
        r.packets >= 1_000 && r.failure().is_some()
    })
}

#[test]
fn an_engineer_finds_a_failure_and_looks_into_it() {
    let catalogue = sleet_scenarios::catalogue();
    let runs = [large(), runs::find("candidates/naive", |r| r.failure().is_some())];
    let mut results: Vec<RunResult> = runs.iter().map(unexpected).collect();
    for scenario in catalogue.iter().filter(|s| s.name.starts_with("candidates/")) {
        let run = runs::play(scenario, Seed(1_000));
        results.push(run.record.result().replayed_by("cargo xtask"));
    }
    let scenarios = || catalogue.iter().map(AsRef::as_ref);
    let summary = Summary::of(scenarios(), &results);
    let mut gathered = Gathered::new(scenarios());
    results.iter().for_each(|result| gathered.add(result));
    let about = [("profile".to_owned(), "test".to_owned())];
    let suite = Suite {
        summary: &summary,
        gathered: &gathered,
        about: &about,
        program: "cargo xtask",
        reality: &[],
    };
    let pages: Vec<Page> = runs.iter().map(page).collect();
    let made = html::suite(&suite, &pages);
    assert_eq!(made, html::suite(&suite, &pages), "made twice");
    assert!(made.len() < SUITE_LIMIT, "{} bytes", made.len());
    for page in &pages {
        let bytes = html::failure(page).len();
        assert!(bytes < FAILURE_LIMIT, "{}: {bytes} bytes", page.id());
    }
    drive(&made, pages[0].id());
}

fn drive(made: &str, id: &str) {
    let (Some(modules), Some(chromium)) = (tools::node_module("playwright-core"), tools::program("chromium"))
    else {
        return tools::skipped("a browser drives the HTML", "playwright-core or chromium");
    };
    let folder = tools::folder("browser");
    let [file, script] = ["report.html", "browser.mjs"].map(|name| folder.join(name));
    fs::write(&file, made).expect("it is written");
    fs::write(&script, DRIVE).expect("it is written");
    let mut node = Command::new("node");
    node.arg(script)
        .arg(modules)
        .arg(chromium)
        .arg(folder.join("profile"))
        .arg(file)
        .arg(id)
        .arg(folder.join("shot"));
    let figures = tools::output(&mut node);
    let _ = io::stderr().write_all(figures.as_bytes());
}

#[test]
fn no_text_of_a_run_is_markup() {
    let mut run = runs::find("candidates/naive", |r| r.failure().is_some());
    run.record.scenario = "</script><script>alert(1)</script>".to_owned();
    let mut result = unexpected(&run);
    result.why = Some("<img src=x onerror=alert(1)>".to_owned());
    result.scenario = run.record.scenario.clone();
    let made = html::failure(&Page::of(&run.scenario, &run.record, &result, false));
    assert!(!made.contains("<script>alert"), "no script of a run's");
    assert!(!made.contains("<img"), "no element of a run's");
}

#[test]
fn two_runs_lie_over_each_other() {
    let left = runs::find("candidates/naive", |r| r.failure().is_some());
    let right = runs::play(&left.scenario, Seed(left.record.seed.0 + 1));
    let other = Other {
        name: "the next seed",
        record: &right.record,
    };
    let made = html::failure(&page(&left).beside(&left.record, other));
    assert!(made.len() > html::failure(&page(&left)).len());
    assert!(made.len() < FAILURE_LIMIT);
}
