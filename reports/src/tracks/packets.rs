//! Packets with their fates.

use std::collections::BTreeMap;

use serde::Serialize;
use sleet::{
    explain::descriptions,
    trace::{Cause, EventKind, Flow, PacketId, Proto, StunLine},
};

use super::Frame;
use crate::cause;

/// A packet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Packet {
    /// The number of the packet.
    pub id: PacketId,
    /// The event that shows it sent.
    pub event: u64,
    /// The index of the sender's lane.
    pub from: usize,
    /// The index of the receiver's lane; `None` if no host has the address and none received it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<usize>,
    /// The time at which it left, in nanoseconds.
    pub sent_ns: u64,
    /// The times of arrival, in nanoseconds; two if it was duplicated.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub arrived_ns: Vec<u64>,
    /// The protocol class, by which packets are filtered.
    pub class: Class,
    /// The index of the call that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call: Option<usize>,
    /// The addresses.
    pub flow: String,
    /// The number of payload bytes.
    pub len: u32,
    /// The decoded content.
    pub says: String,
    /// Whether it is a connectivity check that nominates.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub nominates: bool,
    /// The impairments on its way.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fates: Vec<Fate>,
}

/// The protocol class of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// A connectivity check, or its answer.
    Check,
    /// A packet to or from a STUN or TURN server.
    Turn,
    /// A DTLS packet, whatever is inside.
    Dtls,
    /// A segment of a signaling connection.
    Signaling,
    /// Any other packet.
    Data,
}

/// An impairment of a packet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fate {
    /// The time, in nanoseconds.
    pub at_ns: u64,
    /// The event that shows it.
    pub event: u64,
    /// Whether the packet is lost by it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub dropped: bool,
    /// The cause, in one word.
    pub tag: &'static str,
    /// The description.
    pub text: String,
    /// The index of the fault behind it, among those in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<usize>,
}

/// Returns the packets of a run.
pub(super) fn of(frame: &Frame<'_>) -> Vec<Packet> {
    let mut packets = BTreeMap::<PacketId, Packet>::new();
    let mut calls = Calls::of(frame);
    for event in &frame.record.trace.events {
        if let EventKind::PacketSent {
            packet,
            flow,
            len,
            says,
            ..
        } = &event.kind
        {
            let from = event.host.as_deref().and_then(|h| frame.lane(h));
            let Some(from) = from.or_else(|| frame.lane_at(flow.src.ip())) else {
                continue;
            };
            let call = calls.of_packet(*flow, says);
            let class = match class(*flow, says) {
                // The answer of a STUN server looks like that of a peer; but no check went over its flow.
                Class::Check if call.is_none() && generations(says).is_none() => Class::Turn,
                class => class,
            };
            let sent = Packet {
                id: *packet,
                event: event.seq,
                from,
                to: frame.lane_at(flow.dst.ip()),
                sent_ns: event.at.as_nanos(),
                arrived_ns: Vec::new(),
                class,
                call,
                flow: format!("{} to {}", flow.src, flow.dst),
                len: *len,
                says: frame.names.says(*packet),
                nominates: StunLine::read(says).is_some_and(|line| line.nominates),
                fates: Vec::new(),
            };
            packets.insert(*packet, sent);
        } else if let EventKind::PacketDelivered { packet } = &event.kind {
            if let Some(packet) = packets.get_mut(packet) {
                packet.arrived_ns.push(event.at.as_nanos());
                packet.to = event.host.as_deref().and_then(|h| frame.lane(h)).or(packet.to);
            }
        } else if let Some((id, by, dropped, what)) = fate(&event.kind)
            && let Some(packet) = packets.get_mut(&id)
        {
            packet.fates.push(Fate {
                at_ns: event.at.as_nanos(),
                event: event.seq,
                dropped,
                tag: cause::tag(&frame.record.plan, by),
                text: format!("{what}: {}", descriptions::cause(&frame.record.plan, by)),
                fault: cause::fault(by, frame.faults),
            });
        }
    }
    packets.into_values().collect()
}

