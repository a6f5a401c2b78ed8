//! The command `sweep`: repeats a good run for every single packet and message, with that one lost, doubled, late, cut
//! or damaged.
//!
//! Plans run in worker processes: a plan that takes its process down is a result like any other.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, atomic::AtomicBool},
};

use anyhow::{Context, bail};
use indicatif::{ProgressBar, ProgressStyle};
use sleet::{
    fault::Plan,
    run::{Runner, repro::Repro, summary::exit},
    scenario::{Kind, Scenario},
    seed::Seed,
    sweep::{
        KnownBreak, Limits, Listed, Probe, ProbeError, Prober, Swept, TrialOutcome, Tried, sweep as search,
    },
    trace::Trace,
};
use sleet_reports::sweep::{self as report, Account};

use crate::{
    Done,
    args::{SweepArgs, Target},
    catalogue::Catalogue,
    identity::build_id,
    pool::{
        Settings,
        idle::Workers,
        process::Fate,
        protocol::{Reply, Request},
        usual_jobs,
    },
    select, terminal,
};

/// Sweeps the runs that `args` name, one after the other.
pub fn sweep(catalogue: &Catalogue, args: &SweepArgs) -> Done {
    let what = match args.all {
        true => catalogue.sweeps().iter().map(Listed::name).collect(),
        false => args.what.clone(),
    };
    if what.is_empty() {
        bail!("this program lists no runs to sweep: name a SCENARIO@SEED");
    }
    let mut code = exit::OK;
    let mut lines = String::new();
    let mut accounts = Vec::new();
    for what in &what {
        let sweeper = Sweeper::of(catalogue, args, what)?;
        let swept = sweeper.sweep()?;
        let account = Account {
            name: what,
            swept: &swept,
            known: sweeper.known,
            replays: &sweeper.save(catalogue, &swept)?,
        };
        lines.push_str(&(report::json(&account) + "\n"));
        terminal::print(report::text(&account).trim_end());
        terminal::print("");
        accounts.push(report::line(&account));
        code = exit::gravest([code, sweeper.code(&swept)]);
    }
    if accounts.len() > 1 {
        terminal::print(report::sum(&accounts).trim_end());
    }
    if let Some(file) = &args.json {
        fs::write(file, lines).with_context(|| format!("cannot write '{}'", file.display()))?;
    }
    Ok(code)
}

/// A run to sweep.
struct Sweeper {
    scenario: Arc<Scenario>,
    seed: Seed,
    limits: Limits,
    folder: PathBuf,
    known: &'static [KnownBreak],
}

impl Sweeper {
    fn of(catalogue: &Catalogue, args: &SweepArgs, what: &str) -> anyhow::Result<Self> {
        let target: Target = what
            .parse()
            .with_context(|| format!("'{what}' is not SCENARIO@SEED"))?;
        let scenario = select::scenario(catalogue, &target.scenario)?;
        if scenario.explores.is_some() {
            bail!("{what} goes through orders: there is no one run to sweep");
        }
        let out = match &args.out {
            Some(folder) => folder.clone(),
            None => catalogue.target_folder().join("sim/sweep"),
        };
        let listed = catalogue
            .sweeps()
            .iter()
            .find(|listed| listed.scenario == scenario.name);
        Ok(Self {
            known: listed.map_or(&[], |listed| listed.known),
            folder: out.join(format!("{}.{}", scenario.name.replace('/', "-"), target.seed)),
            seed: target.seed,
            limits: Limits {
                jobs: args.jobs.unwrap_or_else(usual_jobs),
                pairs: args.pairs,
            },
            scenario,
        })
    }

    /// Sweeps the run.
    fn sweep(&self) -> anyhow::Result<Swept> {
        let prober = InWorkers {
            workers: Workers::new(Settings::usual()?),
            scenario: self.scenario.clone(),
            seed: self.seed,
        };
        let bar = progress_bar(&self.scenario.name);
        let plan = Runner::new(&self.scenario, self.seed).plan()?;
        let swept = search(&prober, &plan, self.limits, &|done, of| {
            bar.set_length(of as u64);
            bar.set_position(done as u64);
        });
        bar.finish_and_clear();
        swept.with_context(|| format!("{}@{}", self.scenario.name, self.seed))
    }

