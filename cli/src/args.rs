//! Every flag, declared in one place.

use std::{
    num::{NonZeroU64, NonZeroUsize},
    ops::Range,
    path::PathBuf,
    str::FromStr,
    time::Duration,
};

use clap::{Args, Parser, Subcommand, ValueEnum};
use sleet::{
    search::Strategy,
    seed::{self, Seed, SeedError},
    time::SimTime,
};

use crate::{shards::ShardArg, wall};

/// Deterministic chaos tests for WebRTC call software.
#[derive(Debug, Parser)]
#[command(after_help = EXIT_CODES)]
pub struct Line<Own: Subcommand> {
    #[command(subcommand)]
    pub command: AnyCommand<Own>,
}

/// A command of the library, or one of the program's own.
#[derive(Debug, Subcommand)]
pub enum AnyCommand<Own: Subcommand> {
    #[command(flatten)]
    Library(Command),
    #[command(flatten)]
    Own(Own),
}

/// The commands of a program that has none of its own.
#[derive(Debug, Subcommand)]
pub enum NoCommand {}

const EXIT_CODES: &str = "\
Exit codes:
  0    everything held
  2    bad usage, bad input, or a machine that cannot go on: a full disk, a clock that is not under control
  4    the filter selected nothing
  100  an invariant failed, or a run crashed or hung
  120  nondeterminism, or a replay that diverged
  121  a suite was vacuous: a mark was not reached, or a demonstration did not fail
  122  merge: a seed is missing, doubled or in conflict
  123  a saved failure did not reproduce
  124  the budget ended first; what ran, held, and --resume goes on (a soak, which only its budget ends, exits 0)
  130  interrupted; what ran is kept, and --resume goes on
120 wins over 100, 100 over 122, 122 over 121, 121 over 124, 124 over 130.";

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run scenarios on many seeds.
    Run(RunArgs),
    /// List the scenarios, or the kinds of fault.
    List(ListArgs),
    /// Run one seed again and show what happens.
    Replay(ReplayArgs),
    /// Put the folders of all shards of a suite together.
    Merge(MergeArgs),
    /// Run seeds for a parent process.
    #[command(hide = true)]
    Worker(WorkerArgs),
    /// Find the smallest plan that breaks the same oracle.
    Shrink(ShrinkArgs),
    /// Shrink a failure and say what decided it, event by event.
    Explain(ExplainArgs),
    /// Run a good run again for every single packet and message, with that one lost, doubled, late, cut or damaged.
    Sweep(SweepArgs),
    /// Search for plans that break a scenario, bred from those that reached something new.
    Search(SearchArgs),
    /// Keep shrunken failures, which run first on every run.
    Corpus(CorpusArgs),
    /// Make every report of a suite again, from its folder: finished, merged, stopped or old.
    Report(ReportArgs),
}

#[derive(Debug, Args)]
pub struct RunArgs {
    /// Prefixes of scenario names, such as `candidates` or `candidates/naive`; `=candidates/naive` is that scenario and
    /// no other. Without one, every scenario that is not hidden.
    pub filter: Vec<String>,
    /// How many seeds, where --seeds and --seed do not say.
    #[arg(long, value_enum, default_value_t = Profile::Smoke)]
    pub profile: Profile,
    /// A range of seeds, B excluded.
    #[arg(long, value_name = "A..B", value_parser = seed::parse_range, conflicts_with = "seed")]
    pub seeds: Option<Range<u64>>,
    /// One seed, decimal or 0x…; may be given several times.
    #[arg(long, value_name = "N")]
    pub seed: Vec<Seed>,
    /// How many worker processes. Default: the number of cores.
    #[arg(long, value_name = "N")]
    pub jobs: Option<NonZeroUsize>,
    /// The folder for the results. Default: target/sim and the profile.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Run only this part of the suite: K/N, or `auto` to ask the engine that runs us: Kubernetes, Slurm, GitLab,
    /// Buildkite or Bazel.
    #[arg(long, value_name = "K/N|auto")]
    pub shard: Option<ShardArg>,
    /// Begin no further run after this time: 90s, 10m, 2h.
    #[arg(long, value_name = "TIME", value_parser = wall::parse_duration)]
    pub budget: Option<Duration>,
    /// Go on in the folder where a suite was stopped. Where there is none, begin.
    #[arg(long)]
    pub resume: bool,
    /// Run every seed a second time in another process and compare the traces to the byte.
    #[arg(long)]
    pub verify_determinism: bool,
    /// Seconds of real time without headway after which a run counts as hung.
    #[arg(long, value_name = "SECONDS", default_value_t = NonZeroU64::new(30).expect("not zero"))]
    pub hang_after: NonZeroU64,
    /// The most memory that a worker may have, in MiB.
    #[arg(long, value_name = "MIB", default_value_t = NonZeroU64::new(4_096).expect("not zero"))]
    pub memory_limit: NonZeroU64,
    /// Print everything that summary.md has: a line for each scenario, and every table. Without it, a suite ends with one
    /// screen: what held, what broke, what is known.
    #[arg(long, short)]
    pub verbose: bool,
}

