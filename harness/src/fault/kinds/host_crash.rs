//! A host goes dark with all that runs on it, and starts anew.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    fault::{
        Befalls, Behaviour, Fault, InForce, KindSpec, Plan, Span, Stops, Target,
        drawing::{one_of, timed},
        kinds::standstill,
    },
    seed::Stream,
    trace::EventKind,
    world::Controls,
};

/// A host goes dark with all that runs on it, and starts anew.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostCrash {}

/// The specification of the kind.
pub(super) const SPEC: KindSpec = KindSpec {
    name: "host-crash",
    about: "A host goes dark with all that runs on it, and starts anew at the end.",
    befalls: Befalls::Host,
    parameters: "",
    span: Span::ChaosPhase,
    marks: &["client-crash-hit", "server-crash-hit"],
    draw,
};

fn draw(draws: &mut Stream, plan: &Plan) -> Vec<Fault> {
    let host = one_of(draws, &Befalls::Host.all(plan));
    vec![timed(draws, plan, host, HostCrash {}, (200, 4_000))]
}

impl Behaviour for HostCrash {
    fn describe(&self, fault: &Fault) -> String {
        format!("crash of {}{}", fault.target.name(), fault.lasting())
    }

    fn check(&self, fault: &Fault, before: &[Fault], _: &Plan) -> Result<(), String> {
        standstill::check(fault, before)
    }

    fn stops(&self) -> Option<Stops> {
        Some(Stops::Life)
    }

    fn begin(&self, at: &InForce<'_>, world: &mut Controls<'_, '_>) {
        world.crash(at.fault.target.name(), at.fault.id);
    }

    fn end(&self, at: &InForce<'_>, world: &mut Controls<'_, '_>) {
        world.start(at.fault.target.name());
    }

    fn mark(&self, fault: &Fault, _: &EventKind, plan: &Plan) -> Option<&'static str> {
        let [client, server] = *SPEC.marks else {
            return None;
        };
        Some(if plan.is_client(fault.target.name()) {
            client
        } else {
            server
        })
    }
}

/// Creates a fault that crashes `host` at `from_ms` and starts it again at `until_ms`.
pub fn host_crash(host: &str, from_ms: u64, until_ms: u64) -> Fault {
    Fault::new(Target::host(host), HostCrash {}, from_ms, Some(until_ms))
}
