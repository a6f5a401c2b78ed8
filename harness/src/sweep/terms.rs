//! Packets in protocol terms: sender, kind and number.
//!
//! Derived from the decoded trace and from the packets that entered links, for people. No verdict depends on any of
//! this.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::naming::{Class, Named, Namer};
use crate::{
    fault::Plan,
    trace::{Crossing, Direction, EventKind, Flow, PacketId, Proto, Trace},
};

/// A datagram that entered a direction of a link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Packet {
    /// The link.
    pub link: String,
    /// The direction.
    pub direction: Direction,
    /// The number of packets that had entered it before.
    pub ordinal: u64,
    /// The number of the packet in the run.
    pub packet: PacketId,
    /// The time at which it entered, in milliseconds.
    pub at_ms: u64,
    /// The number of payload bytes.
    pub len: u32,
    /// The host that sent it.
    pub by: String,
    /// The kind: `Binding request, controlling, host-srflx`.
    pub kind: String,
    /// The number among the packets of that kind from its host, from 1.
    pub nth: u64,
    /// The class, by what waits for the packet.
    pub class: Class,
    /// Whether it has passed a NAT on its way here: a packet lost before the NAT opens no mapping, one lost here did.
    pub beyond_nat: bool,
}

impl Packet {
    /// Describes the packet in words.
    pub fn describe(&self) -> String {
        let place = match self.beyond_nat {
            true => ", beyond the NAT",
            false => "",
        };
        format!("the {} {} of {}{place}", ordinal(self.nth), self.kind, self.by)
    }
}

/// Returns `1st`, `2nd`, `3rd`, `4th`.
pub(super) fn ordinal(n: u64) -> String {
    let ending = match (n % 10, n % 100) {
        (1, not) if not != 11 => "st",
        (2, not) if not != 12 => "nd",
        (3, not) if not != 13 => "rd",
        _ => "th",
    };
    format!("{n}{ending}")
}

/// Returns the datagrams of a run of `plan` that entered links, in order.
pub(super) fn packets(plan: &Plan, trace: &Trace, crossings: &[Crossing]) -> Vec<Packet> {
    let mut namer = Namer::new(plan);
    let mut sent_along: BTreeMap<PacketId, Flow> = BTreeMap::new();
    for crossing in crossings.iter().filter(|c| c.direction == Direction::Up) {
        sent_along.insert(crossing.packet, crossing.flow);
    }
    let mut named = BTreeMap::new();
    for event in &trace.events {
        if let EventKind::PacketSent {
            packet,
            flow,
            len,
            says,
            ..
        } = &event.kind
            && flow.proto == Proto::Udp
            && let Some(host) = &event.host
        {
            named.insert(*packet, namer.name(host, *flow, *len, says));
        }
    }
    let packet = |crossing: &Crossing| {
        let name: &Named = named.get(&crossing.packet)?;
        let before = sent_along.get(&crossing.packet)?;
        Some(Packet {
            link: crossing.link.clone(),
            direction: crossing.direction,
            ordinal: crossing.ordinal,
            packet: crossing.packet,
            at_ms: crossing.at.as_millis(),
            len: name.len,
            by: name.by.clone(),
            kind: name.kind.clone(),
            nth: name.nth,
            class: name.class,
            beyond_nat: *before != crossing.flow,
        })
    };
    crossings.iter().filter_map(packet).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinals_end_as_they_are_spoken() {
        let ordinals = [1, 2, 3, 4, 11, 12, 13, 21, 102, 111].map(ordinal);
        assert_eq!(
            ordinals,
            [
                "1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "102nd", "111th"
            ]
        );
    }
}
