//! The identity of this program: the build id, and the versions of packages that affect results.

use std::{collections::BTreeMap, fs::File, sync::OnceLock};

use anyhow::Context;

use crate::{catalogue::Catalogue, pool::protocol};

/// The packages whose versions go into a manifest.
const WANTED: [&str; 8] = [
    "sleet-sim",
    "stun",
    "tokio",
    "tokio-tungstenite",
    "turmoil-net",
    "webrtc",
    "webrtc-ice",
    "webrtc-util",
];

/// Returns the build id: the hash of this program's file.
///
/// # Errors
/// Fails if the file cannot be read.
pub fn build_id() -> anyhow::Result<String> {
    static KNOWN: OnceLock<String> = OnceLock::new();
    if let Some(known) = KNOWN.get() {
        return Ok(known.clone());
    }
    let path = protocol::program().context("cannot find this program")?;
    // Read in pieces: the program is larger than everything else that this process keeps in memory.
    let mut hasher = blake3::Hasher::new();
    File::open(&path)
        .and_then(|file| hasher.update_reader(file).map(drop))
        .with_context(|| format!("cannot read '{}'", path.display()))?;
    Ok(KNOWN.get_or_init(|| format!("b3:{}", hasher.finalize())).clone())
}

/// Returns the versions of packages that affect results, from the lock file that the program was built with; none
/// without one.
pub fn versions(catalogue: &Catalogue) -> BTreeMap<String, String> {
    let mut versions = BTreeMap::new();
    for package in catalogue.lock_text().unwrap_or_default().split("[[package]]") {
        let field = |key: &str| {
            let line = package.lines().find_map(|line| line.strip_prefix(key));
            line.map(|value| value.trim_matches('"').to_owned())
        };
        if let (Some(name), Some(version)) = (field("name = "), field("version = "))
            && WANTED.contains(&name.as_str())
        {
            versions.insert(name, version);
        }
    }
    versions
}
