//! Judges a candidate plan: in this process, or by another implementation of [`Executor`].

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{
    fault::Plan,
    run::{RunRecord, Runner},
    scenario::Scenario,
    seed::Seed,
    world::WorldError,
};

/// The failure of a plan. Two plans fail alike if these are equal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Broken {
    /// The id of the first broken oracle.
    pub oracle: String,
    /// The kind of the deciding event, such as `candidate-refused`, if there is one: a call that does not connect
    /// because a candidate is lost is another failure than one whose callee is not online.
    pub decided_by: Option<String>,
}

impl Broken {
    /// Returns the failure of `record`, if any.
    pub fn of(record: &RunRecord) -> Option<Self> {
        let (oracle, violation) = record.failure()?;
        let decided = violation
            .event
            .and_then(|seq| record.trace.events.get(seq as usize));
        Some(Self {
            oracle: oracle.to_owned(),
            decided_by: decided.map(|event| event.kind.name()),
        })
    }
}

/// Runs plans of one scenario with one seed.
pub trait Executor: Sync {
    /// Runs `plan` and returns its failure, `None` if every oracle holds. The same plan must always have the same
    /// result.
    ///
    /// # Errors
    /// Returns [`ExecuteError`] if no plan can be run any more. A plan that cannot be run to its end breaks no oracle.
    fn run(&self, plan: &Arc<Plan>) -> Result<Option<Broken>, ExecuteError>;
}

/// The error if no more plans can be run.
#[derive(Debug, Error)]
#[error("a candidate could not be run: {0}")]
pub struct ExecuteError(pub String);

/// Runs plans on threads of this process.
#[derive(Clone, Debug)]
pub struct InProcess {
    /// The scenario.
    pub scenario: Arc<Scenario>,
    /// The seed.
    pub seed: Seed,
}

impl Executor for InProcess {
    fn run(&self, plan: &Arc<Plan>) -> Result<Option<Broken>, ExecuteError> {
        match Runner::new(&self.scenario, self.seed)
            .with_plan(plan.clone())
            .run()
        {
            Ok(record) => Ok(Broken::of(&record)),
            Err(WorldError::Panicked(_)) => Ok(None),
            Err(error) => Err(ExecuteError(error.to_string())),
        }
    }
}
