//! The subject of `replay`, `shrink` and `explain`: a seed of a scenario, or a saved failure.
//!
//! It runs in a worker first: a run that takes its process down must not take this one along.

use std::{fs, path::Path, sync::Arc, sync::atomic::AtomicBool};

use anyhow::{Context, bail};
use sleet::{
    fault::Plan,
    run::{repro::Repro, result::RunResult},
    scenario::Scenario,
    seed::Seed,
    trace::{Event, Trace},
};
use tempfile::TempDir;

use crate::{
    args::Target,
    catalogue::Catalogue,
    corpus,
    crash_report::{read_plan, read_streamed},
    pool::{
        Death, Run, Settings,
        protocol::Request,
        run_in,
        worker::{REPRO, TRACE},
    },
    select,
};

/// The run to repeat, and the known data about it.
pub struct Subject {
    pub scenario: Arc<Scenario>,
    pub seed: Seed,
    pub saved: Option<Saved>,
}

/// A saved failure, and its trace if that lies beside it.
pub struct Saved {
    pub repro: Repro,
    pub trace: Option<Trace>,
}

/// The result of the run in a worker.
pub enum Rehearsal {
    /// The run ended: the plan, which has the same effect in any process, and the trace.
    Ended { plan: Arc<Plan>, trace: Trace },
    /// The process died: how, the end of its standard error, and the remains of the run.
    Died {
        death: Death,
        stderr: String,
        plan: Option<Box<Plan>>,
        trace: Trace,
    },
    /// The run could not take place.
    Failed(RunResult),
}

impl Subject {
    /// Parses `SCENARIO@SEED`, the path of a saved failure, or the name of an entry of the corpus.
    pub fn find(catalogue: &Catalogue, what: &str) -> anyhow::Result<Self> {
        if what.ends_with(".json") || Path::new(what).is_file() {
            return Self::read(catalogue, what);
        }
        let target: Target = what
            .parse()
            .with_context(|| format!("'{what}' is neither SCENARIO@SEED nor the path of a repro.json"))?;
        Ok(Self {
            scenario: select::scenario(catalogue, &target.scenario)?,
            seed: target.seed,
            saved: None,
        })
    }

    fn read(catalogue: &Catalogue, what: &str) -> anyhow::Result<Self> {
        let path = Path::new(what);
        let text = match corpus::text_of(catalogue, what) {
            Some(text) if !path.is_file() => text,
            _ => fs::read_to_string(path).with_context(|| format!("cannot read '{what}'"))?,
        };
        let repro = Repro::parse(&text).with_context(|| format!("'{what}'"))?;
        let scenario = select::scenario(catalogue, &repro.scenario).with_context(|| format!("'{what}'"))?;
        Ok(Self {
            scenario,
            seed: repro.seed,
            saved: Some(Saved {
                trace: read_trace(&path.with_file_name(TRACE)).ok(),
                repro,
            }),
        })
    }

    /// Runs the subject in a worker.
    pub fn rehearse(&self) -> anyhow::Result<Rehearsal> {
        let settings = Settings::usual()?;
        let folder = TempDir::new().context("no room for a run")?;
        let save = Some(folder.path().to_owned());
        let request = match &self.saved {
            Some(saved) => Request::Play {
                repro: Box::new(saved.repro.clone()),
                save,
                capture: false,
            },
            None => Request::Run {
                scenario: self.scenario.name.clone(),
                seed: self.seed,
                save,
            },
        };
        let asked = (&request, settings.patience(&self.scenario));
        let never = AtomicBool::new(false);
        let run = run_in(&mut None, &settings, asked, &never, |_, _| {})?.expect("nobody stops it");
        let trace = || read_streamed(folder.path()).unwrap_or_else(|| Trace::from_events(Vec::new()));
        match run {
            Run::Ended(_, Some(unsaved)) => bail!("a run could not be saved: {unsaved}"),
            Run::Ended(result, None) if result.digest.is_none() => Ok(Rehearsal::Failed(*result)),
            Run::Ended(_, None) => {
                let repro = fs::read_to_string(folder.path().join(REPRO)).context("a run was not saved")?;
                Ok(Rehearsal::Ended {
                    plan: Arc::new(Repro::parse(&repro)?.plan),
                    trace: trace(),
                })
            }
            Run::Died(death, stderr) => Ok(Rehearsal::Died {
                death,
                stderr,
                plan: read_plan(folder.path()).map(Box::new),
                trace: trace(),
            }),
        }
    }

    /// Returns the plan, if its run leaves its process alive.
    ///
    /// # Errors
    /// Fails if it does not, or cannot be run.
    pub fn living_plan(&self) -> anyhow::Result<Arc<Plan>> {
        let name = format!("{}@{}", self.scenario.name, self.seed);
        match self.rehearse()? {
            Rehearsal::Ended { plan, .. } => Ok(plan),
            Rehearsal::Died { death, .. } => {
                bail!("{name} cannot be shrunk, because it breaks no oracle: {death}; `replay` shows its end")
            }
            Rehearsal::Failed(result) => bail!("{name}: {}", result.why.unwrap_or_default()),
        }
    }
}

/// Reads a trace, one event per line.
pub fn read_trace(path: &Path) -> anyhow::Result<Trace> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read '{}'", path.display()))?;
    let events: Result<Vec<Event>, _> = text.lines().map(serde_json::from_str).collect();
    let events = events.with_context(|| format!("'{}' is not a trace", path.display()))?;
    Ok(Trace::from_events(events))
}
