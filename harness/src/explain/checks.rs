//! Connectivity checks and handshakes that failed: how many packets, and what dropped them.

use std::collections::{BTreeMap, BTreeSet};

use super::{Link, descriptions};
use crate::{
    oracle::calls::Call,
    run::RunRecord,
    time::SimTime,
    trace::{Event, EventKind, PacketId, Proto, StunLine, wire::MEDIA},
};

/// A kind of packet: whether a decoded text is of it, and its name.
type PacketKind = (fn(&str) -> bool, &'static str);

const CHECKS: PacketKind = (is_check, "connectivity checks");
/// The DTLS handshake, which follows the checks.
const HANDSHAKE: PacketKind = (|says| says.starts_with("dtls"), "DTLS packets");

fn is_check(says: &str) -> bool {
    StunLine::between_ends(says).is_some_and(|line| line.is_check())
}

/// The packets of one kind from one host, in order.
struct Sent<'a> {
    packets: Vec<&'a Event>,
    dropped: BTreeMap<String, usize>,
    delivered: usize,
}

/// Explains failed checks and handshakes of both sides of `call`.
pub(super) fn unanswered(record: &RunRecord, call: &Call<'_>) -> Vec<Link> {
    let sides = [(call.caller, call.callee), (call.callee, call.caller)];
    let told = sides.iter().flat_map(|(from, to)| {
        let mut told = tell(record, from, to, CHECKS);
        told.extend(tell(record, from, to, HANDSHAKE));
        told.extend(never_checked(record, from));
        told
    });
    told.collect()
}

/// Explains packets of which more were lost than arrived: from when on, and what dropped them.
fn tell(record: &RunRecord, from: &str, to: &str, (is_one, name): PacketKind) -> Vec<Link> {
    told(&sent(record, from, |_, says| is_one(says)), from, to, name)
}

fn told(sent: &Sent<'_>, from: &str, to: &str, name: &str) -> Vec<Link> {
    let lost: usize = sent.dropped.values().sum();
    let (Some(first), Some(last)) = (sent.packets.first(), sent.packets.last()) else {
        return Vec::new();
    };
    if lost <= sent.delivered {
        return Vec::new();
    }
    let causes: Vec<String> = sent
        .dropped
        .iter()
        .map(|(cause, n)| format!("{n} {cause}"))
        .collect();
    let arrived = match sent.delivered {
        0 => format!("none reached {to}"),
        n => format!("{n} reached {to}"),
    };
    let count = sent.packets.len();
    vec![
        Link::new(first, format!("the first of {count} {name} of {from}")),
        Link::new(
            last,
            format!("the last of them: {arrived}, dropped: {}", causes.join(", ")),
        ),
    ]
}

/// Explains the datagrams from `from` to its peers after `since`, if more were lost than arrived.
pub(super) fn lost_since(record: &RunRecord, from: &str, to: &str, since: SimTime) -> Vec<Link> {
    let sent = sent(record, from, |e, _| e.at > since && is_datagram(e));
    told(&sent, from, to, "datagrams since then")
}

/// Returns the packets of audio from `from`, in order.
pub(super) fn media<'a>(record: &'a RunRecord, from: &'a str) -> Vec<&'a Event> {
    sent(record, from, |_, says| says == MEDIA).packets
}

fn is_datagram(event: &Event) -> bool {
    matches!(&event.kind, EventKind::PacketSent { flow, .. } if flow.proto == Proto::Udp)
}

/// Returns a link if a host with a remote description had no pair to check.
fn never_checked(record: &RunRecord, host: &str) -> Option<Link> {
    if !sent(record, host, |_, says| is_check(says)).packets.is_empty() {
        return None;
    }
    let described = record
        .trace
        .of(host)
        .find(|e| matches!(&e.kind, EventKind::Described { remote: true, .. }))?;
    Some(Link::new(
        described,
        format!("{host} has a remote description and never sent a connectivity check"),
    ))
}

/// Returns the packets from `from` to any host but a server that fulfil `is_one` by event and decoded text.
fn sent<'a>(record: &'a RunRecord, from: &'a str, is_one: impl Fn(&Event, &str) -> bool) -> Sent<'a> {
    let servers: BTreeSet<_> = record
        .plan
        .ice_servers
        .iter()
        .filter_map(|s| record.plan.topology.host(&s.host))
        .flat_map(|h| h.addresses())
        .collect();
    let counts = |e: &&Event| match &e.kind {
        EventKind::PacketSent { says, flow, .. } => is_one(e, says) && !servers.contains(&flow.dst.ip()),
        _ => false,
    };
    let all: Vec<&Event> = record.trace.of(from).filter(counts).collect();
    let number = |e: &&Event| match &e.kind {
        EventKind::PacketSent { packet, .. } => Some(*packet),
        _ => None,
    };
    let packets: BTreeSet<PacketId> = all.iter().filter_map(number).collect();
    let (mut dropped, mut delivered) = (BTreeMap::new(), BTreeSet::new());
    for event in &record.trace.events {
        match &event.kind {
            EventKind::PacketDropped { packet, by } if packets.contains(packet) => {
                *dropped.entry(descriptions::cause(&record.plan, by)).or_default() += 1;
            }
            EventKind::PacketDelivered { packet } if packets.contains(packet) => {
                delivered.insert(*packet);
            }
            _ => {}
        }
    }
    Sent {
        packets: all,
        dropped,
        delivered: delivered.len(),
    }
}
