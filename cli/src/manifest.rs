//! The manifest of a suite, written before it begins: `manifest.json`.
//!
//! The only file of a suite that may contain wall time and properties of the machine.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::Context;
use serde::{Deserialize, Serialize};
use sleet::run::shard::Shard;

/// The version of the format.
pub const MANIFEST_VERSION: u32 = 2;

/// The description of a suite.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Manifest {
    pub v: u32,
    pub profile: String,
    /// The seeds of each scenario: `A..B`, `A,B,C`, or `from A` if only the budget ends them.
    pub scenarios: BTreeMap<String, String>,
    pub shard: Shard,
    pub verify_determinism: bool,
    pub build: String,
    pub versions: BTreeMap<String, String>,
    /// The hash of the lock file that the program was built with, if it has one built in.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub lock_file: Option<String>,
    pub jobs: usize,
    pub memory_limit_mib: u64,
    pub hang_after_s: u64,
    pub started_unix_s: u64,
    pub took_ms: Option<u64>,
    /// Whether every run took place: not interrupted, and within the budget.
    pub complete: bool,
}

impl Manifest {
    /// Reads the manifest of a folder; `None` if it has none.
    ///
    /// # Errors
    /// Fails if it cannot be read, or is of another version.
    pub fn read(folder: &Path) -> anyhow::Result<Option<Self>> {
        #[derive(Deserialize)]
        struct Version {
            v: u32,
        }
        let path = folder.join("manifest.json");
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            text => text.with_context(|| format!("cannot read '{}'", path.display()))?,
        };
        let not_one = || format!("'{}' is not a manifest", path.display());
        let Version { v } = serde_json::from_str(&text).with_context(not_one)?;
        anyhow::ensure!(
            v == MANIFEST_VERSION,
            "'{}' is of version {v}; this program reads version {MANIFEST_VERSION}",
            path.display()
        );
        Ok(Some(serde_json::from_str(&text).with_context(not_one)?))
    }

    /// Returns the first difference from `other` because of which their results do not belong together.
    pub fn difference(&self, other: &Self) -> Option<String> {
        let differ = |what: &str, left: &dyn ToString, right: &dyn ToString| {
            let (left, right) = (left.to_string(), right.to_string());
            (left != right).then(|| format!("{what}: {left} there, {right} here"))
        };
        differ("build", &self.build, &other.build)
            .or_else(|| self.other_seeds(other))
            .or_else(|| differ("--shard", &self.shard, &other.shard))
            .or_else(|| {
                let flag = "--verify-determinism";
                differ(flag, &self.verify_determinism, &other.verify_determinism)
            })
    }

    /// Returns the first scenario that has other seeds in `other`.
    fn other_seeds(&self, other: &Self) -> Option<String> {
        let names = self.scenarios.keys().chain(other.scenarios.keys());
        names
            .filter(|name| self.scenarios.get(*name) != other.scenarios.get(*name))
            .min()
            .map(|name| {
                let seeds = |m: &Self| {
                    m.scenarios
                        .get(name)
                        .map_or("not at all", String::as_str)
                        .to_owned()
                };
                format!("seeds of {name}: {} there, {} here", seeds(self), seeds(other))
            })
    }
}
