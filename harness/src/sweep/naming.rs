//! Names for packets, in the order in which they are sent: method, class, role and the kind of pair.
//!
//! Position and size identify what DTLS hides: the packets of an SCTP association during setup have sizes of their own.

use std::{collections::BTreeMap, net::SocketAddr};

use serde::{Deserialize, Serialize};

use crate::{
    fault::Plan,
    net::topology::Topology,
    servers,
    trace::{Flow, IceRole, StunLine, carried},
};

/// The class of a packet by what waits for it, which decides how late is too late.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// A connectivity check or its answer, between peers.
    Check,
    /// A binding request to a STUN server for the external address, or its answer.
    Gathering,
    /// A TURN transaction, or a relayed packet.
    Turn,
    /// The DTLS handshake.
    Dtls,
    /// SCTP over DTLS.
    Sctp,
    /// Any other packet: users' data.
    Data,
}

impl Class {
    /// Returns the delay in milliseconds after which the stack no longer waits, with a margin: `webrtc-ice` forgets a
    /// check after 4 s (`agent_config.rs`, `MAX_BINDING_REQUEST_TIMEOUT`) and a STUN server after 5 s
    /// (`agent_gather.rs`, `STUN_GATHER_TIMEOUT`), `turn` gives a transaction up after 7.8 s (`transaction.rs`: 200 ms,
    /// doubled up to 1.6 s, seven times), `dtls` sends a flight again after 1 s (`conn/mod.rs`,
    /// `INITIAL_TICKER_INTERVAL`), `webrtc-sctp` a chunk after 3 s at first (`rtx_timer.rs`, `RTO_INITIAL`).
    pub const fn too_late_ms(self) -> u64 {
        match self {
            Self::Check => 4_200,
            Self::Gathering => 5_200,
            Self::Turn => 8_000,
            Self::Dtls => 1_200,
            Self::Sctp | Self::Data => 3_200,
        }
    }
}

/// A packet with its name.
pub(super) struct Named {
    pub by: String,
    pub kind: String,
    pub nth: u64,
    pub class: Class,
    pub len: u32,
}

/// Names packets in the order in which they were sent.
pub(super) struct Namer<'a> {
    topology: &'a Topology,
    servers: Vec<&'a str>,
    counts: BTreeMap<(String, String), u64>,
    // The ends that have set up their association, as far as their own packets show.
    associated: BTreeMap<(String, SocketAddr), bool>,
    greeted: BTreeMap<(String, SocketAddr), u64>,
}

impl<'a> Namer<'a> {
    pub fn new(plan: &'a Plan) -> Self {
        Self {
            topology: &plan.topology,
            servers: plan.ice_servers.iter().map(|s| s.host.as_str()).collect(),
            counts: BTreeMap::new(),
            associated: BTreeMap::new(),
            greeted: BTreeMap::new(),
        }
    }

    /// Returns the name of the next packet from `host`.
    pub fn name(&mut self, host: &str, flow: Flow, len: u32, says: &str) -> Named {
        let (kind, class) = self.kind(host, flow, len, says);
        let count = self
            .counts
            .entry((host.to_owned(), kind.clone()))
            .and_modify(|n| *n += 1)
            .or_insert(1);
        Named {
            by: host.to_owned(),
            nth: *count,
            kind,
            class,
            len,
        }
    }

    fn kind(&mut self, host: &str, flow: Flow, len: u32, says: &str) -> (String, Class) {
        let server = [flow.dst, flow.src]
            .into_iter()
            .find(|end| end.port() == servers::PORT && self.kind_of(*end) == "relay");
        let (line, inside) = (StunLine::read(says), carried(says));
        match (says.split(' ').next(), line, server) {
            (_, Some(line), Some(_)) => to_server(&line, inside),
            (Some("turn"), ..) => (format!("ChannelData ({})", plain(inside)), Class::Turn),
            (_, Some(line), None) => {
                let from = match self.kind_of(flow.src) {
                    "relay" => "relay",
                    _ => "host",
                };
                (check(&line, from, self.kind_of(flow.dst)), Class::Check)
            }
            (Some("dtls"), ..) => self.dtls(host, flow, len, says),
            (Some("rtp"), ..) => ("RTP".to_owned(), Class::Data),
            _ => ("data".to_owned(), Class::Data),
        }
    }

    /// Returns the candidate type of an address, as far as the topology tells.
    fn kind_of(&self, end: SocketAddr) -> &'static str {
        let ip = end.ip();
        if self.topology.nats.iter().any(|nat| nat.external == ip) {
            return "srflx";
        }
        let owner = self
            .topology
            .hosts
            .iter()
            .find(|h| h.addresses().any(|a| a == ip));
        match owner {
            Some(owner) if self.servers.contains(&owner.name.as_str()) => "relay",
            _ => "host",
        }
    }

    fn dtls(&mut self, host: &str, flow: Flow, len: u32, says: &str) -> (String, Class) {
        let key = (host.to_owned(), flow.src);
        let kind = match says.trim_start_matches("dtls ") {
            "client-hello" => {
                // The cookie makes the second one longer.
                let shortest = self.greeted.entry(key).or_insert_with(|| u64::from(len));
                match u64::from(len) > *shortest {
                    false => "DTLS ClientHello",
                    true => "DTLS ClientHello with cookie",
                }
            }
            "hello-verify-request" => "DTLS HelloVerifyRequest",
            "server-hello" => "DTLS ServerHello to ServerHelloDone",
            "certificate" => "DTLS Certificate to Finished",
            "change-cipher-spec" => "DTLS ChangeCipherSpec and Finished",
            "alert" => "DTLS alert",
            "application data" => return (self.sctp(key, len).to_owned(), Class::Sctp),
            other => return (format!("DTLS {other}"), Class::Dtls),
        };
        (kind.to_owned(), Class::Dtls)
    }

    /// Returns the SCTP packet inside a record of `len` bytes, 37 of which are DTLS's (AES-128-GCM): during setup an
    /// association sends packets of characteristic sizes.
    fn sctp(&mut self, key: (String, SocketAddr), len: u32) -> &'static str {
        let associated = self.associated.entry(key).or_default();
        match (len.saturating_sub(37), *associated) {
            (40, false) => "SCTP INIT",
            (76, false) => "SCTP INIT ACK",
            (48, false) => "SCTP COOKIE ECHO",
            (16, _) => {
                *associated = true;
                "SCTP COOKIE ACK"
            }
            (28, _) => "SCTP SACK",
            (48, true) => "SCTP DATA (DCEP open)",
            _ => "SCTP DATA",
        }
    }
}

