//! The behaviour of a NAT, in the terms of RFC 4787, as data.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{net::firewall::Filtering, trace::Proto};

/// The idle timeout of a TCP connection, since its last packet in either direction: the shortest established connection
/// idle-timeout that RFC 5382 REQ-5 allows, 2 hours and 4 minutes.
pub const TCP_IDLE: Duration = Duration::from_secs(2 * 3600 + 4 * 60);

/// The time that a NAT remembers an accepted packet to itself: as long as Linux remembers an unanswered one.
pub const CLAIM: Duration = Duration::from_secs(30);

/// The destinations for which an internal endpoint keeps its external port (RFC 4787, section 4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mapping {
    /// All destinations; the only behaviour that REQ-1 allows.
    EndpointIndependent,
    /// All ports of one address.
    AddressDependent,
    /// One address and port.
    AddressAndPortDependent,
}

/// The behaviour of a NAT. It never changes under load or after a collision (RFC 4787, REQ-11).
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NatSpec {
    /// The destinations for which a UDP mapping is reused (REQ-1).
    pub mapping: Mapping,
    /// Who may send in through a UDP mapping: filtering (REQ-8).
    pub filtering: Filtering,
    /// Whether the external port is the internal one where that is free (RFC 4787, section 4.2.1). On a collision
    /// another port is chosen: ports are never overloaded (REQ-3).
    pub port_preservation: bool,
    /// Whether an even internal port gets an even external one, and an odd one an odd one (REQ-4 recommends it).
    pub port_parity: bool,
    /// Whether internal hosts reach each other at their external addresses. They see each other's external address and
    /// port as the source (REQ-9 requires both).
    pub hairpinning: bool,
    /// The lifetime of a UDP mapping after the last packet that refreshed it, in seconds, at least 1. REQ-5 requires at
    /// least 120 and recommends 300; hostile NATs use 30.
    pub timeout_s: u64,
    /// Whether inbound UDP packets that are let in refresh the mapping too (REQ-6a leaves it open). Outbound packets
    /// always do (REQ-6).
    pub inbound_refresh: bool,
    /// Whether all UDP is dropped, as in some corporate networks. RFC 4787 has no such behaviour.
    pub blocks_udp: bool,
    /// Whether the NAT accepts unsolicited UDP packets to itself, as a Linux router does with such an input policy. It
    /// remembers them as its own connections for [`CLAIM`], and a mapping whose port conflicts with one of them gets
    /// another port towards that sender. RFC 4787 REQ-1 forbids it.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub accepts_unsolicited: bool,
}

impl NatSpec {
    /// Endpoint-independent mapping and filtering: a "full cone" in the terms of RFC 3489, section 5.
    pub const fn cone() -> Self {
        Self::of(Mapping::EndpointIndependent, Filtering::EndpointIndependent)
    }

    /// Endpoint-independent mapping, address-dependent filtering: a "restricted cone".
    pub const fn restricted() -> Self {
        Self::of(Mapping::EndpointIndependent, Filtering::AddressDependent)
    }

    /// Endpoint-independent mapping, address and port-dependent filtering: a "port restricted cone".
    pub const fn port_restricted() -> Self {
        Self::of(Mapping::EndpointIndependent, Filtering::AddressAndPortDependent)
    }

    /// Address and port-dependent mapping and filtering: "symmetric".
    pub const fn symmetric() -> Self {
        Self::of(
            Mapping::AddressAndPortDependent,
            Filtering::AddressAndPortDependent,
        )
    }

    /// A NAT with this mapping and filtering that otherwise follows the recommendations of RFC 4787: it preserves ports
    /// and parity, supports hairpinning, keeps mappings for 300 s, and only outbound packets refresh them.
    pub const fn of(mapping: Mapping, filtering: Filtering) -> Self {
        Self {
            mapping,
            filtering,
            port_preservation: true,
            port_parity: true,
            hairpinning: true,
            timeout_s: 300,
            inbound_refresh: false,
            blocks_udp: false,
            accepts_unsolicited: false,
        }
    }

    /// Checks a specification that was read from a file.
    ///
    /// # Errors
    /// Returns the name of the offending field and a sentence.
    pub fn check(&self) -> Result<(), String> {
        if self.timeout_s == 0 {
            return Err("timeout_s: a mapping lives for a second at least".to_owned());
        }
        Ok(())
    }

    pub(super) fn rules(&self, proto: Proto) -> Rules {
        match proto {
            Proto::Udp => Rules {
                mapping: self.mapping,
                filtering: self.filtering,
                // A lifetime beyond the end of the clock is infinite.
                lifetime: Duration::from_nanos(self.timeout_s.saturating_mul(1_000_000_000)),
                inbound_refresh: self.inbound_refresh,
            },
            Proto::Tcp => Rules {
                mapping: Mapping::AddressAndPortDependent,
                filtering: Filtering::AddressAndPortDependent,
                lifetime: TCP_IDLE,
                inbound_refresh: true,
            },
        }
    }
}

/// The rules of a specification for one transport.
pub(super) struct Rules {
    pub mapping: Mapping,
    pub filtering: Filtering,
    pub lifetime: Duration,
    pub inbound_refresh: bool,
}

/// A set of remote endpoints that a NAT treats alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Remotes {
    /// All remote endpoints.
    Any,
    /// All ports of one address.
    Address(IpAddr),
    /// One address and port.
    Endpoint(SocketAddr),
}

impl Remotes {
    /// Returns the destinations that share a mapping with `remote`.
    pub(super) fn mapped_with(mapping: Mapping, remote: SocketAddr) -> Self {
        match mapping {
            Mapping::EndpointIndependent => Self::Any,
            Mapping::AddressDependent => Self::Address(remote.ip()),
            Mapping::AddressAndPortDependent => Self::Endpoint(remote),
        }
    }

    /// Returns the sources that are let in together with `remote`.
    pub(super) fn admitted_with(filtering: Filtering, remote: SocketAddr) -> Self {
        match filtering {
            Filtering::EndpointIndependent => Self::Any,
            Filtering::AddressDependent => Self::Address(remote.ip()),
            Filtering::AddressAndPortDependent => Self::Endpoint(remote),
        }
    }
}

impl fmt::Display for Remotes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("any"),
            Self::Address(address) => address.fmt(f),
            Self::Endpoint(endpoint) => endpoint.fmt(f),
        }
    }
}
