//! States that peers reported, panics, and the last events if no rule applies.

use super::{Link, descriptions};
use crate::{
    fault::Plan,
    oracle::calls::Call,
    run::RunRecord,
    trace::{Event, EventKind, Machine, Trace},
};

/// The number of events shown if no rule applies.
const LAST: usize = 12;

/// Returns the ICE and connection states of a call's peers, and messages received over it.
pub(super) fn of_peers(trace: &Trace, call: &Call<'_>) -> Vec<Link> {
    let link = |e: &Event| {
        let host = e.host.as_deref().unwrap_or_default();
        match &e.kind {
            EventKind::State { peer, machine, state }
                if peer.call == call.name
                    && state != "closed"
                    && matches!(machine, Machine::Ice | Machine::Connection) =>
            {
                Some(Link::new(e, format!("{machine} of {host}: {state}")))
            }
            EventKind::Data {
                peer,
                received: true,
                text,
            } if peer.call == call.name => Some(Link::new(e, format!("{host} heard '{text}'"))),
            _ => None,
        }
    };
    trace.events.iter().filter_map(link).collect()
}

/// Explains the panic `event`: with the packet that its host had just received, if that was changed on its way.
pub(super) fn panic(record: &RunRecord, event: &Event) -> Vec<Link> {
    let EventKind::Panicked { message, place } = &event.kind else {
        return Vec::new();
    };
    let host = event.host.as_deref().unwrap_or("the network");
    let before = &record.trace.events[..event.seq as usize];
    let mut chain = Vec::new();
    let received = before.iter().rev().find_map(|e| match &e.kind {
        EventKind::PacketDelivered { packet } if e.host == event.host => Some((e, *packet)),
        _ => None,
    });
    if let Some((delivered, id)) = received {
        chain.extend(before.iter().filter_map(|e| packet_link(&record.plan, e, id)));
        chain.push(Link::new(delivered, format!("{host} received it")));
    }
    chain.push(Link::new(
        event,
        format!("a task of {host} panicked at {place}: {message}"),
    ));
    chain
}

/// Describes what happened to packet `id` on its way.
fn packet_link(plan: &Plan, event: &Event, id: u64) -> Option<Link> {
    let host = event.host.as_deref().unwrap_or_default();
    let cause = |by| descriptions::cause(plan, by);
    let what = match &event.kind {
        EventKind::PacketSent { packet, says, .. } if *packet == id => {
            format!("{host} sent packet {id}: {says}")
        }
        EventKind::PacketCorrupted { packet, by, bit } if *packet == id => {
            format!("it was {}: bit {bit} of its payload was flipped", cause(by))
        }
        EventKind::PacketTruncated { packet, by, len } if *packet == id => {
            format!("it was {}: {len} bytes were left", cause(by))
        }
        EventKind::PacketDuplicated { packet, by } if *packet == id => format!("it was {}", cause(by)),
        _ => return None,
    };
    Some(Link::new(event, what))
}

/// Returns the last events that touch the peer of `decided`, or the calls if there is no deciding event.
pub(super) fn last_events(record: &RunRecord, decided: Option<&Event>) -> Vec<Link> {
    // Events after the hangups say nothing.
    let closing = record
        .trace
        .events
        .iter()
        .find(|e| matches!(e.kind, EventKind::Closing { .. }));
    let end = decided
        .or(closing)
        .map_or(record.trace.events.len(), |e| e.seq as usize);
    let peer = decided.and_then(|e| e.kind.peer());
    let host = decided.and_then(|e| e.host.as_deref());
    let touches = |e: &&Event| {
        let of_peer = peer.is_none_or(|p| e.kind.peer() == Some(p));
        of_peer && (host.is_none() || e.host.as_deref() == host) && describe(&record.plan, &e.kind).is_some()
    };
    let last = record.trace.events[..end].iter().rev().filter(touches).take(LAST);
    let link = |e: &Event| {
        let host = e.host.as_deref().unwrap_or("the network");
        Some(Link::new(
            e,
            format!("{host}: {}", describe(&record.plan, &e.kind)?),
        ))
    };
    last.filter_map(link).collect()
}

/// Describes an event of a peer or a call in a few words.
pub(super) fn describe(plan: &Plan, kind: &EventKind) -> Option<String> {
    Some(match kind {
        EventKind::State { peer, machine, state } => format!("{peer} reports {machine} {state}"),
        EventKind::Gathered {
            peer,
            candidate: None,
        } => format!("{peer} gathered everything"),
        EventKind::Described {
            peer, remote, kind, ..
        } => {
            format!(
                "{peer} set the {} {kind}",
                if *remote { "remote" } else { "local" }
            )
        }
        EventKind::PairSelected { peer, local, remote } => format!("{peer} selected {local} and {remote}"),
        EventKind::Closing { peer } => format!("the client closes {peer}"),
        EventKind::Closed { peer } => format!("{peer} is closed"),
        EventKind::Intended { intent, .. } => match intent.call() {
            Some(call) => format!("the user {} {call}", intent.name()),
            None => format!("the user {}", intent.name()),
        },
        EventKind::Call { call, what } => format!("the app shows {call}: {what}"),
        EventKind::Failed { step, error } => format!("{step} failed: {error}"),
        EventKind::FaultStarted { fault } => descriptions::begins(plan, *fault),
        EventKind::FaultEnded { fault } => descriptions::ends(plan, *fault),
        _ => return None,
    })
}
