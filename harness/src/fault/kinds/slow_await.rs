//! A step of a client takes longer.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    fault::{
        Befalls, Behaviour, Fault, InForce, KindSpec, Lessen, Plan, Span, checkpoints::Slowed,
        drawing::one_of,
    },
    net::latency::Latency,
    seed::{Ppm, Stream},
    world::Controls,
};

/// A step of a client takes another time than the plan says otherwise.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlowAwait {
    /// The step, by its name in the client.
    pub step: String,
    /// The duration, drawn each time that the step is reached.
    pub by: Latency,
}

/// The specification of the kind.
pub(super) const SPEC: KindSpec = KindSpec {
    name: "slow-await",
    about: "A step of a client takes its time: the client waits there, and everything else goes on.",
    befalls: Befalls::Client,
    parameters: "`step`: as the client names it; `by`: a distribution of delays",
    span: Span::ChaosPhase,
    marks: &["slow-await-hit"],
    draw,
};

/// Draws among the steps that the plan names: others may not exist.
fn draw(draws: &mut Stream, plan: &Plan) -> Vec<Fault> {
    let clients = Befalls::Client.all(plan);
    let mut faults = Vec::new();
    for slow in plan.slow_steps.iter().filter(|_| !clients.is_empty()) {
        if draws.chance(Ppm::percent(40)) {
            let host = one_of(draws, &clients);
            let by = Latency::uniform_ms(0, draws.between(50, 300));
            let step = slow.step.clone();
            faults.push(Fault::new(host, SlowAwait { step, by }, 0, None));
        }
    }
    faults
}

impl Behaviour for SlowAwait {
    fn describe(&self, fault: &Fault) -> String {
        let (step, host) = (&self.step, fault.target.name());
        format!("slow {step} of {host}, {}{}", self.by.describe(), fault.lasting())
    }

    fn check(&self, _: &Fault, _: &[Fault], _: &Plan) -> Result<(), String> {
        self.by.check().map_err(|e| format!("kind.slow-await.by: {e}"))
    }

    fn begin(&self, at: &InForce<'_>, world: &mut Controls<'_, '_>) {
        let slowed = world.sim().part::<Slowed>();
        slowed.lay(at.fault.id, at.fault.target.name(), &self.step, &self.by);
    }

    fn end(&self, at: &InForce<'_>, world: &mut Controls<'_, '_>) {
        world.sim().part::<Slowed>().lift(at.fault.id);
    }

    fn lessen(&mut self) -> Vec<Lessen<'_>> {
        vec![Lessen::Latency(&mut self.by)]
    }
}
