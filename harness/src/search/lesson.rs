//! What a search is told of a run: what it reached, and what it broke. Plain data, which may come from another process.

use serde::{Deserialize, Serialize};

use super::reached::Reached;
use crate::{run::RunRecord, shrink::Broken};

/// What a search is told of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lesson {
    /// What the run reached.
    pub reached: Reached,
    /// What it broke, if anything.
    pub found: Option<Found>,
}

impl Lesson {
    /// Reads it from `record`.
    pub fn of(record: &RunRecord) -> Self {
        Self {
            reached: Reached::of(record),
            found: Found::of(record),
        }
    }
}

/// What a run broke.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// The oracle, and the kind of event that decided.
    pub broken: Broken,
    /// How it was broken, in protocol terms.
    pub why: String,
}

impl Found {
    /// Returns what `record` broke; `None` if everything held, or a known defect explains what did not.
    pub fn of(record: &RunRecord) -> Option<Self> {
        let (id, violation) = record.failure()?;
        if record.excused.contains(&id) {
            return None;
        }
        Some(Self {
            broken: Broken::of(record)?,
            why: violation.why.clone(),
        })
    }
}
