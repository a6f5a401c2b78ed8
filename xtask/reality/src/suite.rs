//! The job inside of the cage: the network is made once, and each case executes its plans in it, many side by side.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, Stdio},
    sync::{Mutex, PoisonError},
};

use anyhow::Context;
use serde::{Deserialize, Serialize};
use sleet::{
    fault::Plan,
    net::{latency::Latency, link::LinkProfile},
    run::result::{RESULT_VERSION, RunOutcome, RunResult},
    seed::Seed,
};

use crate::{
    cage,
    call::{self, Came},
    capture,
    cases::{Case, Story},
    catalogue,
    compare::Sample,
    nat::Gate,
    place::Place,
    tools::within,
    world::{OFFICE, World},
};

/// The folder of what was executed, in that of the results.
pub const EXECUTED: &str = "executed";
/// The name of the job in its folder.
pub const JOB: &str = "job.json";
/// What the job leaves beside it.
pub const RESULTS: &str = "results.jsonl";
/// How a line of the results names what its story measures, its pair, and what was left.
const MEASURED: &str = "connect_ms";
const PAIR: &str = "pair ";
const LEFT: &str = "left ";
/// How often a call is tried for which a phone was not there in time.
const TRIES: usize = 3;

/// What is to be done.
#[derive(Debug, Serialize, Deserialize)]
pub struct Job {
    /// The app under test.
    pub app: PathBuf,
    /// Cases by name, and how many calls of each.
    pub cases: Vec<(String, u64)>,
    /// How many calls take place side by side at most.
    pub side_by_side: u8,
    /// Whether STUN and TURN are by our own server instead of coturn.
    pub own_server: bool,
}

/// Does the job that lies in `folder`, in the cage.
///
/// # Errors
/// When something cannot be made or executed.
pub fn run(folder: &Path) -> anyhow::Result<()> {
    cage::settle()?;
    let job: Job = serde_json::from_str(&fs::read_to_string(folder.join(JOB))?)?;
    let known = catalogue::all();
    let wanted = job.cases.iter().filter_map(|(name, calls)| {
        let case = known.iter().find(|case| case.name == *name)?;
        Some((case, *calls))
    });
    let wanted: Vec<_> = wanted.collect();
    let lanes = wanted
        .iter()
        .map(|(case, _)| case.side_by_side)
        .max()
        .unwrap_or(1);
    let world = World::new(lanes.min(job.side_by_side).max(1))?;
    let mut results = File::create(folder.join(RESULTS))?;
    for (case, calls) in wanted {
        let logs = folder.join("logs").join(&case.name);
        let captures = capture::Folder::new(folder, &case.name)?;
        let done = execute(&world, &job, case, calls, &logs, captures).with_context(|| case.name.clone())?;
        for result in done {
            writeln!(results, "{}", serde_json::to_string(&result)?)?;
        }
        results.flush()?;
    }
    Ok(())
}

/// A process that ends with its handle.
struct Served(Child);

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn execute(
    world: &World,
    job: &Job,
    case: &Case,
    calls: u64,
    logs: &Path,
    captures: capture::Folder,
) -> anyhow::Result<Vec<RunResult>> {
    let first = case.plan(Seed(0));
    let gates = [
        Gate::of(&first, "alice", case.shape.input[0])?,
        Gate::of(&first, "bob", case.shape.input[1])?,
    ];
    let wired = needs_wire(&first);
    world.shape(&gates, wired)?;
    fs::create_dir_all(logs)?;
    let _office = office(&job.app, &first, logs)?;
    let next = Mutex::new(0..calls);
    let captures = Mutex::new(captures);
    let done = Mutex::new(BTreeMap::new());
    let work = |lane: u8| {
        loop {
            let seed = next.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some(seed) = seed.map(Seed) else {
                return anyhow::Ok(());
            };
            let place = Place {
                world,
                lane,
                app: &job.app,
                own_server: job.own_server,
                logs: &logs.join(seed.0.to_string()),
                gates,
                story: case.shape.story,
            };
            let came = called(&place, seed, &case.plan(seed))?;
            let mut kept = captures.lock().unwrap_or_else(PoisonError::into_inner);
            let file = kept.file(seed.0, came.well).filter(|_| wired);
            drop(kept);
            if let Some(file) = file {
                world.keep(lane, &file, &format!("{}@{}", case.name, seed.0))?;
            }
            if came.well {
                fs::remove_dir_all(place.logs)?;
            }
            let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
            done.insert(seed, result(case, seed, &came));
        }
    };
    std::thread::scope(|scope| {
        let lanes = 1..=world.lanes.min(case.side_by_side);
        let threads: Vec<_> = lanes.map(|lane| scope.spawn(move || work(lane))).collect();
        let mut ended = threads.into_iter().map(|t| t.join());
        ended.try_for_each(|end| end.map_err(|_| anyhow::anyhow!("a call ended in a panic"))?)
    })?;
    let done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(done.into_values().collect())
}

