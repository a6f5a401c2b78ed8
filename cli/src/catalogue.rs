//! The catalogue of a program with this command line: its scenarios, its name, its corpus.
//!
//! Built once, at the start of `main`. Nothing in here runs a scenario.

use std::{
    collections::BTreeSet,
    env,
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
};

use sleet::{scenario::Scenario, seed::Seed, sweep::Listed, trace::Digest};

/// The scenarios of a program, with the settings of the command line.
///
/// ```no_run
/// use std::{process::ExitCode, sync::Arc};
///
/// use sleet::scenario::Scenario;
/// use sleet_cli::Catalogue;
///
/// # fn scenarios() -> Vec<Arc<Scenario>> { Vec::new() }
/// fn main() -> ExitCode {
///     sleet_cli::main(Catalogue::new("cargo sim", scenarios()).corpus("sim/corpus"))
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Catalogue {
    program: String,
    scenarios: Vec<Arc<Scenario>>,
    corpus: Option<PathBuf>,
    embedded: &'static [(&'static str, &'static str)],
    lock_file: Option<&'static str>,
    target: Option<PathBuf>,
    test_seeds: Option<Range<u64>>,
    sweeps: &'static [Listed],
}

impl Catalogue {
    /// Creates a catalogue of `scenarios`, in the order in which they are listed and run; `program` is the command that
    /// users type: `cargo xtask`, or a path. Replay lines, help and hints begin with it.
    ///
    /// # Panics
    /// Panics if two scenarios have the same name.
    pub fn new(program: impl Into<String>, scenarios: Vec<Arc<Scenario>>) -> Self {
        let mut names = BTreeSet::new();
        for scenario in &scenarios {
            assert!(
                names.insert(&scenario.name),
                "two scenarios are called '{}'",
                scenario.name
            );
        }
        Self {
            program: program.into(),
            scenarios,
            corpus: None,
            embedded: &[],
            lock_file: None,
            target: None,
            test_seeds: None,
            sweeps: &[],
        }
    }

    /// Sets the folder of shrunken failures, with which every `run` of their scenarios begins. `corpus add`, `corpus
    /// prune` and `shrink --add-to-corpus` change it. The path is relative to the current folder of a command;
    /// `concat!(env!("CARGO_MANIFEST_DIR"), "/corpus")` is the one of the sources. Default: there is no corpus.
    pub fn corpus(mut self, folder: impl Into<PathBuf>) -> Self {
        self.corpus = Some(folder.into());
        self
    }

    /// Sets the corpus at build time, as pairs of a file name and its text: a program on a machine without its sources
    /// runs these if the folder does not exist. Default: none.
    pub fn embedded_corpus(mut self, entries: &'static [(&'static str, &'static str)]) -> Self {
        self.embedded = entries;
        self
    }

    /// Sets the text of the `Cargo.lock` that the program was built with, by `include_str!`: its hash and the versions
    /// of packages that affect results go into the manifest of a suite. Default: none.
    pub fn lock_file(mut self, text: &'static str) -> Self {
        self.lock_file = Some(text);
        self
    }

    /// Sets the folder below which commands write without `--out`, in `sim/`. Default: `CARGO_TARGET_DIR`, else the
    /// target folder that the program lies in, else `target`.
    pub fn target(mut self, folder: impl Into<PathBuf>) -> Self {
        self.target = Some(folder.into());
        self
    }

    /// Sets the seeds that [`tests`](crate::tests()) runs of each scenario unless `SLEET_SEEDS` is set. Default: as
    /// many as the scenario needs for a verdict, from 0, at least 10.
    pub fn test_seeds(mut self, seeds: Range<u64>) -> Self {
        self.test_seeds = Some(seeds);
        self
    }

    /// Sets the runs that `sweep --all` sweeps, with the known failures there. Default: none.
    pub fn swept(mut self, runs: &'static [Listed]) -> Self {
        self.sweeps = runs;
        self
    }

    /// Returns the command that users type to call the program.
    pub fn program(&self) -> &str {
        &self.program
    }

    /// Returns every scenario, hidden ones included.
    pub fn scenarios(&self) -> &[Arc<Scenario>] {
        &self.scenarios
    }

    pub(crate) fn sweeps(&self) -> &'static [Listed] {
        self.sweeps
    }

    pub(crate) fn corpus_folder(&self) -> Option<&Path> {
        self.corpus.as_deref()
    }

    pub(crate) fn embedded(&self) -> &'static [(&'static str, &'static str)] {
        self.embedded
    }

    pub(crate) fn lock_text(&self) -> Option<&'static str> {
        self.lock_file
    }

    /// Returns the hash of the lock file.
    pub(crate) fn lock_hash(&self) -> Option<String> {
        self.lock_file.map(|text| Digest::of(text.as_bytes()).to_string())
    }

    /// Returns the default seeds of `scenario` under `cargo test`.
    pub(crate) fn seeds_under_test(&self, scenario: &Scenario) -> Range<u64> {
        const FEWEST: u64 = 10;
        self.test_seeds
            .clone()
            .unwrap_or_else(|| 0..scenario.min_seeds.max(FEWEST))
    }

    /// Returns cargo's target folder.
    pub(crate) fn target_folder(&self) -> PathBuf {
        let built_in = || {
            let program = env::current_exe().ok()?;
            // Cargo marks its target folder so that backups leave it out.
            let is_target = |folder: &&Path| folder.join("CACHEDIR.TAG").is_file();
            Some(program.ancestors().skip(1).find(is_target)?.to_owned())
        };
        self.target
            .clone()
            .or_else(|| env::var_os("CARGO_TARGET_DIR").map(PathBuf::from))
            .or_else(built_in)
            .unwrap_or_else(|| PathBuf::from("target"))
    }

    /// Returns a command of this program, as users type it.
    pub(crate) fn command(&self, rest: &str) -> String {
        format!("{} {rest}", self.program)
    }

    /// Returns the command that replays a run.
    pub(crate) fn replay(&self, scenario: &str, seed: Seed) -> String {
        self.command(&format!("replay {scenario}@{seed}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replay_lines_begin_as_users_type() {
        let catalogue = Catalogue::new("./sim", Vec::new());
        assert_eq!(catalogue.replay("a/b", Seed(7)), "./sim replay a/b@7");
        assert!(catalogue.target_folder().ends_with("target"));
    }

    #[test]
    #[should_panic(expected = "two scenarios are called 'a/b'")]
    fn names_are_unique() {
        use sleet::{fault::Plan, scenario::Kind};
        let scenario = || {
            let draw = |_| -> Plan { unreachable!("nothing is drawn") };
            Arc::new(Scenario::new(Kind::Promise, "a/b", draw, |_, _| async {}))
        };
        Catalogue::new("x", vec![scenario(), scenario()]);
    }
}