/// Defaults of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Profile {
    /// Enough seeds to reach every mark: about a minute on two cores.
    Smoke,
    /// Some minutes.
    Ci,
    /// Fresh seeds until the budget ends, from --seed or from the date.
    Soak,
}

impl Profile {
    /// How it is called in paths.
    pub fn name(self) -> &'static str {
        match self {
            Self::Smoke => "smoke",
            Self::Ci => "ci",
            Self::Soak => "soak",
        }
    }

    /// How many seeds it runs of a scenario that needs `min_seeds` to be judged; nothing if only the budget ends it.
    pub fn seeds(self, min_seeds: u64) -> Option<u64> {
        match self {
            Self::Smoke => Some(min_seeds.max(100)),
            Self::Ci => Some(min_seeds.max(1_000)),
            Self::Soak => None,
        }
    }
}

#[derive(Debug, Args)]
pub struct ListArgs {
    /// List the kinds of fault instead: what each does, its limits and its mark (docs/faults.md).
    #[arg(long, conflicts_with_all = ["json", "all", "schema"])]
    pub faults: bool,
    /// Print the JSON Schema of a format instead: plan, repro, trace, result or summary.
    #[arg(long, value_name = "FORMAT", conflicts_with_all = ["json", "all"])]
    pub schema: Option<String>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
    /// Include the hidden scenarios that test the harness itself.
    #[arg(long)]
    pub all: bool,
}

#[derive(Debug, Args)]
pub struct MergeArgs {
    /// The folders of all shards.
    #[arg(required = true, value_name = "DIR")]
    pub dirs: Vec<PathBuf>,
    /// The folder for the whole.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Print everything that summary.md has.
    #[arg(long, short)]
    pub verbose: bool,
}

#[derive(Debug, Args)]
pub struct ReportArgs {
    /// The folder that a suite left.
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
    /// Open the HTML.
    #[arg(long)]
    pub open: bool,
    /// Show the comparison with real networks too: the table.json that 'cargo xtask reality' leaves. It is copied into the folder.
    #[arg(long, value_name = "FILE")]
    pub reality: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct WorkerArgs {
    /// What tells the parent's own file from any other.
    #[arg(long)]
    pub stamp: String,
    /// The parent's build, for what is saved.
    #[arg(long)]
    pub build: String,
    /// The most memory that it may have, in MiB.
    #[arg(long)]
    pub memory_limit: u64,
}

#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// SCENARIO@SEED, or the path of a saved failure (repro.json).
    pub what: String,
    /// Leave out what happens before, in seconds of simulated time.
    #[arg(long, value_name = "T", value_parser = seconds)]
    pub from: Option<SimTime>,
    /// Leave out what happens after, in seconds of simulated time.
    #[arg(long, value_name = "T", value_parser = seconds)]
    pub until: Option<SimTime>,
    /// Show only this host and the network.
    #[arg(long, value_name = "NAME")]
    pub host: Option<String>,
    /// Print the events as JSON lines.
    #[arg(long)]
    pub json: bool,
    /// Write a capture of all packets, for Wireshark: pcapng with an interface for each host.
    #[arg(long, value_name = "FILE", conflicts_with = "diff")]
    pub pcap: Option<PathBuf>,
    /// Write the run as a page for a browser: its timeline, and with --diff that of the other run over it.
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Show the first event in which it differs from another run: SCENARIO@SEED, a repro.json or a trace.jsonl.
    #[arg(long, value_name = "OTHER", conflicts_with_all = ["json", "from", "until", "host"])]
    pub diff: Option<String>,
}

