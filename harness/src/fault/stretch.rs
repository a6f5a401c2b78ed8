//! Slow awaits: every step of a client's code can be made to take its time.
//!
//! A real client awaits databases, the user interface and the network between two steps of the call; this
//! is how callbacks and user actions come to cross. A client names each of its steps and asks the
//! [`Stretcher`] to pause there. Where the plan has an order in which the step is free, it goes on when it is its turn.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Plan;
use crate::{net::latency::Latency, world::Host};

/// Makes a step of a client take longer. Of several that fit, the first decides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stretch {
    /// The host of the client, `*` for every one.
    pub host: String,
    /// The step.
    pub step: String,
    /// How much longer, drawn each time that the step is reached.
    pub by: Latency,
}

/// Pauses the steps of the client on one host as the plan says.
#[derive(Clone)]
pub struct Stretcher {
    host: Host,
    plan: Arc<Plan>,
}

impl Stretcher {
    /// For the client on `host`.
    pub fn new(host: &Host, plan: &Arc<Plan>) -> Self {
        Self {
            host: host.clone(),
            plan: plan.clone(),
        }
    }

    /// Reaches `step`, and stays there as long as the plan says.
    pub async fn pause(&self, step: &str) {
        if self.host.turn(step, step).await {
            return;
        }
        let name = self.host.name();
        let rule = self
            .plan
            .stretch
            .iter()
            .find(|s| s.step == step && (s.host == "*" || s.host == name));
        if let Some(rule) = rule {
            let sim = self.host.sim();
            sim.sleep(sim.draw(&format!("stretch/{name}/{step}"), &rule.by))
                .await;
        }
    }
}
