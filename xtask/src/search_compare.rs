//! `cargo xtask search-compare`: guided search against the plain swarm, on planted mistakes that are hard for the swarm.
//!
//! Runs depend on seeds alone, and so does how many there are until a mistake is found. Processor time is read from the clock of the
//! process, outside of the simulation, and decides nothing but how long the two are let cover.

use std::{
    collections::BTreeMap,
    io::{self, Write},
    sync::Arc,
    time::Duration,
};

use anyhow::Context;
use nix::sys::{
    resource::{UsageWho, getrusage},
    time::TimeValLike,
};
use sleet::{
    driver::Deployment,
    scenario::{Expectation, Kind, Scenario},
    search::{Found, Lesson, Search, Strategy},
    seed::Seed,
};
use sleet_scenarios::client::{Mistake, Policy};

use crate::{docs::blocks, tidy::tree::root};

mod figures;

use figures::{Row, Sum};

/// The block of the page of results.
pub const BLOCK: &str = "search";
const PAGE: &str = "docs/results/search.md";

/// A mistake, and the promise in whose plans it is looked for.
pub type Planted = (&'static str, &'static str);

/// Mistakes that few seeds show: the first ten in the plans in which suites look for them, the others where hardly any seed
/// shows them.
const PLANTED: [Planted; 22] = [
    ("early-hangup-forgotten", "calls/impatient"),
    ("rings-after-glare", "calls/glare"),
    ("candidates-by-user", "calls/rapid"),
    ("callbacks-go-on", "calls/rapid"),
    ("answers-the-dead", "calls/rapid"),
    ("shared-counter", "calls/groups"),
    ("hangup-waits", "calls/impatient"),
    ("no-recovery", "calls/recovering"),
    ("state-by-number", "calls/recovering"),
    ("peer-on-response", "calls/impatient"),
    ("early-hangup-forgotten", "calls/rapid"),
    ("early-hangup-forgotten", "calls/on-the-move"),
    ("candidates-by-user", "calls/impatient"),
    ("candidates-by-user", "calls/glare"),
    ("candidates-by-user", "calls/asleep"),
    ("answers-the-dead", "calls/busy"),
    ("hangup-waits", "calls/glare"),
    ("hangup-waits", "calls/recall"),
    ("peer-on-response", "chaos/rapid"),
    ("queue-kept", "calls/glare"),
    ("queue-kept", "calls/asleep"),
    ("queue-kept", "chaos/recall"),
];
/// The promises whose coverage is compared.
const COVERED: [&str; 6] = [
    "calls/rapid",
    "calls/glare",
    "calls/groups",
    "calls/recovering",
    "chaos/rapid",
    "chaos/buffer-both-bare",
];
/// The processor time in which each strategy covers a promise.
const COVERS: Duration = Duration::from_secs(3);
/// The first seed of a repeat, and how far the next is away: more than a search draws.
const SEEDS: u64 = 40_000_000;
const APART: u64 = 1_000_000;
/// What a check runs again: these rows, one repeat, and so many runs at most.
const SAMPLE: (usize, u64, u64) = (2, 1, 40);

/// What `cargo xtask search-compare` is asked.
#[derive(clap::Args)]
pub struct Args {
    /// How many searches of each mistake, each from another first seed
    #[arg(long, value_name = "R", default_value_t = 15)]
    repeats: u64,
    /// How many runs a search has at most
    #[arg(long, value_name = "N", default_value_t = 300)]
    runs: u64,
    /// Write the tables into docs/results/search.md
    #[arg(long)]
    write: bool,
}

/// Compares, prints, and writes if it is asked to.
///
/// # Errors
/// Fails if a run cannot take place or the page cannot be written.
pub fn compare(args: &Args) -> anyhow::Result<u8> {
    let mut out = io::stdout().lock();
    let mut rows = Vec::new();
    for planted in PLANTED {
        let row = row(planted, args.repeats, args.runs)?;
        writeln!(out, "{}", figures::line(&row))?;
        rows.push(row);
    }
    let mut covered = Vec::new();
    for name in COVERED {
        let row = Strategy::ALL.map(|strategy| cover(name, strategy));
        let [swarm, guided] = row;
        covered.push((name, swarm?, guided?));
    }
    let command = format!(
        "cargo xtask search-compare --repeats {} --runs {} --write",
        args.repeats, args.runs
    );
    let text = figures::page(&command, args.runs, &rows, &covered, &sampled()?);
    writeln!(out, "{text}")?;
    if args.write {
        let path = root()?.join(PAGE);
        let page =
            std::fs::read_to_string(&path).with_context(|| format!("cannot read '{}'", path.display()))?;
        let page = blocks::replace(&page, &BTreeMap::from([(BLOCK.to_owned(), text)]))?;
        std::fs::write(&path, page).with_context(|| format!("cannot write '{}'", path.display()))?;
    }
    Ok(0)
}

