//! What stands between a client and the core, as rules of nftables.
//!
//! Linux has no cones: what it translates it lets in by address and port. Other NATs are done [on the wire](Translation::OnTheWire).

use anyhow::bail;
use serde::{Deserialize, Serialize};
use sleet::{
    fault::Plan,
    net::{
        firewall::Filtering,
        nat::{Mapping, NatSpec},
    },
};

/// Whose side of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// The caller's.
    Alice,
    /// The callee's.
    Bob,
}

/// What becomes of ports when a NAT starts again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ports {
    /// The next packets get those that they had.
    Stay,
    /// They get others.
    Move,
}

/// How addresses are translated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Translation {
    /// Not at all; only answers are let in.
    Firewall,
    /// Not at all, and everything is let in.
    Open,
    /// `masquerade`: the port stays, as long as nothing else has it for the same destination.
    Masquerade,
    /// `masquerade fully-random`: another port for each destination.
    FullyRandom,
    /// `masquerade` to a port that a map has for each port inside: another one when nothing has left from there for some seconds.
    OwnPorts {
        /// So long.
        forgets_s: u64,
    },
    /// As Linux has none: the wire does it, with the simulation's NAT on the real clock, and the gate only routes.
    OnTheWire(NatSpec),
}

/// What becomes of a packet to the NAT itself that nobody asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Input {
    /// It is gone.
    #[default]
    Drop,
    /// It is refused by ICMP.
    Reject,
    /// It is accepted, though nothing listens there: the connection tracker remembers it.
    Accept,
}

/// What stands between a client and the core.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gate {
    /// How it translates.
    pub translation: Translation,
    /// What it does with what nobody asked for.
    pub input: Input,
}

impl Gate {
    /// What the plan has between `host` and the core.
    ///
    /// # Errors
    /// When the plan has no such host, or a firewall that Linux has not.
    pub fn of(plan: &Plan, host: &str, input: Input) -> anyhow::Result<Self> {
        let strict = Filtering::AddressAndPortDependent;
        let found = plan.topology.host(host);
        let Some(found) = found else {
            bail!("the plan has no {host}")
        };
        let nat = found
            .nat
            .as_ref()
            .and_then(|name| plan.topology.nats.iter().find(|n| n.name == *name));
        let translation = match (nat.map(|n| n.spec), found.firewall) {
            (None, None) => Translation::Open,
            (None, Some(wall)) if wall.filtering == strict => Translation::Firewall,
            (Some(spec), None) if spec.filtering != strict => Translation::OnTheWire(spec),
            (Some(spec), None) => match spec.mapping {
                Mapping::EndpointIndependent if spec.port_preservation => Translation::Masquerade,
                Mapping::AddressAndPortDependent if !spec.port_preservation => Translation::FullyRandom,
                Mapping::EndpointIndependent if !spec.inbound_refresh => Translation::OwnPorts {
                    forgets_s: spec.timeout_s,
                },
                _ => Translation::OnTheWire(spec),
            },
            _ => bail!("Linux has no firewall as that of {host}"),
        };
        Ok(Self { translation, input })
    }

    /// Whether the gate itself changes addresses.
    pub fn translates(&self) -> bool {
        use Translation::{Firewall, OnTheWire, Open};
        !matches!(self.translation, Firewall | Open | OnTheWire(_))
    }
}

/// The rules of a namespace that is such a gate, between its interfaces `in…` and `out`.
pub fn rules(gate: &Gate) -> String {
    let masquerade = match gate.translation {
        Translation::Masquerade => "oifname \"out\" masquerade",
        Translation::FullyRandom => "oifname \"out\" masquerade fully-random",
        Translation::OwnPorts { .. } => {
            "oifname \"out\" meta l4proto udp masquerade to :udp sport map @ports\n\
             oifname \"out\" meta l4proto tcp masquerade"
        }
        Translation::Firewall | Translation::Open | Translation::OnTheWire(_) => "",
    };
    // Every packet that leaves keeps its port, the first one draws it: a chain of type nat sees only the first of a connection. The
    // counter is read in network order, so that neighbours are far apart.
    let ports = match gate.translation {
        Translation::OwnPorts { forgets_s } => format!(
            "map ports {{ type inet_service : inet_service; flags dynamic,timeout; timeout {forgets_s}s;\n}}\n\
             chain seen {{ type filter hook forward priority 10; iifname \"in*\" meta l4proto udp \
             update @ports {{ udp sport : numgen inc mod 20000 offset 30000 }}\n}}\n"
        ),
        _ => String::new(),
    };
    let forward = match gate.translation {
        Translation::Open | Translation::OnTheWire(_) => "policy accept;",
        _ => "policy drop; ct state established,related accept; iifname \"in*\" accept;",
    };
    let input = match gate.input {
        Input::Drop => "iifname \"out\" drop",
        Input::Reject => "iifname \"out\" reject",
        Input::Accept => "",
    };
    format!(
        "flush ruleset\n\
         table ip sleet {{\n\
         {ports}\
         chain post {{ type nat hook postrouting priority 100; {masquerade}\n}}\n\
         chain forward {{ type filter hook forward priority 0; {forward}\n}}\n\
         chain input {{ type filter hook input priority 0; policy accept; {input}\n}}\n}}\n"
    )
}

/// How long the connection tracker remembers UDP: whether only one side has spoken, and whether both have, in seconds.
pub fn remembers_s(gate: &Gate) -> (u64, u64) {
    match gate.translation {
        Translation::OwnPorts { forgets_s } => (forgets_s, forgets_s),
        // As Linux has it.
        _ => (30, 120),
    }
}

/// The rules of the same gate after it has started again: with [`Ports::Move`], what leaves gets another port.
pub fn rules_again(gate: &Gate, ports: Ports) -> String {
    let translation = match ports {
        Ports::Stay => gate.translation,
        Ports::Move => Translation::FullyRandom,
    };
    rules(&Gate { translation, ..*gate })
}
