//! The signaling server cuts all its connections.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    fault::{Befalls, Behaviour, Fault, InForce, KindSpec, Plan, Span, drawing::moment},
    seed::Stream,
    signaling::conditions::Conditions,
    world::Controls,
};

/// The signaling server cuts all its connections.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignalingReset {}

/// The specification of the kind.
pub(super) const SPEC: KindSpec = KindSpec {
    name: "signaling-reset",
    about: "The signaling server cuts all its connections.",
    befalls: Befalls::Signaling,
    parameters: "",
    span: Span::Moment,
    marks: &["signaling-reset-hit"],
    draw,
};

fn draw(draws: &mut Stream, plan: &Plan) -> Vec<Fault> {
    moment(draws, plan, Befalls::Signaling, |_| SignalingReset {})
}

impl Behaviour for SignalingReset {
    fn describe(&self, fault: &Fault) -> String {
        format!("signaling connections reset at {} ms", fault.from_ms)
    }

    fn begin(&self, at: &InForce<'_>, world: &mut Controls<'_, '_>) {
        world.sim().part::<Conditions>().cut(at.fault.id);
    }
}
