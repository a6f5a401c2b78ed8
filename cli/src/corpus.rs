//! The command `corpus`, and the corpus itself: shrunken failures that run first on every run.
//!
//! It lies in a folder of the sources, where it is reviewed like them; a program on another machine has it built in. An
//! entry runs in a worker, as every run does.
//!
//! An entry is a saved failure. If a promise was broken once, it must hold now: the defect stays fixed. A
//! demonstration, a finding or a known defect must still break the same oracle, or the entry no longer says anything.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
    sync::{Arc, atomic::AtomicBool},
};

use anyhow::{Context, bail};
use sleet::{
    run::{
        repro::{Repro, ReproError},
        summary::exit,
    },
    scenario::{Kind, Scenario},
};
use thiserror::Error;

use crate::{
    Done,
    args::{CorpusArgs, CorpusCommand},
    catalogue::Catalogue,
    pool::{Process, Run, Settings, protocol::Request, run_in},
    select, terminal,
};

/// The text of a saved failure in the corpus.
pub struct Source {
    /// The file name.
    pub name: String,
    text: Result<String, std::io::Error>,
}

/// A saved failure of the corpus, ready to run.
pub struct Entry {
    /// The file name.
    pub name: String,
    /// The scenario.
    pub scenario: Arc<Scenario>,
    /// The saved failure.
    pub repro: Repro,
}

/// The error of a file of the corpus that cannot be run.
#[derive(Debug, Error)]
pub enum Refused {
    /// The file cannot be read.
    #[error("cannot be read: {0}")]
    Io(#[from] std::io::Error),
    /// The file is no saved failure, or its plan cannot be run.
    #[error(transparent)]
    Repro(#[from] ReproError),
    /// The failure names no broken oracle.
    #[error("it broke no oracle")]
    NoOracle,
    /// The scenario no longer exists.
    #[error("there is no scenario '{0}' any more")]
    ScenarioGone(String),
}

/// The result of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// The entry breaks its oracle, as expected.
    StillBreaks,
    /// The defect is fixed, as expected.
    KeptFixed,
    /// The entry must hold but does not.
    BrokenAgain(String),
    /// The entry must break its oracle but does not.
    NoLonger(Option<String>),
}

impl Finding {
    /// Reports whether the result is as expected.
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

impl Source {
    fn at(path: &Path) -> Self {
        let name = path.file_name().unwrap_or_default();
        Self {
            name: name.to_string_lossy().into_owned(),
            text: fs::read_to_string(path),
        }
    }

    /// Parses the entry.
    pub fn entry(self, catalogue: &Catalogue) -> Result<Entry, Refused> {
        let repro = Repro::parse(&self.text?)?;
        if repro.oracle.is_none() {
            return Err(Refused::NoOracle);
        }
        let scenario = select::scenario(catalogue, &repro.scenario);
        Ok(Entry {
            name: self.name,
            scenario: scenario.map_err(|_| Refused::ScenarioGone(repro.scenario.clone()))?,
            repro,
        })
    }
}

impl Entry {
    /// Reports whether the entry is expected to break its oracle.
    fn must_break(&self) -> bool {
        self.repro.known.is_some() || self.scenario.kind != Kind::Promise
    }

    /// Runs the entry; `None` if that is interrupted.
    pub fn judge(&self, court: &mut Court<'_>) -> anyhow::Result<Option<Finding>> {
        let request = Request::Play {
            repro: Box::new(self.repro.clone()),
            save: None,
            capture: false,
        };
        let asked = (&request, court.settings.patience(&self.scenario));
        let run = run_in(
            &mut court.worker,
            court.settings,
            asked,
            court.interrupted,
            |_, _| {},
        )?;
        let Some(run) = run else { return Ok(None) };
        let (oracle, how) = match run {
            Run::Ended(result, _) => (result.oracle, result.why),
            Run::Died(death, _) => (None, Some(death.to_string())),
        };
        let how = how.map(|how| match &oracle {
            Some(oracle) => format!("{oracle}: {how}"),
            None => how,
        });
        Ok(Some(match how {
            _ if self.must_break() && oracle.is_some() && oracle == self.repro.oracle => Finding::StillBreaks,
            how if self.must_break() => Finding::NoLonger(oracle.or(how)),
            None => Finding::KeptFixed,
            Some(how) => Finding::BrokenAgain(how),
        }))
    }

    /// Returns the command that replays the entry.
    pub fn replay(&self, catalogue: &Catalogue) -> String {
        catalogue.command(&format!("replay {}", self.name))
    }

