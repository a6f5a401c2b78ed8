//! The search of one scenario: asks for runs, learns from them, and keeps what broke.
//!
//! What broke is written down at once, and lost by no interrupt.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, atomic::AtomicBool},
};

use anyhow::{Context, bail};
use indicatif::ProgressBar;
use sleet::{
    run::{
        repro::{REPRO_VERSION, Repro},
        result::RunResult,
    },
    scenario::Scenario,
    search::{Feature, Found, Lesson, Proposal, Search},
    shrink::Broken,
    trace::Trace,
    world::WorldError,
};

use crate::{
    args::SearchArgs,
    catalogue::Catalogue,
    crash_report::{CrashReport, read_streamed},
    identity::build_id,
    pool::{
        Run,
        idle::Workers,
        process::{Fate, run_in},
        protocol::{Reply, Request},
        worker::{PLAN, REPRO},
    },
    terminal,
};

/// What a hunt needs for a run.
pub struct Trip<'a> {
    pub catalogue: &'a Catalogue,
    pub workers: &'a Workers,
    pub stop: &'a AtomicBool,
    pub bar: &'a ProgressBar,
}

/// The search of one scenario.
pub struct Hunt {
    scenario: Arc<Scenario>,
    search: Search,
    folder: PathBuf,
    runs: u64,
    /// What broke, each kind of failure once, and how often.
    found: Vec<(String, u64)>,
}

impl Hunt {
    pub fn of(scenario: &Arc<Scenario>, args: &SearchArgs, out: &Path) -> Self {
        Self {
            search: Search::new(scenario.clone(), args.seed, args.strategy),
            folder: out.join(format!("{}.{}", scenario.name.replace('/', "-"), args.seed)),
            scenario: scenario.clone(),
            runs: 0,
            found: Vec::new(),
        }
    }

    /// Returns the name of the scenario.
    pub fn name(&self) -> &str {
        &self.scenario.name
    }

    /// Returns the number of runs so far.
    pub fn runs(&self) -> u64 {
        self.runs
    }