/// Returns the packet that an event impairs, the cause, whether the packet is lost, and a description.
fn fate(kind: &EventKind) -> Option<(PacketId, &Cause, bool, String)> {
    Some(match kind {
        EventKind::PacketDropped { packet, by } => (*packet, by, true, "dropped".into()),
        EventKind::PacketDelayed { packet, by, by_ns } => {
            (*packet, by, false, format!("late by {} ms", by_ns / 1_000_000))
        }
        EventKind::PacketDuplicated { packet, by } => (*packet, by, false, "duplicated".into()),
        EventKind::PacketCorrupted { packet, by, bit } => {
            (*packet, by, false, format!("corrupted in bit {bit}"))
        }
        EventKind::PacketTruncated { packet, by, len } => {
            (*packet, by, false, format!("truncated to {len} bytes"))
        }
        _ => return None,
    })
}

/// Determines the class of a packet from its decoded text.
fn class(flow: Flow, says: &str) -> Class {
    let mut description = says.split(' ');
    match (flow.proto, description.next(), description.next()) {
        (Proto::Tcp, ..) => Class::Signaling,
        (_, Some("stun"), Some("binding")) if is_check(says) => Class::Check,
        (_, Some("stun" | "turn"), _) => Class::Turn,
        (_, Some("dtls"), _) => Class::Dtls,
        _ => Class::Data,
    }
}

/// Reports whether a STUN binding message may be a check. The request of a check has a username, that to a STUN server
/// has none; the answers of both look alike and are told apart by the call that the flow belongs to, which only checks
/// have.
fn is_check(says: &str) -> bool {
    generations(says).is_some() || !says.starts_with("stun binding request")
}

/// Returns the receiving and the sending generation of a check.
pub(super) fn generations(says: &str) -> Option<(&str, &str)> {
    StunLine::read(says).filter(StunLine::is_check)?.asks
}

/// Assigns packets to calls: checks by their generations, other packets by the flow of an earlier check.
struct Calls {
    generations: BTreeMap<String, usize>,
    flows: BTreeMap<Flow, usize>,
}

impl Calls {
    fn of(frame: &Frame<'_>) -> Self {
        let mut generations = BTreeMap::new();
        for event in &frame.record.trace.events {
            let (call, ufrag) = match &event.kind {
                EventKind::Described { peer, ufrag, .. } => (Some(&peer.call), Some(ufrag)),
                EventKind::Signal { call, ufrag, .. } => (call.as_ref(), ufrag.as_ref()),
                _ => (None, None),
            };
            if let (Some(call), Some(ufrag)) = (call.and_then(|c| frame.call(c)), ufrag) {
                generations.insert(ufrag.clone(), call);
            }
        }
        Self {
            generations,
            flows: BTreeMap::new(),
        }
    }

    fn of_packet(&mut self, flow: Flow, says: &str) -> Option<usize> {
        let of_check = generations(says).and_then(|(to, from)| {
            self.generations
                .get(to)
                .or_else(|| self.generations.get(from))
                .copied()
        });
        if let Some(call) = of_check {
            self.flows.insert(flow, call);
            self.flows.insert(flow.reversed(), call);
        }
        of_check.or_else(|| self.flows.get(&flow).copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_told_apart_by_what_they_say() {
        let flow = |proto| Flow {
            proto,
            src: "10.0.0.1:1".parse().expect("an address"),
            dst: "10.0.0.2:2".parse().expect("an address"),
        };
        for (says, is) in [
            (
                "stun binding request aBcD:eFgH controlling use-candidate",
                Class::Check,
            ),
            ("stun binding success mapped=10.0.0.1:1", Class::Check),
            ("stun binding request", Class::Turn),
            ("stun allocate request", Class::Turn),
            ("turn channel=16384 carries data", Class::Turn),
            ("dtls client-hello", Class::Dtls),
            ("data", Class::Data),
        ] {
            assert_eq!(class(flow(Proto::Udp), says), is, "{says}");
        }
        assert_eq!(class(flow(Proto::Tcp), "tcp syn"), Class::Signaling);
        assert_eq!(
            generations("stun binding request aB:cD priority=7"),
            Some(("aB", "cD"))
        );
        assert_eq!(generations("stun binding request priority=7"), None);
    }
}
