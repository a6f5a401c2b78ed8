//! Obstacles in a call's signaling, and the arrival of its descriptions.

use std::collections::BTreeSet;

use super::{Link, descriptions};
use crate::{
    fault::Plan,
    oracle::calls::Call,
    trace::{Event, EventKind, Flow, Intent, PacketId, Proto, SignalDirection, Trace},
};

/// Returns impaired, undeliverable and missing messages, lost connections, and failed steps.
pub(super) fn trouble(plan: &Plan, trace: &Trace, call: &Call<'_>) -> Vec<Link> {
    let about = |c: &Option<String>| c.as_deref() == Some(call.name);
    let link = |e: &Event| {
        let host = e.host.as_deref().unwrap_or("the network");
        let what = match &e.kind {
            EventKind::SignalImpaired { fault, message, call } if about(call) => {
                format!("the {message} met {}", descriptions::fault(plan, *fault))
            }
            EventKind::SignalUndeliverable { to, message, call } if about(call) && message != "hangup" => {
                format!("the server had nobody to give the {message} to: {to} was not connected")
            }
            EventKind::PointImpaired { fault, point, detail } => {
                let what = if detail.is_empty() { point } else { detail };
                format!("{what} met {}", descriptions::fault(plan, *fault))
            }
            EventKind::Failed { step, error } => format!("{step} of {host} failed: {error}"),
            EventKind::Step { step, .. } if step == crate::signaling::LOST => {
                format!("{host} lost its signaling connection")
            }
            EventKind::FaultStarted { fault } => descriptions::begins(plan, *fault),
            EventKind::FaultEnded { fault } => descriptions::ends(plan, *fault),
            _ => return None,
        };
        Some(Link::new(e, what))
    };
    let mut chain: Vec<Link> = trace.events.iter().filter_map(link).collect();
    chain.extend(missing(plan, trace, call));
    chain.extend(absent(plan, trace, call));
    chain
}

/// Explains why a client that the server could not reach was not connected: what held its connection back, and when it
/// had registered.
fn absent(plan: &Plan, trace: &Trace, call: &Call<'_>) -> Vec<Link> {
    let undeliverable = trace.events.iter().find_map(|e| match &e.kind {
        EventKind::SignalUndeliverable {
            to, call: Some(c), ..
        } if c == call.name => Some((e, to.as_str())),
        _ => None,
    });
    let Some((lost, to)) = undeliverable else {
        return Vec::new();
    };
    let mut chain = Vec::new();
    let segments = segments(trace, to);
    let late = trace.events[..lost.seq as usize]
        .iter()
        .filter_map(|e| match &e.kind {
            EventKind::PacketDelayed { packet, by, by_ns } if segments.contains(packet) => {
                let what = format!(
                    "{to}'s signaling connection is held back by {} ms: {}",
                    by_ns / 1_000_000,
                    descriptions::cause(plan, by)
                );
                Some(Link::new(e, what))
            }
            _ => None,
        });
    chain.extend(late);
    let service = plan.signaling.as_ref().map_or("", |service| &*service.host);
    let registers = trace.of(service).find(|e| {
        matches!(&e.kind, EventKind::Signal { direction: SignalDirection::Sent, with, message, .. }
            if with == to && message == "registered" && e.at >= lost.at)
    });
    chain.extend(registers.map(|e| {
        let late = (e.at - lost.at).as_millis();
        Link::new(e, format!("the server registers {to}, {late} ms too late"))
    }));
    chain
}

/// Returns the TCP segments to and from `host`: its signaling connection.
fn segments(trace: &Trace, host: &str) -> BTreeSet<PacketId> {
    let of_host = |e: &Event| match &e.kind {
        EventKind::PacketSent { packet, flow, .. } if flow.proto == Proto::Tcp => {
            Some((*packet, e.host.as_deref() == Some(host), *flow))
        }
        _ => None,
    };
    let sent: Vec<_> = trace.events.iter().filter_map(of_host).collect();
    let own: BTreeSet<_> = sent
        .iter()
        .filter(|(_, is_own, _)| *is_own)
        .map(|(.., flow)| *flow)
        .collect();
    let both_ways = |flow: &Flow| own.contains(flow) || own.contains(&flow.reversed());
    sent.iter()
        .filter(|(.., flow)| both_ways(flow))
        .map(|(packet, ..)| *packet)
        .collect()
}

/// Returns the descriptions that one side sent and the other never received.
fn missing(plan: &Plan, trace: &Trace, call: &Call<'_>) -> Vec<Link> {
    let (sent, received) = (SignalDirection::Sent, SignalDirection::Received);
    let ways = [
        ("offer", call.caller, call.callee),
        ("answer", call.callee, call.caller),
    ];
    let lost = ways.into_iter().filter_map(|(what, from, to)| {
        let passes = |host, way| passed(trace, call, host, way, what);
        let first = passes(from, sent)?;
        if passes(to, received).is_some() || pushed(trace, call, what) {
            return None;
        }
        let service = plan.signaling.as_ref().map(|service| &*service.host);
        let until = match service.map(|host| passes(host, received).is_some()) {
            Some(true) => "the server took it and it never reached",
            Some(false) => "it never reached the server, nor",
            None => "it never reached",
        };
        Some(Link::new(first, format!("{from} sent its {what}: {until} {to}")))
    });
    lost.collect()
}

/// Returns the event at which a message of `call` passed `host` for the first time.
fn passed<'a>(
    trace: &'a Trace,
    call: &Call<'_>,
    host: &str,
    way: SignalDirection,
    what: &str,
) -> Option<&'a Event> {
    trace.of(host).find(|e| {
        matches!(&e.kind, EventKind::Signal { direction, message, call: Some(c), .. }
            if *direction == way && message == what && c == call.name)
    })
}

/// Reports whether a push notification carried the offer.
fn pushed(trace: &Trace, call: &Call<'_>, what: &str) -> bool {
    let is_push = |e: &Event| matches!(&e.kind, EventKind::PushDelivered { call: c, .. } if c == call.name);
    what == "offer" && trace.events.iter().any(is_push)
}

/// Returns the times at which each side had the other's description.
pub(super) fn descriptions(trace: &Trace, call: &Call<'_>) -> Vec<Link> {
    let link = |e: &Event| match &e.kind {
        EventKind::Intended {
            intent: Intent::Dial { call: c, to },
            ..
        } if c == call.name => Some(Link::new(e, format!("{} dials {to}", call.caller))),
        EventKind::Intended {
            intent: Intent::Retry { call: c },
            ..
        } if c == call.name => Some(Link::new(e, format!("{} tries again", call.caller))),
        EventKind::Described {
            peer,
            remote: true,
            kind,
            ..
        } if peer.call == call.name => {
            let host = e.host.as_deref().unwrap_or_default();
            Some(Link::new(e, format!("{host} set the remote {kind}")))
        }
        _ => None,
    };
    trace.events.iter().filter_map(link).collect()
}
