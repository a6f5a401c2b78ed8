//! A saved failure: enough to run it again on another machine and another day.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

use super::RunRecord;
use crate::{
    fault::{self, Plan, PlanError},
    seed::Seed,
    trace::Digest,
};

/// The version of the format.
pub const REPRO_VERSION: u32 = 1;

/// A failure with its expanded plan.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Repro {
    /// The version of the format.
    pub v: u32,
    /// The name of the scenario.
    pub scenario: String,
    /// What decides the draws that the plan leaves open.
    pub seed: Seed,
    /// The oracle that was broken, if one was.
    pub oracle: Option<String>,
    /// The digest of the trace; only the build that saved it has to reproduce it to the byte.
    pub digest: Digest,
    /// The program that saved it.
    pub build: String,
    /// The page of the known defect that it shows, if it shows one: then it breaks its oracle for good.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub known: Option<String>,
    /// What happens.
    pub plan: Plan,
}

/// A file that is no saved failure.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReproError {
    /// Cut off, or not JSON of this schema.
    #[error("not a saved failure: {0}")]
    Malformed(#[from] serde_json::Error),
    /// Written by another version.
    #[error("version {0} of the format; this program reads version {REPRO_VERSION}")]
    Version(u32),
    /// Its plan cannot be run.
    #[error("plan.{0}")]
    Plan(#[from] PlanError),
}

impl Repro {
    /// Saves `record`.
    pub fn of(record: &RunRecord, build: &str) -> Self {
        Self {
            v: REPRO_VERSION,
            scenario: record.scenario.clone(),
            seed: record.seed,
            oracle: record.failure().map(|(id, _)| id.to_owned()),
            digest: record.trace.digest,
            build: build.to_owned(),
            known: None,
            plan: (*record.plan).clone(),
        }
    }

    /// Reads a saved failure.
    ///
    /// # Errors
    /// [`ReproError`]. The versions are looked at first, so that a file of another version is called that
    /// and not malformed. A plan of an earlier version becomes one of this: its digest is that of the program that saved it.
    pub fn parse(json: &str) -> Result<Self, ReproError> {
        #[derive(Deserialize)]
        struct Versions {
            v: u32,
        }
        let versions: Versions = serde_json::from_str(json)?;
        if versions.v != REPRO_VERSION {
            return Err(ReproError::Version(versions.v));
        }
        let mut value: Value = serde_json::from_str(json)?;
        if let Some(plan) = value.get_mut("plan") {
            fault::upgrade(plan)?;
        }
        let repro: Self = serde_json::from_value(value)?;
        repro.plan.check()?;
        Ok(repro)
    }

    /// Writes it.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("plans are plain data")
    }
}
