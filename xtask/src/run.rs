//! `cargo xtask run`

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::Context;
use sleet::{
    run::{
        suite::{self, Options},
        summary::{Judgement, Summary, exit},
    },
    scenario::{Kind, Scenario},
    trace::Digest,
};
use sleet_reports::summary;

use crate::{
    Done,
    cli::RunArgs,
    folder::{Folder, Manifest},
    select, terminal,
};

/// Runs the suite that `args` asks for.
#[allow(
    clippy::disallowed_methods,
    reason = "wall time for the terminal and the manifest, nothing else"
)]
pub fn run(args: &RunArgs) -> Done {
    let scenarios = select::scenarios(&args.filter)?;
    let jobs = select::jobs(args, &scenarios);
    let workers = args.jobs.map_or_else(
        || thread::available_parallelism().map_or(1, usize::from),
        usize::from,
    );
    let path = args
        .out
        .clone()
        .unwrap_or_else(|| target_folder().join("sim").join(args.profile.name()));
    let build = build_id()?;
    let mut folder = Folder::create(&path, &build, jobs.len() as u64)?;

    let began = Instant::now();
    let started_unix_s = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |d| d.as_secs());
    let mut manifest = Manifest {
        v: 1,
        profile: args.profile.name().to_owned(),
        scenarios: scenarios
            .iter()
            .map(|s| (s.name.clone(), seeds_in_words(args, s)))
            .collect(),
        jobs: workers,
        verify_determinism: args.verify_determinism,
        build,
        versions: versions(),
        started_unix_s,
        took_ms: None,
        interrupted: false,
    };
    folder.write_manifest(&manifest)?;
    terminal::note(&format!(
        "{} runs of {} scenarios on {workers} threads, results in {}",
        jobs.len(),
        scenarios.len(),
        path.display()
    ));

    let interrupted = interrupt_flag()?;
    let options = Options {
        jobs: workers,
        verify_determinism: args.verify_determinism,
        interrupted: &interrupted,
    };
    let results = suite::run(&jobs, options, &mut folder)
        .with_context(|| format!("the suite stopped; results so far are in '{}'", path.display()))?;

    let sum = Summary::of(scenarios.iter().map(Arc::as_ref), &results);
    folder.write_summary(&sum)?;
    manifest.took_ms = Some(began.elapsed().as_millis() as u64);
    manifest.interrupted = interrupted.load(Ordering::Relaxed);
    folder.write_manifest(&manifest)?;
    print_summary(&sum, &path);
    terminal::note(&format!(
        "{} runs in {:.1} s",
        sum.runs(),
        began.elapsed().as_secs_f64()
    ));
    if manifest.interrupted && sum.exit_code() == exit::OK {
        terminal::note("interrupted: what ran is kept");
        return Ok(exit::INTERRUPTED);
    }
    Ok(sum.exit_code())
}

fn print_summary(sum: &Summary, path: &Path) {
    terminal::print(&summary::scenarios(sum));
    if !sum.remedies.is_empty() {
        terminal::print(&summary::remedies(&sum.remedies));
    }
    if !sum.mistakes.is_empty() {
        terminal::print(&summary::mistakes(&sum.mistakes));
    }
    for matrix in &sum.matrices {
        terminal::print(&format!("{}\n\n{}", matrix.scenario, summary::matrix(matrix)));
    }
    for s in sum
        .scenarios
        .iter()
        .filter(|s| s.kind == Kind::Demonstration && s.judgement == Judgement::Held)
    {
        if let Some(seed) = s.shown_by {
            terminal::note(&format!(
                "see {} fail: cargo xtask replay {}@{seed}",
                s.name, s.name
            ));
        }
    }
    if !sum.failures.is_empty() {
        terminal::print(&format!(
            "{} unexpected:\n{}",
            sum.failures.len(),
            summary::failures(sum)
        ));
        terminal::print(&format!("saved in {}", path.join("fail").display()));
    }
    terminal::print(&format!("digest over all runs: {}", sum.digest));
}

fn seeds_in_words(args: &RunArgs, scenario: &Scenario) -> String {
    let seeds = select::seeds(args, scenario);
    match (&args.seed[..], seeds.first(), seeds.last()) {
        ([], Some(first), Some(last)) => format!("{first}..{}", last.0 + 1),
        (seeds, ..) => seeds
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(","),
    }
}

/// Becomes true on Ctrl-C or SIGTERM.
fn interrupt_flag() -> anyhow::Result<Arc<AtomicBool>> {
    let flag = Arc::new(AtomicBool::new(false));
    let set = flag.clone();
    ctrlc::set_handler(move || set.store(true, Ordering::Relaxed)).context("cannot listen for interrupts")?;
    Ok(flag)
}

/// Tells builds apart: the digest of this program.
pub fn build_id() -> anyhow::Result<String> {
    let path = std::env::current_exe().context("cannot find this program")?;
    let program = std::fs::read(&path).with_context(|| format!("cannot read '{}'", path.display()))?;
    Ok(Digest::of(&program).to_string())
}

/// The versions of what a result depends on, from the lock file that this was built with.
fn versions() -> std::collections::BTreeMap<String, String> {
    const WANTED: [&str; 8] = [
        "sleet",
        "stun",
        "tokio",
        "tokio-tungstenite",
        "turmoil-net",
        "webrtc",
        "webrtc-ice",
        "webrtc-util",
    ];
    let mut versions = std::collections::BTreeMap::new();
    for package in include_str!("../../Cargo.lock").split("[[package]]") {
        let field = |key: &str| {
            let line = package.lines().find_map(|line| line.strip_prefix(key));
            line.map(|value| value.trim_matches('"').to_owned())
        };
        if let (Some(name), Some(version)) = (field("name = "), field("version = "))
            && WANTED.contains(&name.as_str())
        {
            versions.insert(name, version);
        }
    }
    versions
}

/// Where cargo puts what it builds.
pub fn target_folder() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => folder.into(),
        None => Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .unwrap_or(Path::new("."))
            .join("target"),
    }
}
