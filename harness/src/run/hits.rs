//! Which kinds of fault hit something in a run, derived from its trace: a fault that hits nothing tests nothing.

use std::collections::BTreeSet;

use crate::{
    fault::Plan,
    net::nat::{NatFault, Refusal},
    signaling,
    time::SimTime,
    trace::{CallEvent, Cause, CauseKind, Event, EventKind, Intent, Outcome, SignalDirection, Trace},
};

/// How soon after a connection was cut its client notices, at the latest, for the cut to have been the cause.
const NOTICED_MS: u64 = 1_000;

/// The marks of the faults that hit something, one for each time: `loss-hit`, `partition-hit`, `server-restart-hit`.
pub(super) fn hits(plan: &Plan, trace: &Trace) -> Vec<String> {
    let mut hits: Vec<&str> = Vec::new();
    let mut held = BTreeSet::new();
    for event in &trace.events {
        match &event.kind {
            EventKind::PacketDropped { by, .. }
            | EventKind::PacketDelayed { by, .. }
            | EventKind::PacketDuplicated { by, .. }
            | EventKind::PacketCorrupted { by, .. }
            | EventKind::PacketTruncated { by, .. } => {
                hits.extend(kind(plan, by));
                if by.kind == CauseKind::Hold {
                    held.insert(by.place.as_str());
                }
            }
            EventKind::SignalImpaired { fault, .. } => {
                let kinds = [
                    ("signal delay", "signal-delay"),
                    ("signal drop", "signal-drop"),
                    ("signal duplicate", "signal-duplicate"),
                ];
                hits.extend(kinds.iter().filter(|(what, _)| fault.contains(what)).map(|k| k.1));
            }
            EventKind::PointImpaired { .. } => hits.push("fault-point"),
            EventKind::FaultStarted { fault } if struck(plan, trace, event.at, fault) => {
                let kinds = [
                    "nat-rebind",
                    "nat-reboot",
                    "nat-change-address",
                    "ice-server-down",
                ];
                hits.extend(kinds.iter().filter(|kind| fault.contains(&format!(" {kind} "))));
            }
            EventKind::FaultStarted { fault } if lost_after(trace, event.at) => {
                let kinds = [
                    (" reset ", "tcp-reset"),
                    (" signaling-reset", "signaling-reset"),
                    (" server-restart", "server-restart"),
                ];
                hits.extend(kinds.iter().filter(|(what, _)| fault.contains(what)).map(|k| k.1));
            }
            _ => {}
        }
    }
    // Several links that were clogged at different times.
    if held.len() > 1 {
        hits.push("swizzle");
    }
    let hits = hits.into_iter().map(|kind| format!("{kind}-hit"));
    hits.chain(recoveries(trace))
        .chain(early_candidates(trace))
        .chain(restarts(trace))
        .chain(meetings(trace))
        .collect()
}

/// A mark for each candidate that a client received before the description of its generation was set.
fn early_candidates(trace: &Trace) -> Vec<String> {
    let mut described = BTreeSet::new();
    let mut early = 0;
    for event in &trace.events {
        match (&event.kind, event.host.as_deref()) {
            (
                EventKind::Described {
                    remote: true, ufrag, ..
                },
                Some(host),
            ) => drop(described.insert((host, ufrag.as_str()))),
            (
                EventKind::Signal {
                    direction: SignalDirection::Received,
                    with,
                    candidate: Some(candidate),
                    ..
                },
                Some(host),
            ) if with == "server" && !described.contains(&(host, candidate.ufrag.as_str())) => early += 1,
            _ => {}
        }
    }
    vec!["candidate-before-description".to_owned(); early]
}

/// Marks for calls that met others: dials that crossed, lines that were busy, and calls that came while the caller's call
/// before was still there.
fn meetings(trace: &Trace) -> Vec<String> {
    let mut marks = Vec::new();
    let mut rings: BTreeSet<(Option<&str>, &str, &str)> = BTreeSet::new();
    for event in &trace.events {
        let host = event.host.as_deref();
        match &event.kind {
            EventKind::Call {
                what: CallEvent::Over {
                    outcome: Outcome::Glare,
                },
                ..
            } => marks.push("glare"),
            EventKind::Call {
                what: CallEvent::Over {
                    outcome: Outcome::Busy,
                },
                ..
            } => marks.push("told-busy"),
            EventKind::Call {
                call,
                what: CallEvent::Over { .. },
            } => rings.retain(|(h, _, c)| *h != host || *c != call.as_str()),
            EventKind::Call {
                call,
                what: CallEvent::Rings { from },
            } => {
                if rings.iter().any(|(h, f, _)| *h == host && *f == from.as_str()) {
                    marks.push("dialed-again");
                }
                rings.insert((host, from, call));
            }
            _ => {}
        }
    }
    marks.into_iter().map(str::to_owned).collect()
}