    /// Empties the folder.
    pub fn begin(&self) -> anyhow::Result<()> {
        match fs::remove_dir_all(&self.folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("cannot empty '{}'", self.folder.display()));
            }
            _ => {}
        }
        fs::create_dir_all(&self.folder).with_context(|| format!("cannot create '{}'", self.folder.display()))
    }

    /// Runs the next proposal; returns true if it broke something.
    pub fn run_one(&mut self, trip: &Trip<'_>) -> anyhow::Result<bool> {
        let proposal = match self.search.propose() {
            // A plan that cannot be drawn costs its seed.
            Err(error @ WorldError::NoPlan(_)) => {
                self.runs += 1;
                let told = format!("{} run {}: {error}", self.scenario.name, self.runs);
                trip.bar.suspend(|| terminal::print(&told));
                return Ok(true);
            }
            proposed => proposed.with_context(|| self.scenario.name.clone())?,
        };
        let Some(came) = self.ask(trip, &proposal)? else {
            return Ok(false);
        };
        self.runs += 1;
        let (kind, why) = match came {
            Came::Ended(lesson) => {
                self.search.learn(&proposal, &lesson);
                match lesson.found {
                    None => return Ok(false),
                    Some(Found { broken, why }) => (described(&broken), Some(why)),
                }
            }
            Came::Died(why) => (why, None),
        };
        self.keep(trip, &proposal, kind, why)?;
        Ok(true)
    }

    /// Lets a worker run `proposal`; `None` if the search was interrupted.
    fn ask(&self, trip: &Trip<'_>, proposal: &Proposal) -> anyhow::Result<Option<Came>> {
        let request = Request::Search {
            scenario: self.scenario.name.clone(),
            seed: proposal.seed,
            plan: Box::new((*proposal.plan).clone()),
        };
        let searched = |reply| match reply {
            Reply::Searched { lesson } => Some(lesson),
            _ => None,
        };
        let answer = trip.workers.answer(&self.scenario, &request, trip.stop, searched);
        Ok(Some(match answer {
            Ok(Ok(lesson)) => Came::Ended(lesson),
            Ok(Err(panicked)) => Came::Died(panicked),
            Err(Fate::Died(death)) => Came::Died(death.to_string()),
            Err(Fate::Stopped) => return Ok(None),
            Err(Fate::Refused(why)) => bail!("a worker refuses to run anything: {why}"),
            Err(Fate::Ended(..)) => unreachable!("nobody asks for a result"),
        }))
    }

    /// Writes a failure down and tells of it, unless one like it was found before.
    fn keep(
        &mut self,
        trip: &Trip<'_>,
        proposal: &Proposal,
        kind: String,
        why: Option<String>,
    ) -> anyhow::Result<()> {
        if let Some((_, times)) = self.found.iter_mut().find(|(known, _)| *known == kind) {
            *times += 1;
            return Ok(());
        }
        let folder = self.folder.join(format!("{:06}", self.runs));
        let repro = self.save(trip, proposal, &folder)?;
        let why = why.map_or_else(String::new, |why| format!(": {why}"));
        let told = format!(
            "{} run {}: {kind}{why}\n  {}\nreplay: {}",
            self.scenario.name,
            self.runs,
            proposal.origin,
            trip.catalogue.command(&format!("replay {}", repro.display()))
        );
        trip.bar.suspend(|| terminal::print(&told));
        self.found.push((kind, 1));
        Ok(())
    }

    /// Leaves the plan of `proposal` in `folder`, and then, by another run, all that there is to examine.
    fn save(&self, trip: &Trip<'_>, proposal: &Proposal, folder: &Path) -> anyhow::Result<PathBuf> {
        let unrun = Repro {
            v: REPRO_VERSION,
            scenario: self.scenario.name.clone(),
            seed: proposal.seed,
            oracle: None,
            digest: Trace::from_events(Vec::new()).digest,
            build: build_id()?,
            known: None,
            plan: (*proposal.plan).clone(),
        };
        let file = folder.join(REPRO);
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(&file, unrun.to_json() + "\n"))
            .with_context(|| format!("cannot write '{}'", file.display()))?;
        let request = Request::Play {
            repro: Box::new(unrun),
            save: Some(folder.to_owned()),
            capture: false,
        };
        let settings = trip.workers.settings();
        let asked = (&request, settings.patience(&self.scenario));
        match run_in(&mut None, settings, asked, trip.stop, |_, _| {})? {
            Some(Run::Ended(_, Some(unsaved))) => bail!("{unsaved}"),
            Some(Run::Died(death, stderr)) => {
                let trace = read_streamed(folder).unwrap_or_else(|| Trace::from_events(Vec::new()));
                let name = &self.scenario.name;
                let result =
                    RunResult::without_record(name, proposal.seed, death.outcome(), death.to_string());
                let report = CrashReport {
                    scenario: &self.scenario,
                    result: &result.replayed_by(trip.catalogue.program()),
                    trace: &trace,
                    stderr: &stderr,
                };
                report.save(folder)?;
            }
            // The plan lies there, whether the run ended, panicked or was interrupted.
            Some(Run::Ended(_, None)) | None => drop(fs::remove_file(folder.join(PLAN))),
        }
        Ok(file)
    }

    /// Prints what was reached and found.
    pub fn tell(&self) {
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
        for (kind, times) in &self.found {
            terminal::print(&format!("  {kind} in {times} of them"));
        }
    }
}

/// How a run ended.
enum Came {
    Ended(Box<Lesson>),
    /// It took its process down, or panicked outside of any app.
    Died(String),
}

fn described(broken: &Broken) -> String {
    match &broken.decided_by {
        Some(event) => format!("{} by {event}", broken.oracle),
        None => broken.oracle.clone(),
    }
}
