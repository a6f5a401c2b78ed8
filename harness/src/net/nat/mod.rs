//! A NAT with port translation (NAPT): translates or drops each packet between its inside and its outside.
//!
//! A pure state machine in the terms of RFC 4787 (UDP) and RFC 5382 (TCP). It is told the time and never reads a clock,
//! never carries a packet itself, and never draws from any stream but `nat/<name>/port`. Its state is its live
//! mappings; expired ones are removed with the next packet.

mod claims;
mod ports;
mod spec;
mod table;

use std::net::{IpAddr, SocketAddr};

use self::{
    claims::Claims,
    ports::Ports,
    table::{Key, Table},
};
pub use self::{
    spec::{CLAIM, Mapping, NatSpec, Remotes, TCP_IDLE},
    table::Binding,
};
pub use crate::trace::Refusal;
use crate::{
    seed::Seed,
    time::SimTime,
    trace::{Flow, Proto},
};

/// The state of a NAT with one external address.
///
/// ```
/// use sleet::{net::nat::{Nat, NatSpec}, seed::Seed, time::SimTime, trace::{Flow, Proto}};
///
/// let mut nat = Nat::new(Seed(1), "home", NatSpec::port_restricted(), "203.0.113.1".parse()?);
/// let sent = Flow { proto: Proto::Udp, src: "10.0.0.1:5000".parse()?, dst: "198.51.100.1:3478".parse()? };
/// let seen = nat.outbound(SimTime::ZERO, sent)?;
/// assert_eq!(seen.src.to_string(), "203.0.113.1:5000");
/// assert_eq!(nat.inbound(SimTime::ZERO, seen.reversed())?, sent.reversed());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Nat {
    spec: NatSpec,
    external: IpAddr,
    ports: Ports,
    table: Table,
    // Connections that the NAT considers its own, because it accepted packets without a request from inside.
    claims: Claims,
}

impl Nat {
    /// Creates the NAT `name` for the run of `seed`, without mappings, with the external address `external`.
    pub fn new(seed: Seed, name: &str, spec: NatSpec, external: IpAddr) -> Self {
        Self {
            spec,
            external,
            ports: Ports::new(seed, name),
            table: Table::default(),
            claims: Claims::default(),
        }
    }

    /// Returns the external address. Packets from inside to this address go through [`Nat::hairpin`].
    pub fn external(&self) -> IpAddr {
        self.external
    }

    /// Translates a packet that leaves; returns its flow as the outside sees it, from an external address and port.
    ///
    /// Creates or refreshes the mapping (RFC 4787, REQ-1 and REQ-6), which from then on lets the destination in.
    ///
    /// # Errors
    /// [`Refusal::UdpBlocked`], [`Refusal::Exhausted`].
    pub fn outbound(&mut self, now: SimTime, flow: Flow) -> Result<Flow, Refusal> {
        self.admit(flow.proto)?;
        self.table.expire(now);
        let rules = self.spec.rules(flow.proto);
        self.claims.expire(now);
        let key = self.key(flow, rules.mapping);
        let port = match self.table.port(&key) {
            Some(port) => port,
            None => self.map(key, flow.dst)?,
        };
        let sources = Remotes::admitted_with(rules.filtering, flow.dst);
        self.table.permit(flow.proto, port, sources, now + rules.lifetime);
        Ok(Flow {
            src: SocketAddr::new(self.external, port),
            ..flow
        })
    }

    /// Translates a packet that comes in; returns its flow as the inside sees it, to an internal address and port.
    ///
    /// A dropped packet refreshes nothing, so that a sender outside that is not let in cannot keep a mapping alive.
    ///
    /// # Errors
    /// [`Refusal::UdpBlocked`], [`Refusal::NoMapping`], [`Refusal::Filtered`].
    pub fn inbound(&mut self, now: SimTime, flow: Flow) -> Result<Flow, Refusal> {
        self.admit(flow.proto)?;
        self.table.expire(now);
        if flow.dst.ip() != self.external {
            return Err(Refusal::NoMapping);
        }
        let port = flow.dst.port();
        let rules = self.spec.rules(flow.proto);
        let sources = Remotes::admitted_with(rules.filtering, flow.src);
        let dst = match self.table.entry(flow.proto, port) {
            Some(entry) if entry.admits(sources) => entry.key.internal,
            found => {
                let refusal = found.map_or(Refusal::NoMapping, |_| Refusal::Filtered);
                self.keep(now, flow);
                return Err(refusal);
            }
        };
        if rules.inbound_refresh {
            self.table.permit(flow.proto, port, sources, now + rules.lifetime);
        }
        Ok(Flow { dst, ..flow })
    }

