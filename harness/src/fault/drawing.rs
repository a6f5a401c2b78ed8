//! Helpers of the kinds for drawing their faults for the swarm.

use super::{Fault, FaultKind, Plan, Target, kind::Befalls};
use crate::{
    net::conditions::Directions,
    seed::{Ppm, Stream},
};

/// The time within which the first calls of a run are dialed and answered, in milliseconds: where faults hit most.
const EARLY_MS: u64 = 6_000;

/// Draws a time early in the chaos phase, in milliseconds.
pub(super) fn early(draws: &mut Stream, plan: &Plan) -> u64 {
    draws.below(EARLY_MS.min(plan.heal_at_ms.max(1)))
}

/// Draws one of `all`, which must not be empty.
pub(super) fn one_of<T: Clone>(draws: &mut Stream, all: &[T]) -> T {
    all[draws.below(all.len() as u64) as usize].clone()
}

/// Draws a probability from `low` to `high` percent.
pub(super) fn percent(draws: &mut Stream, low: u64, high: u64) -> Ppm {
    Ppm::percent(draws.between(low, high) as u32)
}

/// Draws a fault that begins early and lasts from `shortest` to `longest` milliseconds.
pub(super) fn timed(
    draws: &mut Stream,
    plan: &Plan,
    target: Target,
    kind: impl Into<FaultKind>,
    (shortest, longest): (u64, u64),
) -> Fault {
    let from_ms = early(draws, plan);
    let until_ms = from_ms + draws.between(shortest, longest);
    // A fault ends with the chaos phase at the latest.
    let until_ms = until_ms.min(plan.heal_at_ms).max(from_ms + 1);
    Fault::new(target, kind, from_ms, Some(until_ms))
}

/// Draws a momentary fault on one of the targets of `befalls`; none if there is no target.
pub(super) fn moment<K: Into<FaultKind>>(
    draws: &mut Stream,
    plan: &Plan,
    befalls: Befalls,
    kind: impl Fn(&mut Stream) -> K,
) -> Vec<Fault> {
    let all = befalls.all(plan);
    if all.is_empty() {
        return Vec::new();
    }
    let (target, kind) = (one_of(draws, &all), kind(draws));
    let from_ms = early(draws, plan);
    vec![Fault::new(target, kind, from_ms, None)]
}

/// Draws a fault for the whole chaos phase on each direction of every link but the signaling server's.
pub(super) fn each_direction<K: Into<FaultKind>>(
    draws: &mut Stream,
    plan: &Plan,
    kind: impl Fn(&mut Stream) -> K,
) -> Vec<Fault> {
    let links = links_but_the_servers(plan);
    let ends = links
        .iter()
        .flat_map(|link| [Directions::Up, Directions::Down].map(|way| Target::ends(link, way)));
    ends.map(|end| Fault::new(end, kind(draws), 0, None)).collect()
}

/// Returns the links of all hosts but that of the signaling server.
pub(super) fn links_but_the_servers(plan: &Plan) -> Vec<String> {
    let links = Befalls::Link.all(plan).into_iter();
    let is_service = |link: &Target| plan.signaling.as_ref().is_some_and(|s| link.is_of_host(&s.host));
    let others = links.filter(|link| !is_service(link));
    others.map(|link| link.name().to_owned()).collect()
}

/// Returns the links of the clients' hosts.
pub(super) fn client_links(plan: &Plan) -> Vec<Target> {
    let of_client = |link: &Target| {
        let host = link.name().split('/').next();
        host.is_some_and(|host| plan.is_client(host))
    };
    Befalls::Link.all(plan).into_iter().filter(of_client).collect()
}
