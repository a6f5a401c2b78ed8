//! What is known of stray datagrams, which no host of the world has sent, and of those that hosts received before.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use turmoil_net::{Packet, Transport};

use super::packet::flow_of;
use crate::{
    net::path::Place,
    trace::{FaultId, Flow, PacketId},
};

/// How many datagrams are remembered of each host.
const REMEMBERED: usize = 32;

/// What the pump knows of stray datagrams.
#[derive(Default)]
pub(super) struct Strays {
    /// The datagrams that hosts received last, by the index of the host, for hosts of which somebody asked to remember them.
    pub(super) received: BTreeMap<usize, VecDeque<(Flow, Bytes)>>,
    /// The faults behind the stray packets.
    pub(super) behind: BTreeMap<PacketId, FaultId>,
}

impl Strays {
    /// Notes that a packet reaches the host at `place`; returns the fault that sent it, if it is a stray.
    pub(super) fn arrives(&mut self, id: PacketId, place: Place, packet: &Packet) -> Option<FaultId> {
        // The network may deliver it twice.
        let stray = self.behind.get(&id).copied();
        if let (Some(received), Transport::Udp(datagram), None) =
            (self.received.get_mut(&place.host), &packet.payload, stray)
        {
            received.push_back((flow_of(packet), datagram.payload.clone()));
            if received.len() > REMEMBERED {
                received.pop_front();
            }
        }
        stray
    }
}
