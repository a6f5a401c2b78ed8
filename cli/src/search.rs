//! The command `search`: looks for plans that break a scenario's oracles, bred from those that reached something new.
//!
//! Plans run in worker processes: one that takes its process down is a find like any other. The runs of one scenario follow each other,
//! because each is chosen by what those before it reached; several scenarios are searched side by side.

mod hunt;

use std::{
    collections::VecDeque,
    fmt,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Instant,
};

use anyhow::bail;
use indicatif::{ProgressBar, ProgressStyle};
use sleet::{
    run::summary::exit,
    scenario::{Kind, Scenario},
};

use self::hunt::{Hunt, Trip};
use crate::{
    Done,
    args::SearchArgs,
    catalogue::Catalogue,
    pool::{Settings, idle::Workers, usual_jobs},
    run::interrupt_flag,
    select, terminal, wall,
};

/// The number of runs of each scenario, where neither runs nor a budget are given.
const USUAL_RUNS: u64 = 1_000;

/// Searches the scenarios that `args` name, a run of each in turn.
pub fn search(catalogue: &Catalogue, args: &SearchArgs) -> Done {
    let until = Until::of(args, wall::now());
    let hunts = hunts(catalogue, args)?;
    let interrupted = interrupt_flag()?;
    terminal::note(&format!(
        "searching {} from seed {}, {}: {until}",
        names(&hunts),
        args.seed,
        args.strategy
    ));
    let party = Party {
        catalogue,
        workers: Workers::new(Settings::usual()?),
        until,
        keep_going: args.keep_going,
        interrupted: &interrupted,
        bar: progress_bar(),
        state: Mutex::new(State {
            todo: hunts.into(),
            ..State::default()
        }),
    };
    let jobs = args.jobs.unwrap_or_else(usual_jobs).get();
    thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| party.hunt());
        }
    });
    party.bar.finish_and_clear();
    let mut state = party.state.into_inner().expect("nobody panics while it is held");
    if let Some(error) = state.failed {
        return Err(error);
    }
    state.done.extend(state.todo);
    state.done.sort_by(|a, b| a.name().cmp(b.name()));
    state.done.iter().for_each(Hunt::tell);
    let found = if state.found { exit::BROKEN } else { exit::OK };
    if interrupted.load(Ordering::Relaxed) {
        terminal::note("interrupted: what was found is kept");
        return Ok(exit::gravest([found, exit::INTERRUPTED]));
    }
    Ok(found)
}

/// Returns the hunts that `args` ask for, each with an empty folder.
fn hunts(catalogue: &Catalogue, args: &SearchArgs) -> anyhow::Result<Vec<Hunt>> {
    let out = match &args.out {
        Some(folder) => folder.clone(),
        None => catalogue.target_folder().join("sim/search"),
    };
    let suits = |s: &Scenario| match args.what[..] {
        [] => s.explores.is_none() && s.kind == Kind::Promise,
        _ => s.explores.is_none(),
    };
    let named = select::scenarios(catalogue, &args.what)?;
    let named = named.iter().filter(|scenario| suits(scenario));
    let hunts: Vec<Hunt> = named.map(|s| Hunt::of(s, args, &out)).collect();
    if hunts.is_empty() {
        bail!(
            "nothing to search in {}: a scenario that goes through orders leaves nothing to draw",
            args.what.join(" ")
        );
    }
    hunts.iter().try_for_each(Hunt::begin)?;
    Ok(hunts)
}

fn names(hunts: &[Hunt]) -> String {
    match hunts {
        [hunt] => hunt.name().to_owned(),
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

    fn is_over(&self) -> bool {
        self.deadline.is_some_and(|end| wall::now() >= end)
    }
}

impl fmt::Display for Until {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.runs {
            Some(runs) => write!(f, "at most {runs} runs of each"),
            None => f.write_str("until the budget ends"),
        }
    }
}

/// The threads of a search, and what they share.
struct Party<'a> {
    catalogue: &'a Catalogue,
    workers: Workers,
    until: Until,
    keep_going: bool,
    interrupted: &'a AtomicBool,
    bar: ProgressBar,
    state: Mutex<State>,
}

/// The hunts that no thread is at, and what came of all.
#[derive(Default)]
struct State {
    /// The next ones, in turn.
    todo: VecDeque<Hunt>,
    /// Those that have had their runs.
    done: Vec<Hunt>,
    /// Whether something was found.
    found: bool,
    /// Why nothing more can be run.
    failed: Option<anyhow::Error>,
}

impl Party<'_> {
    /// Takes one hunt after the other, for a run each, until nothing is left to do.
    fn hunt(&self) {
        while let Some(mut hunt) = self.next() {
            let trip = Trip {
                catalogue: self.catalogue,
                workers: &self.workers,
                stop: self.interrupted,
                bar: &self.bar,
            };
            let found = hunt.run_one(&trip);
            self.bar.inc(1);
            let mut state = self.state.lock().expect("nobody panics while it is held");
            match found {
                Ok(found) => state.found |= found,
                Err(error) => drop(state.failed.get_or_insert(error)),
            }
            match self.until.runs {
                Some(most) if hunt.runs() >= most => state.done.push(hunt),
                _ => state.todo.push_back(hunt),
            }
        }
    }

    fn next(&self) -> Option<Hunt> {
        let mut state = self.state.lock().expect("nobody panics while it is held");
        let is_over = self.interrupted.load(Ordering::Relaxed)
            || self.until.is_over()
            || state.failed.is_some()
            || (state.found && !self.keep_going);
        if is_over { None } else { state.todo.pop_front() }
    }
}

fn progress_bar() -> ProgressBar {
    let style = ProgressStyle::with_template("searching: {pos} runs {elapsed}");
    ProgressBar::new_spinner().with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()))
}
