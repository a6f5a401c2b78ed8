//! What a program is made of that offers this command line: its scenarios, its name, its corpus.
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

/// The scenarios of a program, and what the command line has to know about it.
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
    /// `scenarios` in the order in which they are listed and run, offered by a program that its users call `program`:
    /// `cargo xtask`, or a path. Replay lines, help and hints begin with that.
    ///
    /// # Panics
    /// If two scenarios have the same name.
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

    /// The folder of shrunken failures, which every `run` of their scenarios begins with. `corpus add`, `corpus prune`
    /// and `shrink --add-to-corpus` change it. Relative to the folder that a command is called in; from
    /// `concat!(env!("CARGO_MANIFEST_DIR"), "/corpus")` it is that of the sources. Default: there is no corpus.
    pub fn corpus(mut self, folder: impl Into<PathBuf>) -> Self {
        self.corpus = Some(folder.into());
        self
    }

    /// The corpus as it was when the program was built, as pairs of a file name and its text: a program that is carried to
    /// a machine without its sources runs these where the folder is not there. Default: none.
    pub fn embedded_corpus(mut self, entries: &'static [(&'static str, &'static str)]) -> Self {
        self.embedded = entries;
        self
    }

    /// The text of the `Cargo.lock` that the program was built with, by `include_str!`: its hash and the versions of what a
    /// result depends on stand in the manifest of a suite. Default: none.
    pub fn lock_file(mut self, text: &'static str) -> Self {
        self.lock_file = Some(text);
        self
    }

    /// The folder below which commands write where no `--out` says otherwise, in `sim/`. Default: `CARGO_TARGET_DIR`, else
    /// the target folder that the program lies in, else `target`.
    pub fn target(mut self, folder: impl Into<PathBuf>) -> Self {
        self.target = Some(folder.into());
        self
    }

    /// The seeds that [`tests`](crate::tests()) runs of each scenario where `SLEET_SEEDS` does not say. Default: as many as it
    /// takes to judge the scenario, from 0, at least 10.
    pub fn test_seeds(mut self, seeds: Range<u64>) -> Self {
        self.test_seeds = Some(seeds);
        self
    }

    /// The runs that `sweep --all` sweeps, with what is known to break there. Default: none.
    pub fn swept(mut self, runs: &'static [Listed]) -> Self {
        self.sweeps = runs;
        self
    }

    /// How users call the program.
    pub fn program(&self) -> &str {
        &self.program
    }

    /// Every scenario, hidden ones included.
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

    /// The hash of the lock file.
    pub(crate) fn lock_hash(&self) -> Option<String> {
        self.lock_file.map(|text| Digest::of(text.as_bytes()).to_string())
    }

    /// The seeds of `scenario` under `cargo test`, where nobody says.
    pub(crate) fn seeds_under_test(&self, scenario: &Scenario) -> Range<u64> {
        const FEWEST: u64 = 10;
        self.test_seeds
            .clone()
            .unwrap_or_else(|| 0..scenario.min_seeds.max(FEWEST))
    }

    /// Where cargo puts what it builds.
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

    /// A command of this program, as users type it.
    pub(crate) fn command(&self, rest: &str) -> String {
        format!("{} {rest}", self.program)
    }

    /// The command that replays a run.
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
