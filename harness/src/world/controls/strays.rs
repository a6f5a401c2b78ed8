//! Stray datagrams: packets that no host of the world has sent.
//!
//! Nothing here knows what is in them.

use std::net::SocketAddr;

use bytes::Bytes;

use super::{
    super::packet::{Hop, datagram, short_hash},
    Controls,
};
use crate::trace::{EventKind, FaultId, Flow, Proto, wire};

impl Controls<'_, '_> {
    /// Remembers the last datagrams that `host` receives, from now on.
    pub fn remember_received(&mut self, host: &str) {
        if let Some(index) = self.index_of(host) {
            self.pump.strays.received.entry(index).or_default();
        }
    }

    /// Returns the remembered datagrams that `host` received last, the oldest first, with the addresses that it saw. Strays are not
    /// among them.
    pub fn received(&self, host: &str) -> Vec<(Flow, Bytes)> {
        let received = self
            .index_of(host)
            .and_then(|index| self.pump.strays.received.get(&index));
        received.into_iter().flatten().cloned().collect()
    }

    /// Returns the addresses of the open UDP sockets of `host`, in order.
    pub fn open_ports(&self, host: &str) -> Vec<SocketAddr> {
        let Some(host) = self.topology().host(host) else {
            return Vec::new();
        };
        let mut open: Vec<SocketAddr> = Vec::new();
        for address in host.addresses() {
            let sockets = turmoil_net::netstat(address).entries.into_iter();
            // Only a TCP socket has a state.
            let bound = sockets.filter(|s| s.state.is_none()).map(|s| s.local);
            open.extend(bound.filter_map(|local| match local.ip() {
                any if any.is_unspecified() => Some(SocketAddr::new(address, local.port())),
                own => (own == address).then_some(local),
            }));
        }
        let held: Vec<_> = host.addresses().collect();
        open.extend(self.pump.sim.ports().used(&held));
        open.sort_unstable();
        open.dedup();
        open
    }

    /// Sends a datagram from `from` to `to`, as a stranger somewhere in the network does because of `fault`: it crosses the core like
    /// any other, passes NATs and firewalls where these let it, and enters the link of its destination.
    pub fn send_stray(&mut self, fault: FaultId, from: SocketAddr, to: SocketAddr, payload: &Bytes) {
        let flow = Flow {
            proto: Proto::Udp,
            src: from,
            dst: to,
        };
        let packet = datagram(flow, payload.clone());
        let (now, pump) = (self.now, &mut *self.pump);
        let id = pump.next_packet();
        let sent = EventKind::PacketSent {
            packet: id,
            flow,
            len: payload.len() as u32,
            hash: short_hash(payload),
            says: wire::describe(&packet.payload, &pump.keys),
        };
        pump.sim.record_on(None, sent);
        pump.strays.behind.insert(id, fault);
        pump.push(now, Hop::Core, id, packet);
    }
}
