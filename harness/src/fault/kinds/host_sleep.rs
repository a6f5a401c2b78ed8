//! A host sleeps.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    fault::{
        Befalls, Behaviour, Fault, InForce, KindSpec, Plan, Span, Stops,
        drawing::{one_of, timed},
        kinds::standstill,
    },
    net::conditions::{Condition, Directions},
    seed::Stream,
    world::Controls,
};

/// A host sleeps.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostSleep {}

/// The specification of the kind.
pub(super) const SPEC: KindSpec = KindSpec {
    name: "host-sleep",
    about: "A host sleeps, as a closed laptop or a phone in its pocket: its app stands still, and its interfaces carry nothing. When it \
            wakes, every timer of the app that has come due meanwhile fires at once. The timers of the WebRTC stack run on.",
    befalls: Befalls::Client,
    parameters: "",
    span: Span::ChaosPhase,
    marks: &["host-sleep-hit"],
    draw,
};

fn draw(draws: &mut Stream, plan: &Plan) -> Vec<Fault> {
    let host = one_of(draws, &Befalls::Client.all(plan));
    vec![timed(draws, plan, host, HostSleep {}, (1_000, 12_000))]
}

impl Behaviour for HostSleep {
    fn describe(&self, fault: &Fault) -> String {
        format!("sleep of {}{}", fault.target.name(), fault.lasting())
    }

    fn check(&self, fault: &Fault, before: &[Fault], _: &Plan) -> Result<(), String> {
        standstill::check(fault, before)
    }

    fn stops(&self) -> Option<Stops> {
        Some(Stops::App)
    }

    fn begin(&self, at: &InForce<'_>, world: &mut Controls<'_, '_>) {
        let (name, fault) = (at.fault.target.name(), at.fault.id);
        let links: Vec<String> = world.topology().host(name).map_or_else(Vec::new, |host| {
            (0..host.interfaces.len()).map(|i| host.link_base(i)).collect()
        });
        for link in links {
            world.lay(
                &link,
                Directions::Both,
                fault,
                &Condition::Blocked { until: at.until },
            );
        }
        world.pause(name, true);
    }

    fn end(&self, at: &InForce<'_>, world: &mut Controls<'_, '_>) {
        world.lift(at.fault.id);
        world.pause(at.fault.target.name(), false);
    }
}

/// Creates a fault that lets `host` sleep from `from_ms` to `until_ms`.
pub fn host_sleep(host: &str, from_ms: u64, until_ms: u64) -> Fault {
    let target = crate::fault::Target::host(host);
    Fault::new(target, HostSleep {}, from_ms, Some(until_ms))
}
