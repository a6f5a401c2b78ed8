//! Checkpoints: every await in a client's code can be made to take its time.
//!
//! A real client awaits databases, the user interface and the network between two steps of the call; this is how
//! callbacks and user actions come to cross. A client names each of its steps and asks the [`Checkpoints`] to pause
//! there. A fault that slows the step decides, else the plan. If the plan has an order in which the step is free, the
//! step waits for its turn instead.

use std::sync::{Arc, Mutex, MutexGuard};

use super::Plan;
use crate::{
    net::latency::Latency,
    trace::{EventKind, FaultId},
    world::Host,
};

/// Pauses the steps of the client on one host according to the plan.
#[derive(Clone)]
pub struct Checkpoints {
    host: Host,
    plan: Arc<Plan>,
}

impl Checkpoints {
    /// Creates the checkpoints of the client on `host`.
    pub fn new(host: &Host, plan: &Arc<Plan>) -> Self {
        Self {
            host: host.clone(),
            plan: plan.clone(),
        }
    }

    /// Pauses at `step` for as long as the plan says.
    pub async fn pause(&self, step: &str) {
        if self.host.turn(step, step).await {
            return;
        }
        let (name, sim) = (self.host.name(), self.host.sim());
        if let Some((fault, by)) = sim.part::<Slowed>().over(name, step) {
            sim.record(EventKind::FaultHit { fault });
            return sim.sleep(sim.draw(&format!("stretch/{name}/{step}"), &by)).await;
        }
        let rule = self
            .plan
            .slow_steps
            .iter()
            .find(|s| s.step == step && (s.host == "*" || s.host == name));
        if let Some(rule) = rule {
            sim.sleep(sim.draw(&format!("stretch/{name}/{step}"), &rule.by))
                .await;
        }
    }
}

/// The steps that faults slow now. A world has one of these.
#[derive(Default)]
pub(super) struct Slowed {
    steps: Mutex<Vec<Slow>>,
}

struct Slow {
    fault: FaultId,
    host: String,
    step: String,
    by: Latency,
}

impl Slowed {
    /// Makes `step` of the client on `host` take as long as `by` says, on behalf of `fault`.
    pub fn lay(&self, fault: FaultId, host: &str, step: &str, by: &Latency) {
        self.steps().push(Slow {
            fault,
            host: host.to_owned(),
            step: step.to_owned(),
            by: by.clone(),
        });
    }

    /// Removes the slow steps of `fault`.
    pub fn lift(&self, fault: FaultId) {
        self.steps().retain(|slow| slow.fault != fault);
    }

    /// Returns the fault that slows `step` of the client on `host`, and the delay; of several faults, the first.
    fn over(&self, host: &str, step: &str) -> Option<(FaultId, Latency)> {
        let steps = self.steps();
        let slow = steps.iter().find(|slow| slow.host == host && slow.step == step)?;
        Some((slow.fault, slow.by.clone()))
    }

    fn steps(&self) -> MutexGuard<'_, Vec<Slow>> {
        self.steps.lock().expect("no panic while it is held")
    }
}
