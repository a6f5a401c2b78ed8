//! `cargo xtask run`

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::Context;
use sleet::{
    run::{
        shard::Shard,
        summary::{Judgement, Summary, exit},
    },
    scenario::{Kind, Scenario},
    trace::Digest,
};
use sleet_reports::summary;

use crate::{
    Done,
    cli::{Profile, RunArgs},
    corpus,
    folder::Folder,
    manifest::{MANIFEST_VERSION, Manifest},
    pool::{self, End, Settings, Suite, protocol},
    schedule::Schedule,
    select,
    shards::{self, ShardArg},
    terminal, wall,
};

/// Runs the suite that `args` asks for.
pub fn run(args: &RunArgs) -> Done {
    let began = wall::now();
    let scenarios = select::scenarios(&args.filter)?;
    let shard = shard(args)?;
    let (schedule, seeds) = select::schedule(args, &scenarios, shard)?;
    let path = args
        .out
        .clone()
        .unwrap_or_else(|| target_folder().join("sim").join(args.profile.name()));
    let mut manifest = Manifest {
        v: MANIFEST_VERSION,
        profile: args.profile.name().to_owned(),
        scenarios: seeds,
        shard,
        verify_determinism: args.verify_determinism,
        build: build_id()?,
        versions: versions(),
        jobs: workers(args),
        memory_limit_mib: args.memory_limit.get(),
        hang_after_s: args.hang_after.get(),
        started_unix_s: wall::unix_s(),
        took_ms: None,
        complete: false,
    };
    let folder = open(args, &path, &schedule, &manifest)?;
    folder.write_manifest(&manifest)?;
    say_what_begins(&folder, &schedule, &manifest, scenarios.len());

    let corpus = corpus::run_first(&scenarios)?;
    let folder = Mutex::new(folder);
    let end = play(args, &schedule, &folder, began)?;

    let mut folder = folder.into_inner().expect("slots do not panic");
    manifest.complete = end == End::Finished && shard == Shard::WHOLE;
    let sum = summarise(&scenarios, &folder, manifest.complete);
    folder.finish(&sum)?;
    manifest.complete = end == End::Finished;
    manifest.took_ms = Some(began.elapsed().as_millis() as u64);
    folder.write_manifest(&manifest)?;
    print_summary(&sum, &path);
    terminal::note(&format!(
        "{} runs in {:.1} s",
        sum.runs(),
        began.elapsed().as_secs_f64()
    ));
    Ok(exit::gravest([
        sum.exit_code(),
        corpus,
        say_how_it_ended(args, end),
    ]))
}

/// Has the slots run what is left, and then confirms what they found.
fn play(args: &RunArgs, schedule: &Schedule, folder: &Mutex<Folder>, began: Instant) -> anyhow::Result<End> {
    let interrupted = interrupt_flag()?;
    let mut suite = Suite {
        jobs: workers(args),
        settings: Settings {
            stamp: protocol::stamp().context("cannot look at this program")?,
            build: build_id()?,
            memory_limit_mib: args.memory_limit.get(),
            hang_after: Duration::from_secs(args.hang_after.get()),
        },
        verify_determinism: args.verify_determinism,
        interrupted: &interrupted,
        deadline: args.budget.map(|budget| began + budget),
        folder,
    };
    let ended = folder.lock().expect("slots do not panic").places();
    let todo = schedule.jobs().filter(|(place, _)| !ended.contains(place));
    let end = pool::run(&suite, todo)?;
    // What ran is confirmed even where the budget has ended: it is little, and a result until then is half a result.
    suite.deadline = None;
    match pool::confirm_expected(&suite)? {
        End::Interrupted => Ok(End::Interrupted),
        _ => Ok(end),
    }
}

