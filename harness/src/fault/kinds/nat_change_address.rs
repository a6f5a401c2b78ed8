//! A NAT gets another external address.

use std::net::{IpAddr, Ipv4Addr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    fault::{Befalls, Behaviour, Fault, InForce, KindSpec, Plan, Span, drawing::moment},
    seed::Stream,
    world::Controls,
};

/// A NAT gets another external address, and loses every mapping: a new lease.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NatChangeAddress {
    /// The new address, which no other interface or NAT ever has in the run.
    pub to: IpAddr,
}

/// The specification of the kind.
pub(super) const SPEC: KindSpec = KindSpec {
    name: "nat-change-address",
    about: "A NAT gets another address outside, and forgets every mapping: a new lease.",
    befalls: Befalls::Nat,
    parameters: "`to`: an address that nobody else ever has in the run",
    span: Span::Moment,
    marks: &["nat-change-address-hit"],
    draw,
};

fn draw(draws: &mut Stream, plan: &Plan) -> Vec<Fault> {
    moment(draws, plan, Befalls::Nat, |d| NatChangeAddress {
        to: Ipv4Addr::new(203, 0, 113, d.between(100, 250) as u8).into(),
    })
}

impl Behaviour for NatChangeAddress {
    fn describe(&self, fault: &Fault) -> String {
        let (nat, at) = (fault.target.name(), fault.from_ms);
        format!("NAT {nat} moves to {} at {at} ms", self.to)
    }

    fn check(&self, fault: &Fault, before: &[Fault], plan: &Plan) -> Result<(), String> {
        let (nat, to) = (fault.target.name(), self.to);
        let own = plan.topology.nats.iter().find(|n| n.name == nat);
        let of_another =
            |other: &Fault| other.target != fault.target && other.kind.behaviour().brings() == Some(to);
        let is_own = own.is_some_and(|own| own.external == to);
        let taken = !is_own && plan.topology.addresses().any(|a| a == to) || before.iter().any(of_another);
        if taken || to.is_loopback() || to.is_unspecified() {
            return Err(format!(
                "kind.nat-change-address.to: {to} cannot be an address of '{nat}': take one that nobody has"
            ));
        }
        Ok(())
    }

    fn begin(&self, at: &InForce<'_>, world: &mut Controls<'_, '_>) {
        let to = self.to;
        world.befall_nat(at.fault.target.name(), at.fault.id, |nat| nat.change_address(to));
    }

    fn brings(&self) -> Option<IpAddr> {
        Some(self.to)
    }
}
