//! A NAT loses its mappings and assigns other ports from then on.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    fault::{Befalls, Behaviour, Fault, InForce, KindSpec, Plan, Span, drawing::moment},
    net::nat::Nat,
    seed::Stream,
    world::Controls,
};

/// A NAT loses its mappings and assigns other ports from then on.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NatRebind {}

/// The specification of the kind.
pub(super) const SPEC: KindSpec = KindSpec {
    name: "nat-rebind",
    about: "A NAT forgets every mapping, and the next packets get other external ports: how a carrier moves its customers about.",
    befalls: Befalls::Nat,
    parameters: "",
    span: Span::Moment,
    marks: &["nat-rebind-hit"],
    draw,
};

fn draw(draws: &mut Stream, plan: &Plan) -> Vec<Fault> {
    moment(draws, plan, Befalls::Nat, |_| NatRebind {})
}

impl Behaviour for NatRebind {
    fn describe(&self, fault: &Fault) -> String {
        format!("rebinding of NAT {} at {} ms", fault.target.name(), fault.from_ms)
    }

    fn begin(&self, at: &InForce<'_>, world: &mut Controls<'_, '_>) {
        world.befall_nat(at.fault.target.name(), at.fault.id, Nat::rebind);
    }
}