/// Says what the first searches come to, in a few words: `docs --check` makes them again.
///
/// # Errors
/// Fails if a run cannot take place.
pub fn sampled() -> anyhow::Result<String> {
    let (rows, repeats, runs) = SAMPLE;
    let mut words = Vec::new();
    for planted in &PLANTED[..rows] {
        let row = row(*planted, repeats, runs)?;
        words.push(format!(
            "{} {:?} {:?}",
            row.planted.0, row.swarm.runs, row.guided.runs
        ));
    }
    Ok(format!("at most {runs} runs: {}", words.join(", ")))
}

/// Returns what is stale in the block of the page, if anything.
///
/// # Errors
/// Fails if a run cannot take place.
pub fn what_is_stale(block: Option<&String>) -> anyhow::Result<Option<String>> {
    let now = sampled()?;
    let is_current = block.is_some_and(|text| text.contains(&format!("<!-- {now} -->")));
    Ok((!is_current)
        .then(|| format!("the block '{BLOCK}' is stale: cargo xtask search-compare --write; now {now}")))
}

fn row(planted: Planted, repeats: u64, most: u64) -> anyhow::Result<Row> {
    let fixed = promise(planted.1)?;
    let (broken, oracle) = broken(planted, &fixed)?;
    let of = |strategy| -> anyhow::Result<Sum> {
        let mut sum = Sum::default();
        for repeat in 0..repeats {
            let first = Seed(SEEDS + repeat * APART);
            find(
                &broken,
                oracle,
                &fixed,
                Search::new(broken.clone(), first, strategy),
                most,
                &mut sum,
            )?;
        }
        Ok(sum)
    };
    Ok(Row {
        planted,
        swarm: of(Strategy::Swarm)?,
        guided: of(Strategy::Guided)?,
    })
}

/// Searches until `oracle` breaks; adds the number of runs, and whether the app without the mistake breaks something too.
fn find(
    broken: &Arc<Scenario>,
    oracle: &str,
    fixed: &Arc<Scenario>,
    mut search: Search,
    most: u64,
    sum: &mut Sum,
) -> anyhow::Result<()> {
    let began = processor_time()?;
    let mut found = None;
    for run in 1..=most {
        let proposal = search.propose()?;
        let record = proposal.run(broken)?;
        sum.all += 1;
        if record.broken().any(|(id, _)| id == oracle) {
            found = Some((run, proposal));
            break;
        }
        search.learn(&proposal, &Lesson::of(&record));
    }
    sum.took += processor_time()?.saturating_sub(began);
    sum.runs.push(found.as_ref().map_or(most + 1, |(run, _)| *run));
    if let Some((_, proposal)) = found {
        let innocent = proposal.run(fixed)?;
        sum.false_alarms += u64::from(Found::of(&innocent).is_some());
    }
    Ok(())
}

/// Lets `strategy` cover the promise called `name`; returns the number of features and of runs.
fn cover(name: &str, strategy: Strategy) -> anyhow::Result<(usize, u64)> {
    let scenario = promise(name)?;
    let mut search = Search::new(scenario.clone(), Seed(SEEDS), strategy);
    let began = processor_time()?;
    let mut runs = 0;
    while processor_time()?.saturating_sub(began) < COVERS {
        let proposal = search.propose()?;
        let record = proposal.run(&scenario)?;
        search.learn(&proposal, &Lesson::of(&record));
        runs += 1;
    }
    Ok((search.reached().len(), runs))
}

fn promise(name: &str) -> anyhow::Result<Arc<Scenario>> {
    let all = sleet_scenarios::catalogue();
    let found = all.into_iter().find(|s| s.name == name);
    found.with_context(|| format!("there is no scenario '{name}'"))
}

/// Returns the story of `fixed`, played by the app with a mistake, and the oracle that names the mistake.
fn broken((mistake, _): Planted, fixed: &Arc<Scenario>) -> anyhow::Result<(Arc<Scenario>, &'static str)> {
    let own = promise(&format!("calls/{mistake}"))?;
    let expected = own
        .expects
        .first()
        .with_context(|| format!("{mistake} trips nothing"))?;
    let oracle = expected.oracle;
    let made = Mistake::OWN.into_iter().find(|m| m.to_string() == mistake);
    let made = made.with_context(|| format!("there is no mistake '{mistake}'"))?;
    let (story, app) = (fixed.clone(), Policy::FIXED.bare().making(made));
    let name = format!("{}/{mistake}", fixed.name);
    let draw = move |seed| story.draw(seed);
    let scenario = Scenario::played(Kind::Demonstration, &name, draw, Deployment::of(app));
    let scenario = scenario.expects(Expectation::broken(oracle, 1).among_others());
    Ok((Arc::new(scenario), oracle.id))
}

/// Returns the processor time of this process so far.
fn processor_time() -> anyhow::Result<Duration> {
    let usage = getrusage(UsageWho::RUSAGE_SELF)?;
    let us = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Ok(Duration::from_micros(us.unsigned_abs()))
}
