//! The command `search`: looks for plans that break a scenario's oracles, bred from those that reached something new.
//!
//! Plans run in this process, one after the other. What breaks is written down at once; the plan under way lies in a file while it
//! runs, so that one that takes the process down is not lost either.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering},
    time::Instant,
};

use anyhow::{Context, bail};
use indicatif::{ProgressBar, ProgressStyle};
use sleet::{
    run::{
        RunRecord,
        repro::{REPRO_VERSION, Repro},
        summary::exit,
    },
    scenario::Scenario,
    search::{Feature, Found, Proposal, Reached, Search},
    shrink::Broken,
    trace::Trace,
    world::WorldError,
};
use sleet_reports::failure;

use crate::{
    Done, args::SearchArgs, catalogue::Catalogue, identity::build_id, pool::worker::TRACE,
    run::interrupt_flag, select, terminal, wall,
};

/// The number of runs of each scenario, where neither runs nor a budget are given.
const USUAL_RUNS: u64 = 1_000;
/// The plan under way, while it runs.
const RUNNING: &str = "running.json";

/// Searches the scenarios that `args` name, a run of each in turn.
pub fn search(catalogue: &Catalogue, args: &SearchArgs) -> Done {
    let began = wall::now();
    let mut hunts = hunts(catalogue, args)?;
    let interrupted = interrupt_flag()?;
    let until = Until::of(args, began);
    terminal::note(&format!(
        "searching {} from seed {}, {}: {until}",
        names(&hunts),
        args.seed,
        args.strategy
    ));
    let bar = progress_bar();
    let mut code = exit::OK;
    'search: for round in 0.. {
        for hunt in &mut hunts {
            if interrupted.load(Ordering::Relaxed) {
                terminal::note("interrupted: what was found is kept");
                code = exit::gravest([code, exit::INTERRUPTED]);
                break 'search;
            }
            if until.is_over(round) {
                break 'search;
            }
            if hunt.run_one(catalogue, &bar)? {
                code = exit::BROKEN;
                if !args.keep_going {
                    break 'search;
                }
            }
            bar.inc(1);
        }
        bar.set_message(format!(
            "{} features",
            hunts.iter().map(|h| h.search.reached().len()).sum::<usize>()
        ));
    }
    bar.finish_and_clear();
    for hunt in &hunts {
        hunt.tell();
        hunt.clear();
    }
    Ok(code)
}

/// Returns the hunts that `args` ask for, each with an empty folder.
fn hunts(catalogue: &Catalogue, args: &SearchArgs) -> anyhow::Result<Vec<Hunt>> {
    let out = match &args.out {
        Some(folder) => folder.clone(),
        None => catalogue.target_folder().join("sim/search"),
    };
    let suits = |s: &&Arc<Scenario>| s.explores.is_none() && !s.deadly;
    let named = select::scenarios(catalogue, &args.what)?;
    let hunts: Vec<Hunt> = named
        .iter()
        .filter(suits)
        .map(|s| Hunt::of(s, args, &out))
        .collect();
    if hunts.is_empty() {
        bail!(
            "nothing to search in {}: a scenario that goes through orders leaves nothing to draw, and one that takes its process down \
             is for workers",
            args.what.join(" ")
        );
    }
    hunts.iter().try_for_each(Hunt::begin)?;
    Ok(hunts)
}

fn names(hunts: &[Hunt]) -> String {
    match hunts {
        [hunt] => hunt.scenario.name.clone(),
        several => format!("{} scenarios", several.len()),
    }
}

/// When a search ends that finds nothing.
struct Until {
    runs: Option<u64>,
    deadline: Option<Instant>,
}

impl Until {
    fn of(args: &SearchArgs, began: Instant) -> Self {
        Self {
            runs: args.runs.or(args.budget.is_none().then_some(USUAL_RUNS)),
            deadline: args.budget.map(|budget| began + budget),
        }
    }

    fn is_over(&self, runs: u64) -> bool {
        self.runs.is_some_and(|most| runs >= most) || self.deadline.is_some_and(|end| wall::now() >= end)
    }
}

impl std::fmt::Display for Until {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.runs {
            Some(runs) => write!(f, "at most {runs} runs of each"),
            None => f.write_str("until the budget ends"),
        }
    }
}

/// The search of one scenario.
struct Hunt {
    scenario: Arc<Scenario>,
    search: Search,
    folder: PathBuf,
    runs: u64,
    /// What broke, each kind of failure once, and how often.
    found: Vec<(Broken, u64)>,
}

impl Hunt {
    fn of(scenario: &Arc<Scenario>, args: &SearchArgs, out: &Path) -> Self {
        Self {
            search: Search::new(scenario.clone(), args.seed, args.strategy),
            folder: out.join(format!("{}.{}", scenario.name.replace('/', "-"), args.seed)),
            scenario: scenario.clone(),
            runs: 0,
            found: Vec::new(),
        }
    }

