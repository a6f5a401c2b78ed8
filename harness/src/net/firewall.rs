//! A stateful firewall without address translation: decides which packets reach a host.
//!
//! An outbound packet opens a pinhole for the answers, as RFC 4787 section 5 describes filtering for NATs. Addresses
//! stay unchanged.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    time::Duration,
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    time::SimTime,
    trace::{Flow, Proto},
};

/// The senders that a pinhole lets in (RFC 4787, section 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Filtering {
    /// Any sender that knows the inside address and port.
    EndpointIndependent,
    /// Any port of an address that the host has sent to.
    AddressDependent,
    /// Only an address and port that the host has sent to.
    AddressAndPortDependent,
}

/// The behaviour of a firewall.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FirewallSpec {
    /// The senders that a UDP pinhole lets in.
    pub filtering: Filtering,
    /// The lifetime of a UDP pinhole after the last outbound packet, in seconds. RFC 4787 REQ-5 requires at least 120
    /// and recommends 300; hostile firewalls use 30.
    pub timeout_s: u64,
}

impl FirewallSpec {
    /// The common behaviour: only answers come in, and a pinhole stays open for five minutes.
    pub const STRICT: Self = Self {
        filtering: Filtering::AddressAndPortDependent,
        timeout_s: 300,
    };
}

/// The state of a firewall.
#[derive(Clone, Debug)]
pub struct Firewall {
    spec: FirewallSpec,
    // By inside address, then by outside address: the time of the last outbound packet.
    udp: BTreeMap<SocketAddr, BTreeMap<SocketAddr, SimTime>>,
    // Connections opened from inside; they end with the host.
    tcp: BTreeSet<Flow>,
}

impl Firewall {
    /// Creates a firewall without any pinhole.
    pub fn new(spec: FirewallSpec) -> Self {
        Self {
            spec,
            udp: BTreeMap::new(),
            tcp: BTreeSet::new(),
        }
    }

    /// Records an outbound packet: opens or refreshes its pinhole (RFC 4787, REQ-6: outbound refresh).
    pub fn sent(&mut self, now: SimTime, flow: Flow) {
        match flow.proto {
            Proto::Udp => {
                self.udp.entry(flow.src).or_default().insert(flow.dst, now);
            }
            Proto::Tcp => {
                self.tcp.insert(flow);
            }
        }
    }

    /// Reports whether a packet from outside is let in.
    pub fn admits(&self, now: SimTime, flow: Flow) -> bool {
        if flow.proto == Proto::Tcp {
            return self.tcp.contains(&flow.reversed());
        }
        let Some(pinholes) = self.udp.get(&flow.dst) else {
            return false;
        };
        let lifetime = Duration::from_secs(self.spec.timeout_s);
        pinholes
            .iter()
            .filter(|(_, last)| now - **last < lifetime)
            .any(|(to, _)| match self.spec.filtering {
                Filtering::EndpointIndependent => true,
                Filtering::AddressDependent => to.ip() == flow.src.ip(),
                Filtering::AddressAndPortDependent => *to == flow.src,
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow(proto: Proto, src: &str, dst: &str) -> Flow {
        Flow {
            proto,
            src: src.parse().unwrap(),
            dst: dst.parse().unwrap(),
        }
    }

    fn udp(src: &str, dst: &str) -> Flow {
        flow(Proto::Udp, src, dst)
    }

    #[test]
    fn filtering_admits_whom_rfc_4787_section_5_says() {
        let inside = "10.0.0.1:5000";
        let cases = [
            // filtering, from another port of the same host, from another host
            (Filtering::EndpointIndependent, true, true),
            (Filtering::AddressDependent, true, false),
            (Filtering::AddressAndPortDependent, false, false),
        ];
        for (filtering, other_port, other_host) in cases {
            let mut firewall = Firewall::new(FirewallSpec {
                filtering,
                timeout_s: 300,
            });
            let t = SimTime::ZERO;
            assert!(
                !firewall.admits(t, udp("10.0.0.2:6000", inside)),
                "nothing was sent yet"
            );
            firewall.sent(t, udp(inside, "10.0.0.2:6000"));
            assert!(firewall.admits(t, udp("10.0.0.2:6000", inside)));
            assert_eq!(firewall.admits(t, udp("10.0.0.2:6001", inside)), other_port);
            assert_eq!(firewall.admits(t, udp("10.0.0.3:6000", inside)), other_host);
            assert!(
                !firewall.admits(t, udp("10.0.0.2:6000", "10.0.0.1:5001")),
                "another port inside"
            );
        }
    }

    #[test]
    fn a_pinhole_closes_after_its_lifetime_and_outbound_traffic_refreshes_it() {
        let mut firewall = Firewall::new(FirewallSpec {
            timeout_s: 30,
            ..FirewallSpec::STRICT
        });
        let (out, back) = (udp("10.0.0.1:1", "10.0.0.2:2"), udp("10.0.0.2:2", "10.0.0.1:1"));
        firewall.sent(SimTime::ZERO, out);
        assert!(firewall.admits(SimTime::from_millis(29_999), back));
        assert!(!firewall.admits(SimTime::from_millis(30_000), back));
        firewall.sent(SimTime::from_millis(25_000), out);
        assert!(firewall.admits(SimTime::from_millis(54_999), back));
    }

    #[test]
    fn tcp_is_let_in_where_it_was_opened_from_inside() {
        let mut firewall = Firewall::new(FirewallSpec::STRICT);
        let out = flow(Proto::Tcp, "10.0.0.1:1", "10.0.0.2:80");
        assert!(!firewall.admits(SimTime::ZERO, out.reversed()));
        firewall.sent(SimTime::ZERO, out);
        assert!(firewall.admits(SimTime::from_millis(9_999_999), out.reversed()));
    }
}
