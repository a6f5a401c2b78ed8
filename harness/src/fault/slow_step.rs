//! Slow steps: rules of a plan that make an await in a client's code take its time. Plain data.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::net::latency::Latency;

/// A rule that makes a step of a client take longer. The first rule that fits decides.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlowStep {
    /// The host of the client, `*` for every host.
    pub host: String,
    /// The name of the step.
    pub step: String,
    /// The extra delay, drawn each time that the step is reached.
    pub by: Latency,
}

impl SlowStep {
    /// Describes the rule in words that do not depend on the rest of the plan.
    pub fn describe(&self) -> String {
        let whose = match self.host.as_str() {
            "*" => "everybody",
            host => host,
        };
        format!("slow {} of {whose}, {}", self.step, self.by.describe())
    }
}