    /// Describes the entry and its result.
    pub fn describe(&self, finding: &Finding) -> String {
        let oracle = self.repro.oracle.as_deref().unwrap_or_default();
        format!("{} of {oracle} {finding}", self.name)
    }
}

/// Runs entries, in a worker.
pub struct Court<'a> {
    settings: &'a Settings,
    interrupted: &'a AtomicBool,
    worker: Option<Process>,
}

impl<'a> Court<'a> {
    pub fn new(settings: &'a Settings, interrupted: &'a AtomicBool) -> Self {
        Self {
            settings,
            interrupted,
            worker: None,
        }
    }
}

/// Returns the corpus of a program: its folder, else the built-in corpus; if it has neither, the folder that does not
/// exist.
///
/// # Errors
/// Fails if the folder cannot be listed.
pub fn sources(catalogue: &Catalogue) -> anyhow::Result<Result<Vec<Source>, PathBuf>> {
    let carried = |(name, text): &(&str, &str)| Source {
        name: (*name).to_owned(),
        text: Ok((*text).to_owned()),
    };
    let embedded = catalogue.embedded();
    Ok(match catalogue.corpus_folder() {
        Some(folder) if folder.is_dir() => Ok(files(folder)?.iter().map(|path| Source::at(path)).collect()),
        Some(folder) if embedded.is_empty() => Err(folder.to_owned()),
        _ => Ok(embedded.iter().map(carried).collect()),
    })
}

/// Returns the text of the entry called `name`.
pub fn text_of(catalogue: &Catalogue, name: &str) -> Option<String> {
    let mut sources = sources(catalogue).ok()?.ok()?.into_iter();
    sources.find(|source| source.name == name)?.text.ok()
}

/// Lists the files of a corpus in order; none if there is no folder.
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

/// Runs the corpus entries of `scenarios` and prints those that are not as expected. Called before anything else of a
/// run; returns its exit code.
pub fn run_first(
    catalogue: &Catalogue,
    scenarios: &[Arc<Scenario>],
    settings: &Settings,
    interrupted: &AtomicBool,
) -> Done {
    let sources = match sources(catalogue)? {
        Ok(sources) => sources,
        Err(folder) => {
            terminal::note(&format!(
                "corpus: there is none: '{}' is not here, and this program carries none inside",
                folder.display()
            ));
            return Ok(exit::OK);
        }
    };
    let mut court = Court::new(settings, interrupted);
    let (mut ran, mut bad) = (0, 0);
    for source in sources {
        let name = source.name.clone();
        let advice = || {
            format!(
                "'{name}' of the corpus (see `{}`)",
                catalogue.command("corpus prune")
            )
        };
        let entry = source.entry(catalogue).with_context(advice)?;
        if !scenarios.iter().any(|s| s.name == entry.repro.scenario) {
            continue;
        }
        let Some(finding) = entry.judge(&mut court)? else {
            break;
        };
        ran += 1;
        if !finding.is_good() {
            bad += 1;
            terminal::note(&format!(
                "corpus: {}\n  replay: {}",
                entry.describe(&finding),
                entry.replay(catalogue)
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

/// Executes the command with `args`.
pub fn corpus(catalogue: &Catalogue, args: &CorpusArgs) -> Done {
    let folder = args.dir.as_deref();
    match &args.command {
        CorpusCommand::Add { file, known } => add(catalogue, folder, file, known.clone())?,
        CorpusCommand::Prune { dry_run } => prune(catalogue, folder, *dry_run)?,
    }
    Ok(exit::OK)
}

/// Returns the folder to change: the given one, or the program's.
fn folder<'a>(catalogue: &'a Catalogue, given: Option<&'a Path>) -> anyhow::Result<&'a Path> {
    let folder = given.or_else(|| catalogue.corpus_folder());
    folder.context("this program has no corpus: name a folder with --dir")
}

/// Adds the saved failure at `file` to a corpus; with `known`, as one that shows the defect of that page.
pub fn add(
    catalogue: &Catalogue,
    given: Option<&Path>,
    file: &Path,
    known: Option<String>,
) -> anyhow::Result<()> {
    let folder = folder(catalogue, given)?;
    let entry = Source::at(file).entry(catalogue);
    let mut entry = entry.with_context(|| format!("'{}'", file.display()))?;
    entry.repro.known = known.or(entry.repro.known);
    let repro = &entry.repro;
    for path in files(folder)? {
        if Source::at(&path)
            .entry(catalogue)
            .is_ok_and(|other| is_same(&other.repro, repro))
        {
            bail!("the corpus has it already: '{}'", path.display());
        }
    }
    let (settings, never) = (Settings::usual()?, AtomicBool::new(false));
    if let Some(Finding::NoLonger(_)) = entry.judge(&mut Court::new(&settings, &never))? {
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

/// Removes entries that no longer say anything, and says why.
fn prune(catalogue: &Catalogue, given: Option<&Path>, dry_run: bool) -> anyhow::Result<()> {
    let (settings, never) = (Settings::usual()?, AtomicBool::new(false));
    let mut court = Court::new(&settings, &never);
    let mut kept = Vec::new();
    let mut dropped = 0;
    for path in files(folder(catalogue, given)?)? {
        match worth_keeping(catalogue, &path, &kept, &mut court)? {
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

/// Returns the entry at `path`, or the reason to remove it.
fn worth_keeping(
    catalogue: &Catalogue,
    path: &Path,
    kept: &[Entry],
    court: &mut Court<'_>,
) -> anyhow::Result<Result<Entry, String>> {
    let entry = match Source::at(path).entry(catalogue) {
        Ok(entry) => entry,
        Err(Refused::Io(error)) => return Err(error).with_context(|| format!("'{}'", path.display())),
        Err(refused) => return Ok(Err(refused.to_string())),
    };
    if let Some(same) = kept.iter().find(|other| is_same(&other.repro, &entry.repro)) {
        return Ok(Err(format!("says the same as {}", same.name)));
    }
    Ok(match entry.judge(court)? {
        Some(finding @ Finding::NoLonger(_)) => Err(finding.to_string()),
        _ => Ok(entry),
    })
}

/// Reports whether two entries are equivalent: the same scenario breaks the same oracle by the same elements.
fn is_same(a: &Repro, b: &Repro) -> bool {
    let describe = |repro: &Repro| {
        let inventory = sleet::shrink::Inventory::of(&repro.plan);
        let mut descriptions: Vec<String> = inventory
            .elements()
            .iter()
            .map(|e| e.description.clone())
            .collect();
        descriptions.sort();
        descriptions
    };
    a.scenario == b.scenario && a.oracle == b.oracle && describe(a) == describe(b)
}
