//! `cargo xtask corpus`, and the corpus itself: shrunken failures that run first on every run.
//!
//! An entry is a saved failure. What a promise once broke must hold now: it is kept fixed. What a demonstration, a
//! finding or a known defect breaks must still break by the same oracle, or the entry says nothing any more.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, bail};
use sleet::{
    run::{
        execute_plan,
        repro::{Repro, ReproError},
        summary::exit,
    },
    scenario::{Kind, Scenario},
};
use thiserror::Error;

use crate::{
    Done,
    cli::{CorpusArgs, CorpusCommand},
    select, terminal,
};

/// A saved failure of the corpus, ready to run.
pub struct Entry {
    /// Its file.
    pub path: PathBuf,
    /// What it plays.
    pub scenario: Arc<Scenario>,
    /// What was saved.
    pub repro: Repro,
}

/// A file of the corpus that cannot be run.
#[derive(Debug, Error)]
pub enum Refused {
    /// Not to be read.
    #[error("cannot be read: {0}")]
    Io(#[from] std::io::Error),
    /// No saved failure, or one whose plan cannot be run.
    #[error(transparent)]
    Repro(#[from] ReproError),
    /// It does not say what it broke.
    #[error("it broke no oracle")]
    NoOracle,
    /// Nobody can play it any more.
    #[error("there is no scenario '{0}' any more")]
    ScenarioGone(String),
}

/// What an entry comes to now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// It breaks the oracle that it is there to break.
    StillBreaks,
    /// It is fixed, as it must be.
    KeptFixed,
    /// It must hold and does not.
    BrokenAgain(String),
    /// It must break its oracle and does not.
    NoLonger(Option<String>),
}

impl Finding {
    /// Whether it is as it must be.
    pub fn is_good(&self) -> bool {
        matches!(self, Self::StillBreaks | Self::KeptFixed)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StillBreaks => f.write_str("still breaks"),
            Self::KeptFixed => f.write_str("kept fixed"),
            Self::BrokenAgain(how) => write!(f, "broken again: {how}"),
            Self::NoLonger(None) => f.write_str("no longer fails"),
            Self::NoLonger(Some(other)) => write!(f, "fails by {other} now"),
        }
    }
}

impl Entry {
    fn read(path: &Path) -> Result<Self, Refused> {
        let repro = Repro::parse(&fs::read_to_string(path)?)?;
        if repro.oracle.is_none() {
            return Err(Refused::NoOracle);
        }
        let name = repro.scenario.clone();
        Ok(Self {
            path: path.to_owned(),
            scenario: select::scenario(&name).map_err(|_| Refused::ScenarioGone(name))?,
            repro,
        })
    }

    /// Whether it is there to break its oracle.
    fn must_break(&self) -> bool {
        self.repro.known.is_some() || self.scenario.kind != Kind::Promise
    }

    /// Runs it.
    fn judge(&self) -> anyhow::Result<Finding> {
        let record = execute_plan(&self.scenario, self.repro.seed, Arc::new(self.repro.plan.clone()))?;
        let broken = record
            .failure()
            .map(|(id, violation)| (id.to_owned(), &violation.why));
        Ok(match broken {
            Some((id, _)) if self.must_break() && self.repro.oracle.as_ref() == Some(&id) => {
                Finding::StillBreaks
            }
            broken if self.must_break() => Finding::NoLonger(broken.map(|(id, _)| id)),
            None => Finding::KeptFixed,
            Some((id, why)) => Finding::BrokenAgain(format!("{id}: {why}")),
        })
    }

    fn name(&self) -> String {
        let name = self.path.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }
}

/// Where the corpus lies: in the sources, as it is reviewed like them.
pub fn folder() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    root.unwrap_or(Path::new(".")).join("scenarios/corpus")
}

/// The files of the corpus in order; none where a binary runs without its sources.
fn files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Ok(Vec::new());
    };
    let paths: Result<Vec<PathBuf>, _> = entries.map(|e| e.map(|e| e.path())).collect();
    let mut paths = paths.context("cannot list the corpus")?;
    paths.retain(|p| p.extension().is_some_and(|e| e == "json"));
    paths.sort();
    Ok(paths)
}

