//! Runs each scenario and each entry of the corpus as a test of `cargo test`, and of nextest.

use std::{
    env,
    path::PathBuf,
    process::ExitCode,
    sync::{Arc, Mutex, atomic::AtomicBool},
};

use anyhow::Context;
use clap::Parser;
use libtest_mimic::{Arguments, Failed, Trial};
use sleet::{
    run::{
        shard::Shard,
        summary::{Judgement, Summary},
        tally::Tally,
    },
    scenario::{Kind, Scenario},
};
use sleet_reports::{gather::Gathered, summary};

use crate::{
    args::{Line, NoCommand},
    catalogue::Catalogue,
    corpus::{self, Court, Source},
    end,
    folder::Folder,
    obey,
    pool::{self, Settings, Suite},
    progress::Progress,
    schedule::{Schedule, Seeds},
};

/// The environment variable for the seeds that the tests run.
const SEEDS: &str = "SLEET_SEEDS";

/// Runs the scenarios of `catalogue` as tests, one for each scenario that is not hidden and one for each entry of the
/// corpus, called `corpus/` and its file name. To be called by the `main` of a test target with `harness = false`;
/// arguments are those of libtest, so filters, `--list` and nextest work as usual.
///
/// `SLEET_SEEDS=0..50`, or `SLEET_SEEDS=7,9`, sets the seeds of each scenario; otherwise [`Catalogue::test_seeds`]
/// does. A requirement that needs more seeds than run (a mark that must be reached, a broken client that must be
/// caught) is not judged, and is no failure.
///
/// A failed test prints what was broken, on which seeds, and the commands that replay each; files of a run are in
/// `sim/test` of the target folder. Every run takes place in a worker process, so a crash fails only its own test.
///
/// ```toml
/// # Cargo.toml
/// [[test]]
/// name = "scenarios"
/// harness = false
/// ```
///
/// ```no_run
/// // tests/scenarios.rs
/// # fn catalogue() -> sleet_cli::Catalogue { sleet_cli::Catalogue::new("cargo sim", Vec::new()) }
/// fn main() -> std::process::ExitCode {
///     sleet_cli::tests(catalogue())
/// }
/// ```
pub fn tests(catalogue: Catalogue) -> ExitCode {
    let mut first = env::args().skip(1).take(2);
    if first.next().as_deref() == Some("worker") && first.next().as_deref() == Some("--stamp") {
        return match Line::<NoCommand>::parse().command {
            crate::args::AnyCommand::Library(command) => end(obey(&catalogue, command)),
            crate::args::AnyCommand::Own(never) => match never {},
        };
    }
    let arguments = Arguments::from_args();
    match trials(Arc::new(catalogue)) {
        Ok(trials) => libtest_mimic::run(&arguments, trials).exit_code(),
        Err(error) => end(Err(error)),
    }
}

fn trials(catalogue: Arc<Catalogue>) -> anyhow::Result<Vec<Trial>> {
    let seeds = match env::var(SEEDS) {
        Ok(words) => Some(words.parse::<Seeds>().context(SEEDS)?),
        Err(_) => None,
    };
    let shown = catalogue.scenarios().iter().filter(|s| s.kind != Kind::Selftest);
    let mut trials: Vec<Trial> = shown
        .map(|scenario| {
            let default = || Seeds::Range(catalogue.seeds_under_test(scenario));
            let seeds = seeds.clone().unwrap_or_else(default);
            let (catalogue, scenario) = (catalogue.clone(), scenario.clone());
            Trial::test(scenario.name.clone(), move || {
                verdict(play(&catalogue, &scenario, seeds))
            })
        })
        .collect();
    // A folder that does not exist has no entries that could fail.
    for source in corpus::sources(&catalogue)?.unwrap_or_default() {
        let catalogue = catalogue.clone();
        let name = format!("corpus/{}", source.name);
        trials.push(Trial::test(name, move || verdict(judge(&catalogue, source))));
    }
    Ok(trials)
}

/// Converts a result into a test verdict: a failure, or an error that prevented the judgement.
fn verdict(broken: anyhow::Result<Option<String>>) -> Result<(), Failed> {
    match broken {
        Ok(None) => Ok(()),
        Ok(Some(why)) => Err(why.into()),
        Err(error) => Err(format!("{error:#}").into()),
    }
}

/// Runs `seeds` of a scenario; returns what is not as expected.
fn play(catalogue: &Catalogue, scenario: &Arc<Scenario>, seeds: Seeds) -> anyhow::Result<Option<String>> {
    let path = folder(catalogue, scenario);
    let schedule = Schedule::listed(vec![(scenario.clone(), seeds)], Shard::WHOLE);
    let folder = Mutex::new(Folder::create(&path, Progress::silent())?);
    let never = AtomicBool::new(false);
    let suite = Suite {
        program: catalogue.program(),
        // Tests run side by side already.
        jobs: 1,
        settings: Settings::usual()?,
        verify_determinism: false,
        interrupted: &never,
        deadline: None,
        folder: &folder,
    };
    pool::run(&suite, schedule.jobs())?;
    let mut folder = folder.into_inner().expect("slots do not panic");
    let mut gathered = Gathered::new([scenario.as_ref()]);
    let tally = Tally::new([scenario.as_ref()]);
    let sum = folder.finish(&schedule, tally, &mut gathered, true)?;
    Ok(broken(&sum).map(|why| format!("{why}\nsaved in {}", path.join("fail").display())))
}

fn broken(sum: &Summary) -> Option<String> {
    let scenario = sum.scenarios.first()?;
    match &scenario.judgement {
        Judgement::Held | Judgement::NotJudged => None,
        Judgement::Vacuous(why) => Some(format!("vacuous: {why}")),
        Judgement::Slower(why) => Some(format!("slower: {why}")),
        Judgement::Broken(_) | Judgement::Nondeterministic(_) => Some(summary::failures(sum)),
    }
}

/// Returns the folder for the files of a test, beside those of other test programs.
fn folder(catalogue: &Catalogue, scenario: &Scenario) -> PathBuf {
    let program = env::current_exe().unwrap_or_default();
    let program = program
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    // Cargo ends the names of test programs with a hash.
    let name = program
        .rsplit_once('-')
        .map_or(program.as_str(), |(name, _)| name);
    let folder = catalogue.target_folder().join("sim/test").join(name);
    folder.join(scenario.name.replace('/', "-"))
}

/// Runs an entry of the corpus; returns what is not as expected.
fn judge(catalogue: &Catalogue, source: Source) -> anyhow::Result<Option<String>> {
    let entry = source.entry(catalogue)?;
    let (settings, never) = (Settings::usual()?, AtomicBool::new(false));
    let finding = entry
        .judge(&mut Court::new(&settings, &never))?
        .expect("nobody stops it");
    Ok((!finding.is_good()).then(|| {
        format!(
            "{}\nreplay: {}",
            entry.describe(&finding),
            entry.replay(catalogue)
        )
    }))
}