    /// Returns the exit code for `swept`: a promise must survive the loss of any single packet, and no pair may take a
    /// process down. A known failure must still occur.
    fn code(&self, swept: &Swept) -> u8 {
        if matches!(self.scenario.kind, Kind::Demonstration | Kind::Finding) {
            return exit::OK;
        }
        let unknown = |t: &&Tried| t.outcome.is_broken() && !self.known.iter().any(|k| k.covers(t));
        let died = |t: &&Tried| matches!(t.outcome, TrialOutcome::Died(_));
        if swept
            .singles
            .iter()
            .find(unknown)
            .or(swept.pairs.iter().find(died))
            .is_some()
        {
            return exit::BROKEN;
        }
        match self
            .known
            .iter()
            .all(|k| swept.singles.iter().any(|t| k.covers(t)))
        {
            true => exit::OK,
            false => exit::VACUOUS,
        }
    }

    /// Saves every plan that broke something; returns the commands that replay them, in the order of the results.
    fn save(&self, catalogue: &Catalogue, swept: &Swept) -> anyhow::Result<Vec<String>> {
        match fs::remove_dir_all(&self.folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("cannot empty '{}'", self.folder.display()));
            }
            _ => {}
        }
        let broken = swept
            .singles
            .iter()
            .chain(&swept.pairs)
            .filter(|t| t.outcome.is_broken());
        let mut commands = Vec::new();
        for (number, tried) in broken.enumerate() {
            let path = self
                .folder
                .join(format!("{:03}-{}.json", number + 1, report::slug(tried)));
            self.save_one(&path, swept, tried)?;
            commands.push(catalogue.command(&format!("replay {}", path.display())));
        }
        Ok(commands)
    }

    fn save_one(&self, path: &Path, swept: &Swept, tried: &Tried) -> anyhow::Result<()> {
        let repro = Repro {
            v: sleet::run::repro::REPRO_VERSION,
            scenario: self.scenario.name.clone(),
            seed: self.seed,
            oracle: match &tried.outcome {
                TrialOutcome::Breaks(broken) => Some(broken.oracle.clone()),
                _ => None,
            },
            digest: tried
                .digest
                .unwrap_or_else(|| Trace::from_events(Vec::new()).digest),
            build: build_id()?,
            known: None,
            plan: swept.plan_with(&tried.hits),
        };
        fs::create_dir_all(&self.folder)
            .and_then(|()| fs::write(path, repro.to_json() + "\n"))
            .with_context(|| format!("cannot write '{}'", path.display()))
    }
}

fn progress_bar(name: &str) -> ProgressBar {
    let style = ProgressStyle::with_template("sweeping {msg}: {pos} of {len} runs {elapsed}");
    ProgressBar::new(0)
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        .with_message(name.to_owned())
}

/// Runs plans in worker processes, one for each thread that asks.
struct InWorkers {
    workers: Workers,
    scenario: Arc<Scenario>,
    seed: Seed,
}

impl Prober for InWorkers {
    fn probe(&self, plan: &Arc<Plan>, listen: bool) -> Result<Probe, ProbeError> {
        let request = Request::Probe {
            scenario: self.scenario.name.clone(),
            seed: self.seed,
            plan: Box::new(Plan::clone(plan)),
            listen,
        };
        let never = AtomicBool::new(false);
        let probed = |reply| match reply {
            Reply::Probed { probe } => Some(*probe),
            _ => None,
        };
        match self.workers.answer(&self.scenario, &request, &never, probed) {
            Ok(probe) => Ok(probe),
            Err(Fate::Died(death)) => Ok(Probe::Died(death.to_string())),
            Err(Fate::Refused(why)) => Err(ProbeError(why)),
            Err(Fate::Stopped | Fate::Ended(..)) => unreachable!("nobody stops it"),
        }
    }
}
