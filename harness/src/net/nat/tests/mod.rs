//! The requirements of RFC 4787 and RFC 5382, one by one.

mod claims;
mod events;
mod filtering;
mod hairpin;
mod lifetime;
mod mapping;
mod ports;
mod properties;
mod tcp;

use super::*;
use crate::net::firewall::Filtering;

const EXTERNAL: &str = "203.0.113.1";
const T0: SimTime = SimTime::ZERO;
const MAPPINGS: [Mapping; 3] = [
    Mapping::EndpointIndependent,
    Mapping::AddressDependent,
    Mapping::AddressAndPortDependent,
];
const FILTERINGS: [Filtering; 3] = [
    Filtering::EndpointIndependent,
    Filtering::AddressDependent,
    Filtering::AddressAndPortDependent,
];

fn nat(spec: NatSpec) -> Nat {
    Nat::new(Seed(7), "home", spec, EXTERNAL.parse().unwrap())
}

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

fn tcp(src: &str, dst: &str) -> Flow {
    flow(Proto::Tcp, src, dst)
}

fn external(port: u16) -> SocketAddr {
    SocketAddr::new(EXTERNAL.parse().unwrap(), port)
}

/// The same packet from another source.
fn from(src: &str, flow: Flow) -> Flow {
    Flow {
        src: src.parse().unwrap(),
        ..flow
    }
}