    /// Translates a packet from inside to the external address; returns its flow as the internal destination sees it,
    /// from the external address and port of its sender (RFC 4787, REQ-9a).
    ///
    /// The sender's mapping is created or refreshed even when the destination's mapping does not let the packet in, as
    /// for any packet that leaves.
    ///
    /// # Errors
    /// [`Refusal::NoHairpin`], and those of [`Nat::outbound`] and [`Nat::inbound`].
    pub fn hairpin(&mut self, now: SimTime, flow: Flow) -> Result<Flow, Refusal> {
        self.admit(flow.proto)?;
        if !self.spec.hairpinning {
            return Err(Refusal::NoHairpin);
        }
        let outside = self.outbound(now, flow)?;
        self.inbound(now, outside)
    }

    /// Removes every mapping. The next packets get other external ports, even with port preservation, as long as there
    /// are ports that no rebinding has retired. [`Nat::reboot`] and [`Nat::change_address`] bring retired ports back.
    pub fn rebind(&mut self) {
        self.ports.retire(self.table.taken());
        self.table = Table::default();
        self.claims = Claims::default();
    }

    /// Removes every mapping and restarts the choice of ports, so that preserved ports come back.
    pub fn reboot(&mut self) {
        self.table = Table::default();
        self.claims = Claims::default();
        self.ports.restart();
    }

    /// Changes the external address; every mapping is removed, because its external endpoint is gone.
    pub fn change_address(&mut self, external: IpAddr) {
        self.table = Table::default();
        self.claims = Claims::default();
        self.ports.pardon();
        self.external = external;
    }

    /// Returns the mappings that are live at `now`, by transport and external port.
    pub fn mappings(&self, now: SimTime) -> Vec<Binding> {
        let bindings = self.table.iter().map(|(port, entry)| Binding {
            proto: entry.key.proto,
            internal: entry.key.internal,
            external: SocketAddr::new(self.external, port),
            remotes: entry.key.remotes,
            expires: entry.expires(),
        });
        bindings.filter(|b| now < b.expires).collect()
    }

    fn admit(&self, proto: Proto) -> Result<(), Refusal> {
        if proto == Proto::Udp && self.spec.blocks_udp {
            return Err(Refusal::UdpBlocked);
        }
        Ok(())
    }

    /// Records an inbound packet that is not let in as the NAT's own connection, if the NAT accepts such packets.
    fn keep(&mut self, now: SimTime, flow: Flow) {
        if self.spec.accepts_unsolicited && flow.proto == Proto::Udp {
            self.claims.add(flow.dst.port(), flow.src, now + CLAIM);
        }
    }

    /// Returns the lookup key for the mapping of an outbound packet. Where an entry in `claims` keeps that mapping's
    /// port from its destination, the packet gets a mapping for that destination alone, for as long as that is used.
    fn key(&self, flow: Flow, mapping: Mapping) -> Key {
        let shared = Key {
            proto: flow.proto,
            internal: flow.src,
            remotes: Remotes::mapped_with(mapping, flow.dst),
        };
        if !self.spec.accepts_unsolicited || flow.proto != Proto::Udp {
            return shared;
        }
        let apart = Key {
            remotes: Remotes::Endpoint(flow.dst),
            ..shared
        };
        let would_have = self.table.port(&shared).unwrap_or(flow.src.port());
        let is_held = self.claims.hold(would_have, flow.dst);
        if is_held || self.table.port(&apart).is_some() {
            apart
        } else {
            shared
        }
    }

    fn map(&mut self, key: Key, remote: SocketAddr) -> Result<u16, Refusal> {
        let (table, claims) = (&self.table, &self.claims);
        let taken = |port| table.is_taken(key.proto, port) || claims.hold(port, remote);
        let port = self
            .ports
            .choose(&self.spec, key.proto, key.internal.port(), taken)
            .ok_or(Refusal::Exhausted)?;
        self.table.insert(key, port);
        Ok(port)
    }
}

#[cfg(test)]
mod tests;
