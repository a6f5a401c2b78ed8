//! A NAT loses its mappings and assigns ports as after power-on.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    fault::{Befalls, Behaviour, Fault, InForce, KindSpec, Plan, Span, drawing::moment},
    net::nat::Nat,
    seed::Stream,
    world::Controls,
};

/// A NAT loses its mappings and assigns ports as after power-on.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NatReboot {}

/// The specification of the kind.
pub(super) const SPEC: KindSpec = KindSpec {
    name: "nat-reboot",
    about: "A NAT forgets every mapping, and gives ports as after it was switched on.",
    befalls: Befalls::Nat,
    parameters: "",
    span: Span::Moment,
    marks: &["nat-reboot-hit"],
    draw,
};

fn draw(draws: &mut Stream, plan: &Plan) -> Vec<Fault> {
    moment(draws, plan, Befalls::Nat, |_| NatReboot {})
}

impl Behaviour for NatReboot {
    fn describe(&self, fault: &Fault) -> String {
        format!("reboot of NAT {} at {} ms", fault.target.name(), fault.from_ms)
    }

    fn begin(&self, at: &InForce<'_>, world: &mut Controls<'_, '_>) {
        world.befall_nat(at.fault.target.name(), at.fault.id, Nat::reboot);
    }
}