/// A mark for each offer of a peer that had offered before: ICE was restarted on it.
fn restarts(trace: &Trace) -> Vec<String> {
    let mut offered = BTreeSet::new();
    let again = trace.events.iter().filter(|e| match &e.kind {
        EventKind::DescriptionCreated { peer, kind, .. } if kind == "offer" => {
            !offered.insert((e.host.as_deref(), peer))
        }
        _ => false,
    });
    vec!["ice-restarted".to_owned(); again.count()]
}

/// A mark for each attempt that an app began by itself, because the one before had come to nothing.
fn recoveries(trace: &Trace) -> Vec<String> {
    let again = |e: &&Event| match &e.kind {
        EventKind::PeerCreated { peer, offers: true } => peer.attempt > 1,
        _ => false,
    };
    let retried = |e: &&Event| matches!(e.kind.intent(), Some(Intent::Retry { .. }));
    let begun = trace.events.iter().filter(again).count();
    let asked = trace.events.iter().filter(retried).count();
    vec!["attempt-recovered".to_owned(); begun.saturating_sub(asked)]
}

fn kind(plan: &Plan, by: &Cause) -> Option<&'static str> {
    Some(match by.kind {
        CauseKind::Loss if has_bursts(plan, &by.place) => "bursts",
        CauseKind::Loss => "loss",
        CauseKind::Reorder => "reorder",
        CauseKind::Duplicate => "duplicate",
        CauseKind::Corrupt => "corrupt",
        CauseKind::Truncate => "truncate",
        CauseKind::QueueFull => "queue-full",
        CauseKind::Partition if by.place.contains(" network-switch ") => "network-switch",
        CauseKind::Partition if by.place.ends_with("both ways") => "partition",
        CauseKind::Partition => "one-way-partition",
        CauseKind::Hold => "hold",
        CauseKind::HostDown if by.place == "server" => "server-crash",
        CauseKind::HostDown => "client-crash",
        _ => return None,
    })
}

/// Whether `fault`, which began at `at`, struck a NAT or a STUN or TURN server in use: something was still sent to
/// where the NAT had a mapping, or to the server while it was down.
fn struck(plan: &Plan, trace: &Trace, at: SimTime, fault: &str) -> bool {
    let ends = |e: &&Event| matches!(&e.kind, EventKind::FaultEnded { fault: ended } if ended == fault);
    let nat = plan
        .nat_faults
        .iter()
        .enumerate()
        .find(|(i, f)| f.name(*i) == fault);
    let after = trace.events.iter().filter(|e| e.at >= at);
    if let Some((_, NatFault { nat, .. })) = nat {
        let forgotten = format!("{nat}: {}", Refusal::NoMapping);
        let external = plan
            .topology
            .nats
            .iter()
            .find(|n| n.name == *nat)
            .map(|n| n.external.to_string());
        return after
            .filter_map(|e| match &e.kind {
                EventKind::PacketDropped { by, .. } => Some(by),
                _ => None,
            })
            .any(|by| match by.kind {
                CauseKind::Nat => by.place == forgotten,
                CauseKind::Unroutable => Some(&by.place) == external.as_ref(),
                _ => false,
            });
    }
    let Some((_, server)) = fault.split_once(" ice-server-down ") else {
        return false;
    };
    let until = trace.events.iter().find(ends).map_or(SimTime::MAX, |e| e.at);
    after
        .filter(|e| e.at < until && e.host.as_deref() == Some(server))
        .any(|e| matches!(e.kind, EventKind::PacketDelivered { .. }))
}

/// Whether the direction of a link called `name`, such as `alice->net`, loses packets in bursts.
fn has_bursts(plan: &Plan, name: &str) -> bool {
    plan.topology.hosts.iter().any(|host| {
        host.interfaces.iter().enumerate().any(|(i, interface)| {
            let base = host.link_base(i);
            (name == format!("{base}->net") && interface.up.bursts.is_some())
                || (name == format!("net->{base}") && interface.down.bursts.is_some())
        })
    })
}

/// Whether a client lost its signaling connection soon after `at`.
fn lost_after(trace: &Trace, at: SimTime) -> bool {
    trace.events.iter().any(|e| {
        let lost = matches!(&e.kind, EventKind::Step { step, .. } if step == signaling::LOST);
        lost && e.at >= at && (e.at - at).as_millis() <= u128::from(NOTICED_MS)
    })
}