#[derive(Debug, Args)]
pub struct ShrinkArgs {
    /// SCENARIO@SEED, or the path of a saved failure (repro.json).
    pub what: String,
    #[command(flatten)]
    pub effort: Effort,
    /// The file for the smallest plan. Default: target/sim/shrink/SCENARIO.SEED/repro.json, with its
    /// trace and a report.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Put the smallest plan into the corpus.
    #[arg(long)]
    pub add_to_corpus: bool,
}

#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// SCENARIO@SEED, or the path of a saved failure (repro.json).
    pub what: String,
    #[command(flatten)]
    pub effort: Effort,
}

/// How long shrinking may take, and on how many threads.
#[derive(Clone, Copy, Debug, Args)]
pub struct Effort {
    /// When to be content with what was found: 30s, 1m, 2h.
    #[arg(long, value_name = "TIME", value_parser = wall::parse_duration, default_value = "1m")]
    pub budget: Duration,
    /// How many plans to try in all.
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    pub tries: u64,
    /// How many plans to try at once; the result does not depend on it. Default: the number of cores.
    #[arg(long, value_name = "N")]
    pub jobs: Option<NonZeroUsize>,
}

#[derive(Debug, Args)]
pub struct SweepArgs {
    /// The run to sweep, SCENARIO@SEED: a good one. Several are swept one after the other.
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    pub what: Vec<String>,
    /// Sweep everything that this program lists for it.
    #[arg(long)]
    pub all: bool,
    /// How many pairs of losses to try at most, chosen by what single losses taught.
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub pairs: usize,
    /// How many worker processes; the result does not depend on it. Default: the number of cores.
    #[arg(long, value_name = "N")]
    pub jobs: Option<NonZeroUsize>,
    /// Write every result to a file, one run to sweep a line, as JSON.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// The folder for the plans that broke something. Default: target/sim/sweep.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct SearchArgs {
    /// The scenarios to search: prefixes of their names; `=candidates/naive` is that scenario and no other. Without one, every
    /// promise.
    #[arg(value_name = "SCENARIO")]
    pub what: Vec<String>,
    /// How many runs of each scenario at most. Default: 1000, without a budget.
    #[arg(long, value_name = "N")]
    pub runs: Option<u64>,
    /// Begin no further run after this time: 90s, 10m, 2h.
    #[arg(long, value_name = "TIME", value_parser = wall::parse_duration)]
    pub budget: Option<Duration>,
    /// The first seed, decimal or 0x…: the same one searches the same plans.
    #[arg(long, value_name = "S", default_value_t = Seed(0))]
    pub seed: Seed,
    /// Where plans come from: `guided` breeds them from those that reached something new, `swarm` only draws them.
    #[arg(long, value_name = "guided|swarm", default_value_t)]
    pub strategy: Strategy,
    /// Go on after the first plan that breaks something; each kind of failure is saved once.
    #[arg(long)]
    pub keep_going: bool,
    /// How many worker processes. Default: the number of cores. The runs of one scenario follow each other.
    #[arg(long, value_name = "N")]
    pub jobs: Option<NonZeroUsize>,
    /// The folder for the plans that broke something. Default: target/sim/search.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct CorpusArgs {
    /// The folder. Default: that of this program.
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    #[command(subcommand)]
    pub command: CorpusCommand,
}

#[derive(Debug, Subcommand)]
pub enum CorpusCommand {
    /// Add a shrunken failure.
    Add {
        /// A repro.json.
        file: PathBuf,
        /// The page of the known defect that it shows: it must go on breaking its oracle.
        #[arg(long, value_name = "PAGE")]
        known: Option<String>,
    },
    /// Drop what no longer says anything, and say why.
    Prune {
        /// Only say what would go.
        #[arg(long)]
        dry_run: bool,
    },
}

fn seconds(text: &str) -> Result<SimTime, String> {
    let seconds = f64::from_str(text).ok().filter(|s| (0.0..1e9).contains(s));
    let seconds = seconds.ok_or("write seconds of simulated time, such as 1.25")?;
    Ok(SimTime::from_nanos((seconds * 1e9) as u64))
}

/// A scenario and a seed, as replay lines write them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    pub scenario: String,
    pub seed: Seed,
}

impl FromStr for Target {
    type Err = SeedError;

    fn from_str(s: &str) -> Result<Self, SeedError> {
        let (scenario, seed) = s.rsplit_once('@').unwrap_or((s, ""));
        Ok(Self {
            scenario: scenario.to_owned(),
            seed: seed.parse()?,
        })
    }
}
