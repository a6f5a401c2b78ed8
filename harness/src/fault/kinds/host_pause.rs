//! The app on a host is paused.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    fault::{
        Befalls, Behaviour, Fault, InForce, KindSpec, Plan, Span, Stops,
        drawing::{one_of, timed},
        kinds::standstill,
    },
    seed::Stream,
    trace::EventKind,
    world::Controls,
};

/// The app on a host is paused.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostPause {}

/// The specification of the kind.
pub(super) const SPEC: KindSpec = KindSpec {
    name: "host-pause",
    about: "The app on a host stands still, as behind a blocked main thread: none of its own tasks goes on, while the system and the threads of the WebRTC stack do.",
    befalls: Befalls::Host,
    parameters: "",
    span: Span::ChaosPhase,
    marks: &["host-pause-hit"],
    draw,
};

fn draw(draws: &mut Stream, plan: &Plan) -> Vec<Fault> {
    let host = one_of(draws, &Befalls::Host.all(plan));
    vec![timed(draws, plan, host, HostPause {}, (100, 3_000))]
}

impl Behaviour for HostPause {
    fn describe(&self, fault: &Fault) -> String {
        format!("pause of {}{}", fault.target.name(), fault.lasting())
    }

    fn check(&self, fault: &Fault, before: &[Fault], _: &Plan) -> Result<(), String> {
        standstill::check(fault, before)
    }

    fn stops(&self) -> Option<Stops> {
        Some(Stops::App)
    }

    fn begin(&self, at: &InForce<'_>, world: &mut Controls<'_, '_>) {
        world.pause(at.fault.target.name(), true);
    }

    fn end(&self, at: &InForce<'_>, world: &mut Controls<'_, '_>) {
        let (host, fault) = (at.fault.target.name(), at.fault.id);
        if world.pause(host, false) {
            let host = world.sim().host(host);
            host.run(|| host.sim().record(EventKind::FaultHit { fault }));
        }
    }
}
