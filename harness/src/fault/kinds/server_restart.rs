//! The signaling server goes down and comes back.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    fault::{
        Befalls, Behaviour, Fault, FaultKind, InForce, KindSpec, Plan, Span, Target, drawing::timed,
        kinds::apart,
    },
    seed::Stream,
    signaling::conditions::Conditions,
    world::Controls,
};

/// The signaling server goes down and comes back.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerRestart {}

/// The specification of the kind.
pub(super) const SPEC: KindSpec = KindSpec {
    name: "server-restart",
    about: "The signaling server goes down with all that it has in hand, and comes back with an empty registry.",
    befalls: Befalls::Signaling,
    parameters: "",
    span: Span::ChaosPhase,
    marks: &["server-restart-hit"],
    draw,
};

fn draw(draws: &mut Stream, plan: &Plan) -> Vec<Fault> {
    vec![timed(
        draws,
        plan,
        Target::Signaling,
        ServerRestart {},
        (100, 4_000),
    )]
}

impl Behaviour for ServerRestart {
    fn describe(&self, fault: &Fault) -> String {
        format!("signaling server down{}", fault.lasting())
    }

    fn check(&self, fault: &Fault, before: &[Fault], _: &Plan) -> Result<(), String> {
        let same = |other: &Fault| matches!(other.kind, FaultKind::ServerRestart(_));
        apart::check(fault, before.iter().filter(|f| same(f)))
    }

    fn begin(&self, at: &InForce<'_>, world: &mut Controls<'_, '_>) {
        world.sim().part::<Conditions>().go_down(at.fault.id);
    }

    fn end(&self, _: &InForce<'_>, world: &mut Controls<'_, '_>) {
        world.sim().part::<Conditions>().come_back();
    }
}
