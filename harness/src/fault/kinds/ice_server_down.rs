//! A STUN or TURN server goes down, and comes up again or not.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    fault::{
        Befalls, Behaviour, Fault, InForce, KindSpec, Plan, Span, Target,
        drawing::timed,
        kinds::{FaultKind, apart},
    },
    seed::Stream,
    servers::Outages,
    world::Controls,
};

/// A STUN or TURN server goes down, and comes up again or not.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IceServerDown {}

/// The specification of the kind.
pub(super) const SPEC: KindSpec = KindSpec {
    name: "ice-server-down",
    about: "A STUN or TURN server dies without a goodbye, with all its allocations; one that comes back knows nothing of them.",
    befalls: Befalls::IceServer,
    parameters: "",
    span: Span::MayStay,
    marks: &["ice-server-down-hit"],
    draw,
};

fn draw(draws: &mut Stream, plan: &Plan) -> Vec<Fault> {
    let servers = Befalls::IceServer.all(plan);
    let down = |server| timed(draws, plan, server, IceServerDown {}, (500, 8_000));
    servers.into_iter().take(1).map(down).collect()
}

impl Behaviour for IceServerDown {
    fn describe(&self, fault: &Fault) -> String {
        match fault.until_ms {
            Some(_) => format!("server on {} down{}", fault.target.name(), fault.lasting()),
            None => format!(
                "server on {} down for good from {} ms on",
                fault.target.name(),
                fault.from_ms
            ),
        }
    }

    fn check(&self, fault: &Fault, before: &[Fault], _: &Plan) -> Result<(), String> {
        let same =
            |other: &Fault| matches!(other.kind, FaultKind::IceServerDown(_)) && other.target == fault.target;
        apart::check(fault, before.iter().filter(|f| same(f)))
    }

    fn begin(&self, at: &InForce<'_>, world: &mut Controls<'_, '_>) {
        let sim = world.sim();
        let outages = sim.part::<Outages>();
        outages.begin(sim, at.fault.target.name(), at.fault.id);
    }

    fn end(&self, at: &InForce<'_>, world: &mut Controls<'_, '_>) {
        let sim = world.sim();
        sim.part::<Outages>().end(sim, at.fault.target.name());
    }
}

/// Creates a fault that takes the server on `host` down at `from_ms`, until `until_ms` or for good.
pub fn ice_server_down(host: &str, from_ms: u64, until_ms: Option<u64>) -> Fault {
    Fault::new(Target::ice_server(host), IceServerDown {}, from_ms, until_ms)
}
