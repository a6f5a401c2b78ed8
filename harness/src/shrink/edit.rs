//! The elements that can be removed from a plan, each with a name: faults, impairments, acts, hosts and NATs.
//!
//! A kind of element is a row of [`KINDS`]: how it is listed, and how some of it are removed. Elements are numbered in
//! the plan that was listed, so that the order of removals cannot matter. Everything that depends on a removed element
//! goes with it (the retry with its dial, the answer with the last dial that it answers, the fault with its target).
//! Anything whose removal would make failing trivial is not an element: the budget of a call, an answer by itself, a
//! STUN or TURN server while there is a NAT.

use std::collections::BTreeSet;

use super::{
    actors::{actions, devices, idle_hosts, remove_actions, remove_devices, remove_hosts, remove_nats},
    app::{parts, remove_parts},
    habits::{accepting, hasten, processors, refuse},
    item::{Gone, Item, drop_from},
    knobs::{impairments, mend_service, of_service, remove_impairments},
};
use crate::{
    fault::{Fault, Plan, SlowStep},
    net::topology::HostSpec,
    servers::IceServerSpec,
};

/// An element that can be removed from a plan.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Element {
    /// The description, which does not depend on the rest of the plan.
    pub description: String,
    /// The path in the plan.
    pub path: String,
    place: Place,
}

/// The row of [`KINDS`] and the number within.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    kind: usize,
    item: usize,
}

/// A kind of element.
struct ElementKind {
    /// Lists the elements of a plan.
    list: fn(&Plan) -> Vec<Item>,
    /// Removes elements, by their numbers in the plan that was listed.
    remove: fn(&mut Plan, &Gone),
    /// Whether elements of the kind can only be obstacles to a call: without any of them, only the users can be the
    /// cause.
    in_the_way: bool,
}

/// All kinds. They are removed in this order: things on a host or behind a NAT before the host or the NAT.
const KINDS: &[ElementKind] = &[
    ElementKind {
        list: |plan| numbered("faults", plan.faults.iter().map(Fault::describe)),
        remove: |plan, gone| drop_from(&mut plan.faults, gone),
        in_the_way: true,
    },
    ElementKind {
        list: |plan| numbered("slow_steps", plan.slow_steps.iter().map(SlowStep::describe)),
        remove: |plan, gone| drop_from(&mut plan.slow_steps, gone),
        in_the_way: true,
    },
    ElementKind {
        list: of_service,
        remove: mend_service,
        in_the_way: true,
    },
    ElementKind {
        list: impairments,
        remove: remove_impairments,
        in_the_way: true,
    },
    ElementKind {
        list: actions,
        remove: remove_actions,
        in_the_way: false,
    },
    ElementKind {
        list: devices,
        remove: remove_devices,
        in_the_way: false,
    },
    ElementKind {
        list: parts,
        remove: remove_parts,
        // The app may need the element.
        in_the_way: false,
    },
    ElementKind {
        list: |plan| {
            // Behind a NAT a call may not connect without them.
            let servers = plan.ice_servers.iter().filter(|_| plan.topology.nats.is_empty());
            let word =
                |s: &IceServerSpec| format!("{} server on {}", if s.turn { "TURN" } else { "STUN" }, s.host);
            numbered("ice_servers", servers.map(word))
        },
        remove: |plan, gone| drop_from(&mut plan.ice_servers, gone),
        in_the_way: false,
    },
    ElementKind {
        list: |plan| {
            let walled = plan.topology.hosts.iter().enumerate();
            let walled = walled.filter(|(_, host)| host.firewall.is_some());
            let item = |(i, host): (usize, &HostSpec)| Item {
                item: i,
                path: format!("topology.hosts[{i}].firewall"),
                description: format!("firewall of {}", host.name),
            };
            walled.map(item).collect()
        },
        remove: |plan, gone| gone.iter().for_each(|i| plan.topology.hosts[*i].firewall = None),
        in_the_way: true,
    },
    ElementKind {
        list: processors,
        remove: hasten,
        in_the_way: true,
    },
    ElementKind {
        list: accepting,
        remove: refuse,
        in_the_way: true,
    },
    ElementKind {
        list: |plan| {
            numbered(
                "topology.nats",
                plan.topology.nats.iter().map(|n| format!("NAT {}", n.name)),
            )
        },
        remove: remove_nats,
        in_the_way: true,
    },
    ElementKind {
        list: idle_hosts,
        remove: remove_hosts,
        in_the_way: false,
    },
];

/// A plan with its elements.
#[derive(Clone, Debug)]
pub struct Inventory {
    plan: Plan,
    elements: Vec<Element>,
}

impl Inventory {
    /// Lists the elements of `plan`.
    pub fn of(plan: &Plan) -> Self {
        let elements = KINDS.iter().enumerate().flat_map(|(kind, row)| {
            (row.list)(plan).into_iter().map(move |item| Element {
                description: item.description,
                path: item.path,
                place: Place {
                    kind,
                    item: item.item,
                },
            })
        });
        Self {
            elements: elements.collect(),
            plan: plan.clone(),
        }
    }

    /// Returns the elements.
    pub fn elements(&self) -> &[Element] {
        &self.elements
    }

    /// Returns the plan without the elements at `gone`; `None` if it could not be run, for example because an act names
    /// a host that is removed.
    ///
    /// # Panics
    /// Panics if there is no element at one of `gone`.
    pub fn without(&self, gone: &BTreeSet<usize>) -> Option<Plan> {
        let mut plan = self.plan.clone();
        for (kind, row) in KINDS.iter().enumerate() {
            let places = gone.iter().map(|i| self.elements[*i].place);
            let items: Gone = places.filter(|p| p.kind == kind).map(|p| p.item).collect();
            if !items.is_empty() {
                (row.remove)(&mut plan, &items);
            }
        }
        plan.drop_stray_faults();
        plan.check().is_ok().then_some(plan)
    }

    /// Returns the plan without any obstacle: users do the same, in a calm network.
    pub fn calm(&self) -> Option<Plan> {
        let places = self.elements.iter().enumerate();
        let in_the_way = places.filter(|(_, e)| KINDS[e.place.kind].in_the_way);
        self.without(&in_the_way.map(|(i, _)| i).collect())
    }
}

/// Lists the entries of a list as elements.
fn numbered(field: &str, description: impl Iterator<Item = String>) -> Vec<Item> {
    let item = |(item, description)| Item {
        item,
        path: format!("{field}[{item}]"),
        description,
    };
    description.enumerate().map(item).collect()
}