/// The folder, new or where it was left.
fn open(args: &RunArgs, path: &Path, schedule: &Schedule, manifest: &Manifest) -> anyhow::Result<Folder> {
    let before = if args.resume { Manifest::read(path)? } else { None };
    match before {
        Some(before) => match before.difference(manifest) {
            None => Folder::resume(path, schedule),
            Some(difference) => anyhow::bail!(
                "cannot resume in '{}', which is of another suite: {difference}",
                path.display()
            ),
        },
        None => {
            if args.resume {
                terminal::note(&format!(
                    "nothing to resume in {}: it begins there",
                    path.display()
                ));
            }
            Folder::create(path, schedule.len())
        }
    }
}

fn say_what_begins(folder: &Folder, schedule: &Schedule, manifest: &Manifest, scenarios: usize) {
    let runs = schedule.len().map_or_else(
        || "runs until the budget ends".to_owned(),
        |n| format!("{n} runs"),
    );
    let part = match manifest.shard {
        Shard::WHOLE => String::new(),
        shard => format!(" (shard {shard})"),
    };
    let done = match folder.runs() {
        0 => String::new(),
        n => format!(", {n} of them done before"),
    };
    terminal::note(&format!(
        "{runs} of {scenarios} scenarios{part} on {} workers{done}, results in {}",
        manifest.jobs,
        folder.path().display()
    ));
}

/// Says why not everything ran, with the exit code for that.
fn say_how_it_ended(args: &RunArgs, end: End) -> u8 {
    match end {
        End::Finished => exit::OK,
        End::Interrupted => {
            terminal::note("interrupted: what ran is kept, --resume goes on");
            exit::INTERRUPTED
        }
        End::BudgetEnded if args.profile == Profile::Soak => exit::OK,
        End::BudgetEnded => {
            terminal::note("the budget ended first: what ran is kept, --resume goes on");
            exit::BUDGET
        }
    }
}

fn summarise(scenarios: &[Arc<Scenario>], folder: &Folder, is_whole: bool) -> Summary {
    let results: Vec<_> = folder.results().cloned().collect();
    let catalogue = scenarios.iter().map(Arc::as_ref);
    match is_whole {
        true => Summary::of(catalogue, &results),
        false => Summary::of_part(catalogue, &results),
    }
}

fn shard(args: &RunArgs) -> anyhow::Result<Shard> {
    let env = |name: &str| std::env::var(name).ok();
    match args.shard {
        None => Ok(Shard::WHOLE),
        Some(ShardArg::Is(shard)) => Ok(shard),
        Some(ShardArg::Auto) => {
            let shard = shards::auto(&env)?;
            shards::acknowledge(&env)?;
            Ok(shard)
        }
    }
}

fn workers(args: &RunArgs) -> usize {
    args.jobs.map_or_else(
        || thread::available_parallelism().map_or(1, usize::from),
        usize::from,
    )
}

/// Prints what a suite comes to.
pub fn print_summary(sum: &Summary, path: &Path) {
    terminal::print(&summary::scenarios(sum));
    if !sum.remedies.is_empty() {
        terminal::print(&summary::remedies(&sum.remedies));
    }
    if let Some(orders) = summary::orders(sum) {
        terminal::print(&orders);
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

/// Becomes true on Ctrl-C or SIGTERM.
fn interrupt_flag() -> anyhow::Result<Arc<AtomicBool>> {
    let flag = Arc::new(AtomicBool::new(false));
    let set = flag.clone();
    ctrlc::set_handler(move || set.store(true, Ordering::Relaxed)).context("cannot listen for interrupts")?;
    Ok(flag)
}

/// Tells builds apart: the digest of this program.
pub fn build_id() -> anyhow::Result<String> {
    static KNOWN: OnceLock<String> = OnceLock::new();
    if let Some(known) = KNOWN.get() {
        return Ok(known.clone());
    }
    let path = protocol::program().context("cannot find this program")?;
    let program = std::fs::read(&path).with_context(|| format!("cannot read '{}'", path.display()))?;
    Ok(KNOWN.get_or_init(|| Digest::of(&program).to_string()).clone())
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