    /// Empties the folder, but for the plan that took an earlier search down: it moves beside the folder.
    fn begin(&self) -> anyhow::Result<()> {
        let beside = format!("{}.died.json", self.folder.display());
        let (left, kept) = (self.folder.join(RUNNING), PathBuf::from(beside));
        if left.exists() {
            fs::rename(&left, &kept).with_context(|| format!("cannot write '{}'", kept.display()))?;
            terminal::note(&format!(
                "an earlier search ended in the middle of a run: its plan is in {}",
                kept.display()
            ));
        }
        match fs::remove_dir_all(&self.folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("cannot empty '{}'", self.folder.display()));
            }
            _ => {}
        }
        fs::create_dir_all(&self.folder).with_context(|| format!("cannot create '{}'", self.folder.display()))
    }

    /// Runs the next proposal; returns true if it broke something.
    fn run_one(&mut self, catalogue: &Catalogue, bar: &ProgressBar) -> anyhow::Result<bool> {
        self.runs += 1;
        let proposal = match self.search.propose() {
            // A plan that cannot be drawn costs its seed.
            Err(error @ WorldError::NoPlan(_)) => {
                bar.suspend(|| {
                    terminal::print(&format!("{} run {}: {error}", self.scenario.name, self.runs))
                });
                return Ok(true);
            }
            proposed => proposed.with_context(|| self.scenario.name.clone())?,
        };
        write(&self.folder.join(RUNNING), &unrun(&self.scenario, &proposal)?)?;
        let record = match proposal.run(&self.scenario) {
            Ok(record) => record,
            Err(error @ WorldError::Panicked(_)) => {
                let kept = self.folder.join(format!("{:06}-panicked.json", self.runs));
                fs::rename(self.folder.join(RUNNING), &kept)
                    .with_context(|| format!("cannot write '{}'", kept.display()))?;
                bar.suspend(|| terminal::print(&format!("{error}\n  {}", kept.display())));
                return Ok(true);
            }
            Err(error) => return Err(error.into()),
        };
        let found = Found::of(&record);
        self.search
            .learn(&proposal, &Reached::of(&record), found.is_some());
        let Some(found) = found else { return Ok(false) };
        self.keep(catalogue, &proposal, &record, found, bar)?;
        Ok(true)
    }

    /// Writes a failure down and tells of it, unless one like it was found before.
    fn keep(
        &mut self,
        catalogue: &Catalogue,
        proposal: &Proposal,
        record: &RunRecord,
        found: Found<'_>,
        bar: &ProgressBar,
    ) -> anyhow::Result<()> {
        if let Some((_, times)) = self.found.iter_mut().find(|(broken, _)| *broken == found.broken) {
            *times += 1;
            return Ok(());
        }
        let folder = self.folder.join(format!("{:06}", self.runs));
        fs::create_dir_all(&folder).with_context(|| format!("cannot create '{}'", folder.display()))?;
        let repro = folder.join("repro.json");
        write(&repro, &(Repro::of(record, &build_id()?).to_json() + "\n"))?;
        write(&folder.join(TRACE), &record.trace.to_json_lines())?;
        let report = failure::report(&self.scenario, record, catalogue.program());
        write(&folder.join("report.txt"), &report)?;
        let told = format!(
            "{} run {}: {} {}\n  {}\nreplay: {}",
            self.scenario.name,
            self.runs,
            found.broken.oracle,
            found.why,
            proposal.origin,
            catalogue.command(&format!("replay {}", repro.display()))
        );
        bar.suspend(|| terminal::print(&told));
        self.found.push((found.broken, 1));
        Ok(())
    }

    /// Prints what was reached and found.
    fn tell(&self) {
        let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
        for feature in self.search.reached().keys() {
            *kinds.entry(Feature::kind(feature)).or_default() += 1;
        }
        let kinds: Vec<String> = kinds.iter().map(|(kind, n)| format!("{n} {kind}")).collect();
        terminal::print(&format!(
            "{}: {} runs, {} of them kept to breed from; reached {}",
            self.scenario.name,
            self.runs,
            self.search.kept(),
            kinds.join(", ")
        ));
        for (broken, times) in &self.found {
            terminal::print(&format!("  {} broke in {times} of them", described(broken)));
        }
    }

    /// Removes what a search leaves that came to its end.
    fn clear(&self) {
        // What cannot be removed does no harm.
        let _ = fs::remove_file(self.folder.join(RUNNING));
    }
}

fn described(broken: &Broken) -> String {
    match &broken.decided_by {
        Some(event) => format!("{} by {event}", broken.oracle),
        None => broken.oracle.clone(),
    }
}

/// Returns a plan that has not run yet, as a saved failure: what is left if its run takes this process down.
fn unrun(scenario: &Scenario, proposal: &Proposal) -> anyhow::Result<String> {
    let repro = Repro {
        v: REPRO_VERSION,
        scenario: scenario.name.clone(),
        seed: proposal.seed,
        oracle: None,
        digest: Trace::from_events(Vec::new()).digest,
        build: build_id()?,
        known: None,
        plan: (*proposal.plan).clone(),
    };
    Ok(repro.to_json() + "\n")
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write '{}'", path.display()))
}

fn progress_bar() -> ProgressBar {
    let style = ProgressStyle::with_template("searching: {pos} runs, {msg} {elapsed}");
    ProgressBar::new_spinner().with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()))
}
