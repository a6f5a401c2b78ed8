//! The rows as reports show them: `table.json`, which `report --reality` reads.

use std::{collections::BTreeMap, fs, path::Path};

use sleet_reports::html::reality::{Compared, Outcome};

use crate::{
    compare::{Row, Sample},
    suite::EXECUTED,
};

/// The file, in the folder of results.
const TABLE: &str = "table.json";

/// Writes all `rows` into `folder`, in the order of `names`.
///
/// # Errors
/// When the file cannot be written.
pub fn write(
    folder: &Path,
    rows: &BTreeMap<String, Row>,
    names: impl Iterator<Item = String>,
) -> anyhow::Result<()> {
    let rows: Vec<Compared> = names
        .filter_map(|name| rows.get(&name))
        .filter(|row| row.real.calls > 0 && row.simulated.calls > 0)
        .map(compared)
        .collect();
    Ok(fs::write(
        folder.join(TABLE),
        serde_json::to_string_pretty(&rows)?,
    )?)
}

fn compared(row: &Row) -> Compared {
    let path = |capture: &std::path::PathBuf| Path::new(EXECUTED).join(capture).display().to_string();
    Compared {
        case: row.case.clone(),
        about: row.about.clone(),
        real: outcome(&row.real),
        simulated: outcome(&row.simulated),
        apart: row.disagreements(),
        captures: row.captures.iter().map(path).collect(),
    }
}

fn outcome(sample: &Sample) -> Outcome {
    let share = sample.share();
    Outcome {
        calls: sample.calls,
        well: share.hits,
        interval: (share.low, share.high),
        times_ms: sample.percentile(50).zip(sample.percentile(95)),
        left: sample.left.iter().map(|(what, n)| (what.clone(), *n)).collect(),
    }
}
