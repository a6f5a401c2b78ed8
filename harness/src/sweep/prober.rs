//! Runs a plan: in this process, or by another implementation of [`Prober`].

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::seen::Seen;
use crate::{fault::Plan, run::Runner, scenario::Scenario, seed::Seed, trace::Watch, world::WorldError};

/// The result of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Probe {
    /// The run ended.
    Ended(Box<Seen>),
    /// The run took its process down, or could not be run to its end.
    Died(String),
}

/// Runs plans of one scenario with one seed.
pub trait Prober: Sync {
    /// Runs `plan`; with `listen`, packets and messages are kept too. The same plan must always have the same result.
    ///
    /// # Errors
    /// Returns [`ProbeError`] if no plan can be run any more.
    fn probe(&self, plan: &Arc<Plan>, listen: bool) -> Result<Probe, ProbeError>;
}

/// The error if no more plans can be run.
#[derive(Debug, Error)]
#[error("a plan could not be run: {0}")]
pub struct ProbeError(pub String);

/// Runs plans on threads of this process: a plan that takes its process down takes this one.
#[derive(Clone, Debug)]
pub struct InProcess {
    /// The scenario.
    pub scenario: Arc<Scenario>,
    /// The seed.
    pub seed: Seed,
}

impl Prober for InProcess {
    fn probe(&self, plan: &Arc<Plan>, listen: bool) -> Result<Probe, ProbeError> {
        probe(&self.scenario, self.seed, plan.clone(), listen)
    }
}

/// Runs `scenario` with `plan` and keeps the data that a sweep needs.
///
/// # Errors
/// Returns [`ProbeError`] if no plan can be run in this process.
pub fn probe(
    scenario: &Arc<Scenario>,
    seed: Seed,
    plan: Arc<Plan>,
    listen: bool,
) -> Result<Probe, ProbeError> {
    let watch = Arc::new(match listen {
        true => Watch::of_crossings(),
        false => Watch::default(),
    });
    match Runner::new(scenario, seed)
        .with_plan(plan)
        .watched(watch.clone())
        .run()
    {
        Ok(record) => {
            let crossings = watch.take_crossings();
            let seen = Seen::of(&record, listen.then_some(&crossings));
            Ok(Probe::Ended(Box::new(seen)))
        }
        Err(error @ WorldError::Panicked(_)) => Ok(Probe::Died(error.to_string())),
        Err(error) => Err(ProbeError(error.to_string())),
    }
}
