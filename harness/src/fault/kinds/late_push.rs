//! Push notifications take longer.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    fault::{Befalls, Behaviour, Fault, InForce, KindSpec, Lessen, Plan, Span, Target},
    seed::Stream,
    signaling::conditions::Conditions,
    world::Controls,
};

/// Push notifications take longer.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LatePush {
    /// The extra delay, in milliseconds; at least 1.
    pub ms: u64,
}

/// The specification of the kind.
pub(super) const SPEC: KindSpec = KindSpec {
    name: "late-push",
    about: "The push notifications that wake clients take longer.",
    befalls: Befalls::Push,
    parameters: "`ms`: 1 at least",
    span: Span::ChaosPhase,
    marks: &["late-push-hit"],
    draw,
};

fn draw(draws: &mut Stream, plan: &Plan) -> Vec<Fault> {
    // Only a service with push notifications has this fault; a callee that is awake stays awake.
    let asleep = plan.signaling.iter().filter_map(|s| s.push.as_ref());
    asleep
        .map(|_| {
            let ms = draws.between(500, 6_000);
            Fault::new(Target::Signaling, LatePush { ms }, 0, None)
        })
        .collect()
}

impl Behaviour for LatePush {
    fn describe(&self, fault: &Fault) -> String {
        format!("push notifications {} ms late{}", self.ms, fault.lasting())
    }

    fn check(&self, _: &Fault, _: &[Fault], _: &Plan) -> Result<(), String> {
        match self.ms {
            0 => Err("kind.late-push.ms: 0 is not late: 1 at least".into()),
            _ => Ok(()),
        }
    }

    fn begin(&self, at: &InForce<'_>, world: &mut Controls<'_, '_>) {
        let conditions = world.sim().part::<Conditions>();
        conditions.slow_push(at.fault.id, Duration::from_millis(self.ms));
    }

    fn end(&self, at: &InForce<'_>, world: &mut Controls<'_, '_>) {
        world.sim().part::<Conditions>().lift(at.fault.id);
    }

    fn lessen(&mut self) -> Vec<Lessen<'_>> {
        vec![Lessen::Ms(&mut self.ms)]
    }
}
