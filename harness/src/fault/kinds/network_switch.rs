//! A host leaves one interface for good and goes on over another, such as a phone that leaves its Wi-Fi.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    fault::{
        Befalls, Behaviour, Fault, FaultKind, InForce, KindSpec, Plan, Span, Target,
        drawing::{early, one_of},
    },
    seed::Stream,
    time::SimTime,
    world::Controls,
};

/// A host leaves one interface for good and goes on over another.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkSwitch {
    /// The interface that the host leaves, which is dark from then on.
    pub leaves: String,
    /// The interface that the host goes on over, which is dark until then.
    pub over: String,
}

/// The specification of the kind.
pub(super) const SPEC: KindSpec = KindSpec {
    name: "network-switch",
    about: "A host leaves one interface for good and goes on over another, which was dark before: its connections end, and the other ends are not told.",
    befalls: Befalls::Phone,
    parameters: "`leaves`, `over`: two interfaces of the host; of several switches of a host, each leaves what the one before it went over",
    span: Span::ForGood,
    marks: &["network-switch-hit"],
    draw,
};

/// Draws a switch of one of the hosts with two interfaces, from its first to its second.
fn draw(draws: &mut Stream, plan: &Plan) -> Vec<Fault> {
    let phones = Befalls::Phone.all(plan);
    if phones.is_empty() {
        return Vec::new();
    }
    let phone = one_of(draws, &phones);
    let host = plan.topology.host(phone.name());
    let names: Vec<String> = host
        .iter()
        .flat_map(|h| &h.interfaces)
        .map(|i| i.name.clone())
        .collect();
    let switch = NetworkSwitch {
        leaves: names[0].clone(),
        over: names[1].clone(),
    };
    let from_ms = early(draws, plan);
    vec![Fault::new(phone, switch, from_ms, None)]
}

/// Iterates over the switches among `faults` that have the same host as `fault`, in order.
fn of_host<'a>(
    fault: &'a Fault,
    faults: &'a [Fault],
) -> impl Iterator<Item = (&'a Fault, &'a NetworkSwitch)> {
    faults.iter().filter_map(|other| match &other.kind {
        FaultKind::NetworkSwitch(switch) if other.target == fault.target => Some((other, switch)),
        _ => None,
    })
}

impl NetworkSwitch {
    fn concerns(&self, interface: &str) -> bool {
        self.leaves == interface || self.over == interface
    }

    /// Returns the time of the next change of `interface` after `at`.
    fn next_change(at: &InForce<'_>, interface: &str) -> SimTime {
        let later =
            of_host(at.fault, at.all).filter(|(f, s)| f.from() > at.fault.from() && s.concerns(interface));
        later.map(|(f, _)| f.from()).min().unwrap_or(SimTime::MAX)
    }
}

impl Behaviour for NetworkSwitch {
    fn describe(&self, fault: &Fault) -> String {
        let (host, at) = (fault.target.name(), fault.from_ms);
        format!("{host} changes from {} to {} at {at} ms", self.leaves, self.over)
    }

    fn check(&self, fault: &Fault, before: &[Fault], plan: &Plan) -> Result<(), String> {
        let Self { leaves, over } = self;
        let (at, name) = ("kind.network-switch", fault.target.name());
        let has = |wanted: &str| {
            let host = plan.topology.host(name);
            host.is_some_and(|h| h.interfaces.iter().any(|i| i.name == wanted))
        };
        for (field, interface) in [("leaves", leaves), ("over", over)] {
            if !has(interface) {
                return Err(format!("{at}.{field}: {name} has no interface '{interface}'"));
            }
        }
        if leaves == over {
            return Err(format!("{at}.over: that is the interface that it leaves"));
        }
        if let Some((earlier, switch)) = of_host(fault, before).last() {
            if switch.over != *leaves {
                return Err(format!("{at}.leaves: {name} is on {} by then", switch.over));
            }
            if earlier.from_ms >= fault.from_ms {
                return Err("from_ms: not after the switch before it".into());
            }
        }
        Ok(())
    }

    fn prepare(&self, at: &InForce<'_>, world: &mut Controls<'_, '_>) {
        let host = at.fault.target.name();
        let mut earlier = of_host(at.fault, at.all).take_while(|(f, _)| f.id != at.fault.id);
        if !earlier.any(|(_, s)| s.concerns(&self.over)) {
            world.set_dark(host, &self.over, Some((at.fault.id, at.fault.from())));
        }
        if of_host(at.fault, at.all)
            .next()
            .is_some_and(|(f, _)| f.id == at.fault.id)
        {
            world.lead_over(host, &self.leaves);
        }
    }

    fn begin(&self, at: &InForce<'_>, world: &mut Controls<'_, '_>) {
        let host = at.fault.target.name();
        let dark = (at.fault.id, Self::next_change(at, &self.leaves));
        world.set_dark(host, &self.leaves, Some(dark));
        world.set_dark(host, &self.over, None);
        world.lead_over(host, &self.over);
        world.abandon_connections(&format!("{host}/{}", self.leaves));
    }
}

/// Creates a fault in which `host` leaves the interface `leaves` at `at_ms`, and goes on over `over`.
pub fn network_switch(host: &str, leaves: &str, over: &str, at_ms: u64) -> Fault {
    let switch = NetworkSwitch {
        leaves: leaves.to_owned(),
        over: over.to_owned(),
    };
    Fault::new(Target::host(host), switch, at_ms, None)
}