/// Runs what the corpus has of `scenarios` and tells what is not as it must be. To be called before anything
/// else of a run; returns its exit code.
pub fn run_first(scenarios: &[Arc<Scenario>]) -> Done {
    let (mut ran, mut bad) = (0, 0);
    for path in files(&folder())? {
        let entry = Entry::read(&path)
            .with_context(|| format!("'{}' (see `cargo xtask corpus prune`)", path.display()))?;
        if !scenarios.iter().any(|s| s.name == entry.repro.scenario) {
            continue;
        }
        let finding = entry.judge()?;
        ran += 1;
        if !finding.is_good() {
            bad += 1;
            let oracle = entry.repro.oracle.as_deref().unwrap_or_default();
            let path = entry.path.display();
            terminal::note(&format!(
                "corpus: {} of {oracle} {finding}\n  replay: cargo xtask replay {path}",
                entry.name()
            ));
        }
    }
    if ran > 0 {
        terminal::note(&format!(
            "corpus: {ran} saved failures, {bad} not as they must be"
        ));
    }
    Ok(if bad == 0 { exit::OK } else { exit::BROKEN })
}

/// Does what `args` ask for.
pub fn corpus(args: &CorpusArgs) -> Done {
    let folder = args.dir.clone().unwrap_or_else(folder);
    match &args.command {
        CorpusCommand::Add { file, known } => add(&folder, file, known.clone())?,
        CorpusCommand::Prune { dry_run } => prune(&folder, *dry_run)?,
    }
    Ok(exit::OK)
}

/// Puts the saved failure at `file` into the corpus, as one that shows the defect of the page `known` if there is one.
pub fn add(folder: &Path, file: &Path, known: Option<String>) -> anyhow::Result<()> {
    let mut entry = Entry::read(file).with_context(|| format!("'{}'", file.display()))?;
    entry.repro.known = known.or(entry.repro.known);
    let repro = &entry.repro;
    for path in files(folder)? {
        if Entry::read(&path).is_ok_and(|other| is_same(&other.repro, repro)) {
            bail!("the corpus has it already: '{}'", path.display());
        }
    }
    if let Finding::NoLonger(_) = entry.judge()? {
        bail!("'{}' does not break its oracle", file.display());
    }
    fs::create_dir_all(folder).context("cannot create the corpus")?;
    let path = folder.join(format!(
        "{}.{}.{}.json",
        repro.scenario.replace('/', "-"),
        repro.seed,
        repro.oracle.as_deref().unwrap_or_default().to_lowercase()
    ));
    fs::write(&path, repro.to_json() + "\n").with_context(|| format!("cannot write '{}'", path.display()))?;
    terminal::print(&format!("added {}", path.display()));
    Ok(())
}

/// Drops entries that no longer say anything, and says why.
fn prune(folder: &Path, dry_run: bool) -> anyhow::Result<()> {
    let mut kept = Vec::new();
    let mut dropped = 0;
    for path in files(folder)? {
        match worth_keeping(&path, &kept)? {
            Ok(entry) => kept.push(entry),
            Err(why) => {
                dropped += 1;
                terminal::print(&format!("{}: {why}", path.display()));
                if !dry_run {
                    fs::remove_file(&path).with_context(|| format!("cannot drop '{}'", path.display()))?;
                }
            }
        }
    }
    let verb = if dry_run { "would be dropped" } else { "dropped" };
    terminal::print(&format!("{} kept, {dropped} {verb}", kept.len()));
    Ok(())
}

/// The entry at `path`, or why it can go.
fn worth_keeping(path: &Path, kept: &[Entry]) -> anyhow::Result<Result<Entry, String>> {
    let entry = match Entry::read(path) {
        Ok(entry) => entry,
        Err(Refused::Io(error)) => return Err(error).with_context(|| format!("'{}'", path.display())),
        Err(refused) => return Ok(Err(refused.to_string())),
    };
    if let Some(same) = kept.iter().find(|other| is_same(&other.repro, &entry.repro)) {
        return Ok(Err(format!("says the same as {}", same.name())));
    }
    Ok(match entry.judge()? {
        finding @ Finding::NoLonger(_) => Err(finding.to_string()),
        _ => Ok(entry),
    })
}

/// Whether two entries say the same: the same scenario breaks the same oracle by the same elements.
fn is_same(a: &Repro, b: &Repro) -> bool {
    let words = |repro: &Repro| {
        let inventory = sleet::shrink::Inventory::of(&repro.plan);
        let mut words: Vec<String> = inventory.elements().iter().map(|e| e.words.clone()).collect();
        words.sort();
        words
    };
    a.scenario == b.scenario && a.oracle == b.oracle && words(a) == words(b)
}
