//! The command `run`.

use std::{
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::Context;
use sleet::run::{shard::Shard, summary::exit, tally::Tally};
use sleet_reports::gather::Gathered;

use crate::{
    Done,
    args::{Profile, RunArgs},
    catalogue::Catalogue,
    corpus, ending,
    folder::Folder,
    identity::{build_id, versions},
    manifest::{MANIFEST_VERSION, Manifest},
    papers,
    pool::{self, End, Settings, Suite},
    progress::Progress,
    schedule::Schedule,
    select,
    shards::{self, ShardArg},
    terminal, wall,
};

/// Runs the suite that `args` asks for.
pub fn run(catalogue: &Catalogue, args: &RunArgs) -> Done {
    let began = wall::now();
    let scenarios = select::scenarios(catalogue, &args.filter)?;
    let shard = shard(args)?;
    let (schedule, seeds) = select::schedule(args, &scenarios, shard)?;
    let path = args
        .out
        .clone()
        .unwrap_or_else(|| catalogue.target_folder().join("sim").join(args.profile.name()));
    let mut manifest = Manifest {
        v: MANIFEST_VERSION,
        profile: args.profile.name().to_owned(),
        scenarios: seeds,
        shard,
        verify_determinism: args.verify_determinism,
        build: build_id()?,
        versions: versions(catalogue),
        lock_file: catalogue.lock_hash(),
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

    let interrupted = interrupt_flag()?;
    let settings = Settings::new(
        args.memory_limit.get(),
        Duration::from_secs(args.hang_after.get()),
    )?;
    let corpus = corpus::run_first(catalogue, &scenarios, &settings, &interrupted)?;
    let folder = Mutex::new(folder);
    let suite = Suite {
        program: catalogue.program(),
        jobs: workers(args),
        settings,
        verify_determinism: args.verify_determinism,
        interrupted: &interrupted,
        deadline: args.budget.map(|budget| began + budget),
        folder: &folder,
    };
    let end = play(suite, &schedule)?;

    let mut folder = folder.into_inner().expect("slots do not panic");
    let is_whole = end == End::Finished && shard == Shard::WHOLE;
    let tally = Tally::new(scenarios.iter().map(Arc::as_ref));
    let mut gathered = Gathered::new(scenarios.iter().map(Arc::as_ref));
    let sum = folder.finish(&schedule, tally, &mut gathered, is_whole)?;
    manifest.complete = end == End::Finished;
    manifest.took_ms = Some(began.elapsed().as_millis() as u64);
    folder.write_manifest(&manifest)?;
    let papers = papers::Papers {
        catalogue,
        folder: &path,
        sum: &sum,
        gathered: &gathered,
        manifest: Some(&manifest),
    };
    // An interrupted suite ends quickly: `report` makes the pages later.
    papers.leave(Some(if end == End::Interrupted { 0 } else { papers::PAGES }))?;
    ending::print(catalogue, &sum, &path, args.verbose);
    papers::tell_ci(&sum, &gathered)?;
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

/// Runs the remaining jobs in the slots, and then confirms their failures.
pub fn play(mut suite: Suite<'_>, schedule: &Schedule) -> anyhow::Result<End> {
    let ended = suite.folder.lock().expect("slots do not panic").ended().clone();
    let todo = schedule.jobs().filter(|(number, _)| !ended.contains(*number));
    let end = pool::run(&suite, todo)?;
    // Results are confirmed even after the end of the budget: it takes little time, and an unconfirmed result is half a
    // result.
    suite.deadline = None;
    match pool::confirm_expected(&suite)? {
        End::Interrupted => Ok(End::Interrupted),
        _ => Ok(end),
    }
}

/// Opens the folder, new or to be resumed.
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
            Folder::create(path, Progress::new(schedule.len()))
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
    let done = match folder.ended().len() {
        0 => String::new(),
        n => format!(", {n} of them done before"),
    };
    terminal::note(&format!(
        "{runs} of {scenarios} scenarios{part} on {} workers{done}, results in {}",
        manifest.jobs,
        folder.path().display()
    ));
}

/// Prints why not everything ran, and returns the exit code for that.
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
    args.jobs.unwrap_or_else(pool::usual_jobs).get()
}

/// Returns a flag that becomes true on Ctrl-C or SIGTERM.
pub fn interrupt_flag() -> anyhow::Result<Arc<AtomicBool>> {
    let flag = Arc::new(AtomicBool::new(false));
    let set = flag.clone();
    ctrlc::set_handler(move || set.store(true, Ordering::Relaxed)).context("cannot listen for interrupts")?;
    Ok(flag)
}
