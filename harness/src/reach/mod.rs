//! Reachability: what must happen between two hosts, as a table says, and computed where no table applies.
//!
//! Two ideal ICE agents (RFC 8445) exchange checks over the packet path without links: instantly, without
//! loss, over the same NAT and firewall state machines that the run uses. No stack, no timers: what is
//! possible, not how fast. The table of libwebrtc's tests and RFC 4787's rules check this model in turn.

mod table;

use std::{
    collections::BTreeSet,
    fmt,
    net::{IpAddr, SocketAddr},
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    fault::Plan,
    net::path::Path,
    seed::Seed,
    servers,
    time::SimTime,
    trace::{Flow, Proto},
};

pub use table::written;

/// The way in which two hosts can reach each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reach {
    /// Without a relay, by host or reflexive candidates.
    Direct,
    /// Only through a TURN server.
    Relay,
    /// Not at all.
    Impossible,
}

impl fmt::Display for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Direct => "direct",
            Self::Relay => "relay",
            Self::Impossible => "none",
        })
    }
}

/// The port of an ideal agent; any port will do.
const PORT: u16 = 50_000;
/// The number of rounds of checks after which nothing new can be learned: each adds an address of a finite set.
const ROUNDS: usize = 6;

/// Returns what must happen between the hosts `a` and `b` of `plan`: by the table of RFC 4787's NATs if it applies,
/// else [`expected`]. Faults of the plan play no part.
///
/// # Panics
/// Panics if the plan has no such hosts.
pub fn must(plan: &Plan, a: &str, b: &str) -> Reach {
    written(plan, a, b).unwrap_or_else(|| expected(plan, a, b))
}

/// Computes how the hosts `a` and `b` of `plan` can reach each other through NATs, firewalls and servers, over the NATs
/// of the harness. Faults of the plan play no part.
///
/// # Panics
/// Panics if the plan has no such hosts.
pub fn expected(plan: &Plan, a: &str, b: &str) -> Reach {
    let mut path = Path::new(Seed(0), &plan.topology);
    let address = |name: &str| {
        let host = plan.topology.host(name);
        host.unwrap_or_else(|| panic!("the plan has no host '{name}'"))
            .interfaces[0]
            .address
    };
    let servers: Vec<(IpAddr, bool)> = plan
        .ice_servers
        .iter()
        .map(|s| (address(&s.host), s.turn))
        .collect();
    let mut agents = [a, b].map(|name| Agent::gather(&mut path, address(name), &servers));
    let [first, second] = &mut agents;
    first.remote.extend(&second.local);
    second.remote.extend(&first.local);

    for _ in 0..ROUNDS {
        for (checking, other) in [(0, 1), (1, 0)] {
            for remote in agents[checking].remote.clone() {
                match check(&mut path, agents[checking].base, remote, agents[other].base) {
                    Check::Valid => return Reach::Direct,
                    Check::Learned(source) => drop(agents[other].remote.insert(source)),
                    Check::Lost => {}
                }
            }
        }
    }
    if agents.iter().any(|agent| agent.relay) && agents.iter().all(|agent| agent.reaches_relay) {
        Reach::Relay
    } else {
        Reach::Impossible
    }
}

/// An ideal agent with a single base.
struct Agent {
    base: SocketAddr,
    local: BTreeSet<SocketAddr>,
    remote: BTreeSet<SocketAddr>,
    /// Whether the agent has a relayed candidate.
    relay: bool,
    /// Whether datagrams go both ways between the agent and the servers' host.
    reaches_relay: bool,
}

impl Agent {
    /// Gathers the host and the server-reflexive candidate.
    fn gather(path: &mut Path, address: IpAddr, servers: &[(IpAddr, bool)]) -> Self {
        let base = SocketAddr::new(address, PORT);
        let mut agent = Self {
            base,
            local: BTreeSet::from([base]),
            remote: BTreeSet::new(),
            relay: false,
            reaches_relay: false,
        };
        for (server, turn) in servers {
            let server = SocketAddr::new(*server, servers::PORT);
            if let Some(source) = round_trip(path, base, server) {
                agent.local.insert(source);
                agent.relay |= turn;
                agent.reaches_relay = true;
            }
        }
        agent
    }
}

/// The result of a connectivity check.
enum Check {
    /// The check was answered symmetrically (RFC 8445, section 7.2.5.2.1).
    Valid,
    /// The check arrived, from an address that the other side may check in turn (section 7.3.1.3).
    Learned(SocketAddr),
    /// The check did not arrive.
    Lost,
}

fn check(path: &mut Path, base: SocketAddr, remote: SocketAddr, other: SocketAddr) -> Check {
    let Some(arrived) = send(path, base, remote).filter(|arrived| arrived.dst == other) else {
        return Check::Lost;
    };
    match send(path, other, arrived.src) {
        Some(answer) if answer.src == remote && answer.dst == base => Check::Valid,
        _ => Check::Learned(arrived.src),
    }
}

/// Sends a request to `server` and its answer back; returns the address that the server saw.
fn round_trip(path: &mut Path, base: SocketAddr, server: SocketAddr) -> Option<SocketAddr> {
    let arrived = send(path, base, server)?;
    send(path, arrived.dst, arrived.src).map(|_| arrived.src)
}

fn send(path: &mut Path, src: SocketAddr, dst: SocketAddr) -> Option<Flow> {
    let proto = Proto::Udp;
    path.pass(SimTime::ZERO, Flow { proto, src, dst }).ok()
}
