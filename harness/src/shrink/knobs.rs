//! Single values of a plan that become plain when they are removed: of signaling, and of each direction of a link.

use super::item::{Gone, Item};
use crate::{
    fault::Plan,
    net::{latency::Latency, link::LinkProfile, topology::Topology},
    seed::Ppm,
    signaling::{Ordering, SignalingSpec},
};

/// Returns the longest delay of a distribution, in microseconds.
pub(super) fn longest_us(latency: &Latency) -> u64 {
    match latency {
        Latency::Constant { us: longest } | Latency::Uniform { max_us: longest, .. } => *longest,
        Latency::Quantiles { points } => points.last().map_or(0, |p| p.1),
    }
}

/// A single value of a plan, or of a part of it, that becomes plain when it is removed.
struct Value<T> {
    field: &'static str,
    /// Describes the value, if it is not plain.
    description: fn(&T) -> Option<String>,
    remove: fn(&mut T),
}

/// The values in which the service differs from a good one.
const SERVICE: &[Value<SignalingSpec>] = &[
    Value {
        field: "signaling.ordering",
        description: |service| {
            (service.ordering == Ordering::Concurrent)
                .then(|| "signaling messages overtake each other in the server".to_owned())
        },
        remove: |service| service.ordering = Ordering::InOrder,
    },
    Value {
        field: "signaling.descriptions",
        description: |service| slow("descriptions in the server", &service.descriptions),
        remove: |service| service.descriptions = Latency::NONE,
    },
    Value {
        field: "signaling.others",
        description: |service| slow("other messages in the server", &service.others),
        remove: |service| service.others = Latency::NONE,
    },
    Value {
        field: "signaling.push",
        description: |service| {
            let push = service.push.as_ref()?;
            Some(format!("callee asleep until a push, {}", push.describe()))
        },
        remove: |service| service.push = None,
    },
    Value {
        field: "signaling.passes_copies",
        description: |service| {
            let copies = "every copy of a message reaches the app";
            service.passes_copies.then(|| copies.to_owned())
        },
        remove: |service| service.passes_copies = false,
    },
];

/// Returns the values in which the signaling service of `plan` differs from a good one.
pub(super) fn of_service(plan: &Plan) -> Vec<Item> {
    plan.signaling
        .as_ref()
        .map_or_else(Vec::new, |service| listed(SERVICE, service))
}

/// Makes values of the service plain, by the numbers in [`of_service`].
pub(super) fn mend_service(plan: &mut Plan, gone: &Gone) {
    if let Some(service) = &mut plan.signaling {
        remove_of(SERVICE, service, gone);
    }
}

fn slow(what: &str, latency: &Latency) -> Option<String> {
    (*latency != Latency::NONE).then(|| format!("{what} take {}", latency.describe()))
}

/// Returns the values that are not plain.
fn listed<T>(values: &[Value<T>], of: &T) -> Vec<Item> {
    let items = values.iter().enumerate().filter_map(|(item, value)| {
        Some(Item {
            item,
            path: value.field.to_owned(),
            description: (value.description)(of)?,
        })
    });
    items.collect()
}

/// Makes the values at `gone` plain.
fn remove_of<T>(values: &[Value<T>], from: &mut T, gone: &Gone) {
    gone.iter().for_each(|i| (values[*i].remove)(from));
}