/// Names a transaction with a STUN or TURN server.
fn to_server(line: &StunLine<'_>, inside: Option<&str>) -> (String, Class) {
    let name = match line.method {
        "binding" => "Binding",
        "allocate" => "Allocate",
        "refresh" => "Refresh",
        "create-permission" => "CreatePermission",
        "channel-bind" => "ChannelBind",
        "send" => "Send",
        "data" => "Data",
        other => other,
    };
    let ends = line.lifetime == Some(0);
    let what = match (line.class, line.code) {
        ("request", _) if ends => "request that ends it".to_owned(),
        ("request", _) => "request".to_owned(),
        ("success", _) => "response".to_owned(),
        ("error", Some(code)) => format!("error {code}"),
        (other, _) => format!("{other} ({})", plain(inside)),
    };
    let (to, waits) = match line.method {
        "binding" => ("STUN server", Class::Gathering),
        _ => ("TURN server", Class::Turn),
    };
    (format!("{name} {what}, {to}"), waits)
}

/// Names a connectivity check, by the role of its sender and the kind of pair.
fn check(line: &StunLine<'_>, from: &str, to: &str) -> String {
    let what = match (line.class, line.role) {
        ("request", _) if line.nominates => "Binding request that nominates",
        ("request", Some(IceRole::Controlling)) => "Binding request, controlling",
        ("request", Some(IceRole::Controlled)) => "Binding request, controlled",
        ("success", _) => "Binding response",
        ("error", _) => "Binding error",
        _ => "Binding indication",
    };
    format!("{what}, {from}-{to}")
}

/// Names a relayed packet, without details that only tell it from similar ones.
fn plain(inside: Option<&str>) -> String {
    let inside = inside.unwrap_or("nothing");
    match StunLine::read(inside) {
        Some(line) => {
            let nominates = if line.nominates { " that nominates" } else { "" };
            format!("{} {}{nominates}", line.method, line.class)
        }
        None => inside.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        net::{link::LinkProfile, nat::NatSpec, topology::HostSpec},
        servers::IceServerSpec,
        trace::Proto,
    };

    /// Returns the name of a packet with the decoded text `says` from `src` to `dst`.
    fn called(src: &str, dst: &str, says: &str) -> (String, Class) {
        let host = |name, address| HostSpec::new(name, address, LinkProfile::default());
        let topology = Topology::new([host("alice", "10.0.0.1"), host("relay", "192.0.2.1")]);
        let mut plan = Plan::new(topology.with_nat("home", "203.0.113.1", NatSpec::symmetric()));
        plan.ice_servers.push(IceServerSpec {
            host: "relay".into(),
            turn: true,
        });
        let flow = Flow {
            proto: Proto::Udp,
            src: src.parse().expect("an address"),
            dst: dst.parse().expect("an address"),
        };
        Namer::new(&plan).kind("alice", flow, 100, says)
    }

    #[test]
    fn packets_are_called_what_the_protocol_calls_them() {
        let (us, them, server) = ("10.0.0.1:5000", "203.0.113.1:6000", "192.0.2.1:3478");
        for (dst, says, name, class) in [
            (
                them,
                "stun binding request a:b controlling priority=1",
                "Binding request, controlling, host-srflx",
                Class::Check,
            ),
            (
                "192.0.2.1:49152",
                "stun binding request a:b controlling use-candidate priority=1",
                "Binding request that nominates, host-relay",
                Class::Check,
            ),
            (
                server,
                "stun binding request",
                "Binding request, STUN server",
                Class::Gathering,
            ),
            (
                server,
                "stun allocate request sleet",
                "Allocate request, TURN server",
                Class::Turn,
            ),
            (
                server,
                "stun refresh request sleet lifetime=0",
                "Refresh request that ends it, TURN server",
                Class::Turn,
            ),
            (them, "dtls client-hello", "DTLS ClientHello", Class::Dtls),
            (them, "data", "data", Class::Data),
        ] {
            assert_eq!(called(us, dst, says), (name.to_owned(), class), "{says}");
        }
        let (error, _) = called(server, us, "stun allocate error code=437");
        assert_eq!(error, "Allocate error 437, TURN server");
    }

    #[test]
    fn an_association_is_told_by_the_sizes_of_its_packets() {
        let plan = Plan::new(Topology::default());
        let mut namer = Namer::new(&plan);
        let key = || ("alice".to_owned(), "10.0.0.1:5000".parse().expect("an address"));
        let sizes = [77, 113, 85, 53, 85, 65, 69].map(|len| namer.sctp(key(), len));
        let names = [
            "SCTP INIT",
            "SCTP INIT ACK",
            "SCTP COOKIE ECHO",
            "SCTP COOKIE ACK",
            "SCTP DATA (DCEP open)",
            "SCTP SACK",
            "SCTP DATA",
        ];
        assert_eq!(sizes, names);
    }
}