/// A call. If a phone had not signed in when it was called, it counts for nothing, and is tried again.
fn called(place: &Place<'_>, seed: Seed, plan: &Plan) -> anyhow::Result<Came> {
    let absent = |came: &Came| came.end.as_ref().is_some_and(|end| end.contains("absent"));
    for _ in 0..TRIES {
        let came = call::execute(place, seed, plan).with_context(|| format!("seed {}", seed.0))?;
        if !absent(&came) {
            return Ok(came);
        }
    }
    anyhow::bail!("seed {}: a phone does not sign in", seed.0)
}

fn needs_wire(plan: &Plan) -> bool {
    let nothing = LinkProfile::good(Latency::NONE);
    let interfaces = plan.topology.hosts.iter().flat_map(|h| &h.interfaces);
    interfaces
        .into_iter()
        .any(|i| i.up != nothing || i.down != nothing)
        || !plan.faults.is_empty()
}

/// The app's server, as slow as the plan says.
fn office(app: &Path, plan: &Plan, logs: &Path) -> anyhow::Result<Served> {
    let mut command = within("srv", app);
    command.args(["serve", "--listen", &format!("{OFFICE}:443")]);
    for slow in &plan.slow_steps {
        let (least, most) = match slow.by {
            Latency::Constant { us } => (us, us),
            Latency::Uniform { min_us, max_us } => (min_us, max_us),
            Latency::Quantiles { .. } => anyhow::bail!("the real server knows no quantiles"),
        };
        let step = format!("{}={}..{}", slow.step, least / 1_000, most / 1_000);
        command.args(["--slow", &step]);
    }
    let log = File::create(logs.join("office.log"))?;
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
    let mut child = command.spawn().context("the app's server")?;
    let stdout = child.stdout.take().context("its output")?;
    let served = Served(child);
    let mut says = String::new();
    BufReader::new(stdout).read_line(&mut says)?;
    anyhow::ensure!(says == "listening\n", "the app's server does not listen");
    Ok(served)
}

fn result(case: &Case, seed: Seed, came: &Came) -> RunResult {
    let left = || {
        let left = came.left.iter().map(|(what, n)| format!("{what} {n}"));
        left.collect::<Vec<_>>().join(", ")
    };
    let why = match (came.well, case.shape.story, &came.end) {
        (true, ..) => None,
        (_, Story::HungUp(_), _) => Some(format!("it left: {}", left())),
        (.., Some(end)) => Some(format!("it ended by itself: {end}")),
        (.., None) => Some("it did not connect in time".to_owned()),
    };
    let ms = came.ms.map(|ms| (MEASURED.to_owned(), ms));
    let pair = came.pair.iter().map(|pair| (format!("{PAIR}{pair}"), 1));
    let left = came.left.iter().map(|(what, n)| (format!("{LEFT}{what}"), *n));
    RunResult {
        v: RESULT_VERSION,
        outcome: if came.well {
            RunOutcome::Pass
        } else {
            RunOutcome::Fail
        },
        why: why.clone(),
        oracle: why.map(|_| case.shape.story.oracle().to_owned()),
        stats: ms.into_iter().collect(),
        marks: pair.chain(left).collect(),
        replay: format!("cargo xtask reality ={}", case.name),
        sim_ms: came.took_ms,
        ..RunResult::without_record(&case.name, seed, RunOutcome::Pass, String::new())
    }
}

/// What the lines of [`RESULTS`] say, by case.
///
/// # Errors
/// When there are none, or one cannot be read.
pub fn samples(folder: &Path) -> anyhow::Result<BTreeMap<String, Sample>> {
    let mut samples: BTreeMap<String, Sample> = BTreeMap::new();
    for line in fs::read_to_string(folder.join(RESULTS))?.lines() {
        let result: RunResult = serde_json::from_str(line)?;
        let pair = result.marks.keys().find_map(|mark| mark.strip_prefix(PAIR));
        let ms = result.stats.get(MEASURED).copied();
        let left = result.marks.keys().filter_map(|mark| mark.strip_prefix(LEFT));
        let left: Vec<String> = left.map(str::to_owned).collect();
        let sample = samples.entry(result.scenario).or_default();
        sample.add(result.outcome == RunOutcome::Pass, ms, pair);
        sample.leaves(&left);
    }
    Ok(samples)
}