/// The values in which a link differs from a good one.
const IMPAIRMENTS: &[Value<LinkProfile>] = &[
    Value {
        field: "loss",
        description: |link| share("loss", link.loss),
        remove: |link| link.loss = Ppm::ZERO,
    },
    Value {
        field: "bursts",
        description: |link| {
            let bursts = link.bursts?;
            Some(format!(
                "bursts of {} lost in {}",
                bursts.bad_packets, bursts.good_packets
            ))
        },
        remove: |link| link.bursts = None,
    },
    Value {
        field: "duplicate",
        description: |link| share("doubles", link.duplicate),
        remove: |link| link.duplicate = Ppm::ZERO,
    },
    Value {
        field: "reorder",
        description: |link| share("reordering", link.reorder),
        remove: |link| (link.reorder, link.reorder_by) = (Ppm::ZERO, Latency::NONE),
    },
    Value {
        field: "corrupt",
        description: |link| share("flipped bits", link.corrupt),
        remove: |link| link.corrupt = Ppm::ZERO,
    },
    Value {
        field: "truncate",
        description: |link| share("cut datagrams", link.truncate),
        remove: |link| link.truncate = Ppm::ZERO,
    },
    Value {
        field: "bandwidth_kbps",
        description: |link| Some(format!("{} kbit/s", link.bandwidth_kbps?)),
        remove: |link| (link.bandwidth_kbps, link.queue) = (None, None),
    },
    Value {
        field: "queue",
        description: |link| link.queue.map(|_| "short queue".to_owned()),
        remove: |link| link.queue = None,
    },
    Value {
        field: "mtu",
        description: |link| Some(format!("MTU of {}", link.mtu?)),
        remove: |link| link.mtu = None,
    },
    Value {
        field: "latency",
        description: |link| {
            let (longest, good) = (
                longest_us(&link.latency),
                longest_us(&LinkProfile::default().latency),
            );
            (longest > good).then(|| format!("takes {}", link.latency.describe()))
        },
        remove: |link| link.latency = LinkProfile::default().latency,
    },
    Value {
        field: "jitter",
        description: |link| {
            (link.jitter != Latency::NONE).then(|| format!("jitter, {}", link.jitter.describe()))
        },
        remove: |link| link.jitter = Latency::NONE,
    },
];

fn share(what: &str, share: Ppm) -> Option<String> {
    let ppm = share.get();
    (ppm > 0).then(|| format!("{what} of {}.{:02} %", ppm / 10_000, ppm % 10_000 / 100))
}

/// Returns both directions of every access link, with a name and the path.
fn directions(topology: &Topology) -> Vec<(String, String, &LinkProfile)> {
    let mut all = Vec::new();
    for (h, host) in topology.hosts.iter().enumerate() {
        for (i, interface) in host.interfaces.iter().enumerate() {
            let (link, at) = (host.link_base(i), format!("topology.hosts[{h}].interfaces[{i}]"));
            all.push((format!("{link} up"), format!("{at}.up"), &interface.up));
            all.push((format!("{link} down"), format!("{at}.down"), &interface.down));
        }
    }
    all
}

/// Returns both directions of every access link, in the same order, to change them.
fn directions_mut(topology: &mut Topology) -> Vec<&mut LinkProfile> {
    let interfaces = topology.hosts.iter_mut().flat_map(|h| &mut h.interfaces);
    interfaces.flat_map(|i| [&mut i.up, &mut i.down]).collect()
}

/// Returns every impairment of any direction of a link.
pub(super) fn impairments(plan: &Plan) -> Vec<Item> {
    let all = directions(&plan.topology).into_iter().enumerate();
    let of = |(n, (link, path, profile)): (usize, (String, String, &LinkProfile))| {
        let items = listed(IMPAIRMENTS, profile).into_iter().map(move |i| Item {
            item: n * IMPAIRMENTS.len() + i.item,
            path: format!("{path}.{}", i.path),
            description: format!("{link}: {}", i.description),
        });
        items.collect::<Vec<_>>()
    };
    all.flat_map(of).collect()
}

/// Removes impairments, by their numbers in [`impairments`].
pub(super) fn remove_impairments(plan: &mut Plan, gone: &Gone) {
    let mut links = directions_mut(&mut plan.topology);
    for item in gone {
        let (link, which) = (item / IMPAIRMENTS.len(), item % IMPAIRMENTS.len());
        (IMPAIRMENTS[which].remove)(links[link]);
    }
}
