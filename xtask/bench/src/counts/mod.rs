//! Instruction counts of one seed per family, by part: figures that a busy machine cannot blur.
//!
//! A scenario's seed runs once and then several times under callgrind; the difference, divided, is what one more run costs, without
//! the start of the process. Counts differ a little from run to run, because threads take turns as they like; they
//! differ more between machines whose processors have other instructions, so compare counts of one machine only.

mod kept;
mod parse;
mod part;

use std::{
    collections::BTreeMap,
    env, fs,
    process::{Command, Stdio},
};

use anyhow::{Context, ensure};
pub use part::Part;
use thiserror::Error;

use crate::{args::CountsArgs, print};

/// How it ends where valgrind is missing.
const MISSING: u8 = 3;
/// How it ends where a count has moved.
const MOVED: u8 = 1;
/// By how much a count may move, in percent.
const TOLERANCE: f64 = 3.0;
/// How many callers of a function are kept: enough that one of them says for whom the standard library works.
const NEAREST: u32 = 12;
/// Runs that are counted, after the first of the process.
const RUNS: u32 = 4;
/// The seed that is counted.
const SEED: u64 = 0;

/// Whether functions are kept apart by their callers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Callers {
    /// They are, for [`Count::ours`]. It takes almost three times as long.
    Apart,
    /// They are not.
    Together,
}

/// There is no valgrind.
#[derive(Clone, Copy, Debug, Error)]
#[error("valgrind is not installed: `apt-get install valgrind`, or your system's package of that name")]
pub struct NoValgrind;

/// What one run of a scenario's seed costs.
#[derive(Clone, Debug)]
pub struct Count {
    /// Instructions by function with its callers.
    functions: BTreeMap<String, f64>,
    callers: Callers,
}

impl Count {
    /// Instructions of `part`.
    pub fn of(&self, part: Part) -> f64 {
        let parts = self
            .functions
            .iter()
            .map(|(f, cost)| (Part::of(parse::function(f)), cost));
        parts.filter(|(of, _)| *of == part).map(|(_, cost)| cost).sum()
    }

    /// Instructions of the project's own parts, with what they ask of the standard library and the allocator; `None` if callers were not
    /// kept apart.
    pub fn ours(&self) -> Option<f64> {
        if self.callers == Callers::Together {
            return None;
        }
        let own = self.functions.iter().filter(|(f, _)| {
            let mut parts = parse::chain(f).map(Part::of);
            parts.find(|part| !part.is_anybodys()).is_some_and(Part::is_ours)
        });
        Some(own.map(|(_, cost)| cost).sum())
    }

    /// All instructions.
    pub fn total(&self) -> f64 {
        self.functions.values().sum()
    }

    /// The `n` functions that take most, with what they take.
    fn most(&self, n: usize) -> Vec<(&str, f64)> {
        let mut by_name: BTreeMap<&str, f64> = BTreeMap::new();
        for (chain, cost) in &self.functions {
            *by_name.entry(parse::function(chain)).or_default() += cost;
        }
        let mut all: Vec<(&str, f64)> = by_name.into_iter().collect();
        all.sort_by(|a, b| b.1.total_cmp(&a.1));
        all.truncate(n);
        all
    }
}

/// Counts what one more run of `seed` of `scenario` costs.
///
/// # Errors
/// [`NoValgrind`]; a run that fails.
pub fn count(scenario: &str, seed: u64, callers: Callers) -> anyhow::Result<Count> {
    let (once, often) = (
        run(scenario, seed, 1, callers)?,
        run(scenario, seed, 1 + RUNS, callers)?,
    );
    let mut functions = BTreeMap::new();
    for (name, cost) in &often {
        let cost = cost - once.get(name).copied().unwrap_or_default();
        if cost != 0 && !is_waiting(parse::function(name)) {
            functions.insert(name.clone(), cost as f64 / f64::from(RUNS));
        }
    }
    Ok(Count { functions, callers })
}

/// Whether a function only waits for another thread, for as long as that takes.
fn is_waiting(name: &str) -> bool {
    ["wait_for_blocking_pool", "stand_still", "sched_yield"]
        .iter()
        .any(|waits| name.contains(waits))
}

/// What the functions of a process take that runs the seed so often.
fn run(scenario: &str, seed: u64, times: u32, callers: Callers) -> anyhow::Result<parse::ByFunction> {
    let folder = tempfile::tempdir()?;
    let out = folder.path().join("callgrind.out");
    let done = Command::new("valgrind")
        .arg("--tool=callgrind")
        .args(["--compress-strings=no", "--compress-pos=no", "--quiet"])
        .args((callers == Callers::Apart).then(|| format!("--separate-callers={NEAREST}")))
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(env::current_exe()?)
        .args(["again", scenario, &seed.to_string(), &times.to_string()])
        // What a user's environment holds lies on the stack of the process.
        .env_clear()
        .stdin(Stdio::null())
        .output();
    let done = match done {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(NoValgrind.into()),
        done => done.context("cannot start valgrind")?,
    };
    ensure!(
        done.status.success(),
        "{scenario}@{seed} under valgrind: {}\n{}",
        done.status,
        String::from_utf8_lossy(&done.stderr)
    );
    let text = fs::read(&out).context("callgrind wrote nothing")?;
    Ok(parse::self_costs(&String::from_utf8_lossy(&text)))
}

/// Counts, prints, and writes or compares.
///
/// # Errors
/// A run that fails, a file that cannot be read or written.
pub fn command(args: &CountsArgs) -> anyhow::Result<u8> {
    let mut counted = BTreeMap::new();
    let wanted = match (&args.families[..], args.check) {
        ([], true) => kept::read()?.into_keys().collect(),
        (families, _) => kept::scenarios(families)?,
    };
    for scenario in wanted {
        let callers = match args.check {
            true => Callers::Together,
            false => Callers::Apart,
        };
        let count = match count(&scenario, SEED, callers) {
            Err(error) if error.is::<NoValgrind>() => {
                crate::note(&format!("error: {error}"));
                return Ok(MISSING);
            }
            count => count?,
        };
        print(&kept::line(&scenario, &kept::Kept::of(&count)));
        for (name, cost) in count.most(args.functions) {
            print(&format!(
                "  {cost:>12.0}  {:22}  {name}",
                Part::of(name).to_string()
            ));
        }
        counted.insert(scenario, kept::Kept::of(&count));
    }
    if args.write {
        kept::write(&counted, args.families.is_empty())?;
    }
    if !args.check {
        return Ok(0);
    }
    let moved = kept::moved(&kept::read()?, &counted, TOLERANCE);
    for line in &moved {
        print(line);
    }
    if moved.is_empty() {
        print(&format!("no count has moved by more than {TOLERANCE} %"));
        return Ok(0);
    }
    print("where that is meant, `cargo xtask counts --write` writes the new ones");
    Ok(MOVED)
}
