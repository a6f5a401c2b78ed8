//! Faults of whole hosts: crash and pause.
//!
//! A crash takes everything of a host at once, without a goodbye; the host starts again when the fault ends. A pause
//! stalls the app, as a blocked main thread does: none of its own tasks goes on, while the system's network
//! stack and the threads of the WebRTC stack do. A machine that stands still altogether is a pause and a hold of its links.

use std::{collections::BTreeSet, convert::Infallible, future, time::Duration};

use serde::{Deserialize, Serialize};
use turmoil_net::{EnterGuard, NetstatState};

use super::{Sim, packet::reset};
use crate::{
    net::topology::Topology,
    time::SimTime,
    trace::{EventKind, Flow, Proto},
};

/// How long after a crash the kernel of the host forgets its connections. Earlier it would forget some that a
/// listener still holds, whose port `turmoil-net` 0.1.0 then never gives back (`src/kernel/tcp.rs:533`).
const CLEARED_AFTER: Duration = Duration::from_millis(1);

/// What befalls a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HostFaultKind {
    /// It goes dark with all that runs on it, and starts anew at the end.
    Crash,
    /// Its app stands still.
    Pause,
}

/// A fault of a host with its lifetime.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostFault {
    /// What.
    pub fault: HostFaultKind,
    /// Of which host.
    pub host: String,
    /// When it begins, in milliseconds.
    pub from_ms: u64,
    /// When it ends, in milliseconds; the chaos phase ends it at the latest.
    pub until_ms: u64,
}

impl HostFault {
    /// What it is called in the trace, at its place in the plan.
    pub fn name(&self, index: usize) -> String {
        let what = match self.fault {
            HostFaultKind::Crash => "crash",
            HostFaultKind::Pause => "pause",
        };
        format!("#{index} {what} of {}", self.host)
    }

    /// Says what is wrong with faults that were read from a file.
    ///
    /// # Errors
    /// The path of the offending field and a sentence.
    pub fn check(faults: &[Self], topology: &Topology) -> Result<(), String> {
        for (i, fault) in faults.iter().enumerate() {
            let Self {
                host,
                from_ms,
                until_ms,
                ..
            } = fault;
            if topology.host(host).is_none() {
                return Err(format!("host_faults[{i}].host: there is no host '{host}'"));
            }
            if from_ms >= until_ms {
                return Err(format!(
                    "host_faults[{i}].until_ms: {until_ms} is not after from_ms"
                ));
            }
            let meets = |other: &&Self| {
                other.host == *host && other.from_ms <= *until_ms && *from_ms <= other.until_ms
            };
            if faults[..i].iter().any(|other| meets(&other)) {
                return Err(format!(
                    "host_faults[{i}].from_ms: another fault of {host} is not over by then"
                ));
            }
        }
        Ok(())
    }
}

/// Lets `faults` befall their hosts, cut off at `heal_at`. It never ends.
pub(super) async fn befall(
    sim: &Sim,
    network: &EnterGuard,
    faults: &[HostFault],
    heal_at: Option<SimTime>,
) -> Infallible {
    let mut edges = BTreeSet::new();
    for (index, fault) in faults.iter().enumerate() {
        let [from, until] = [fault.from_ms, fault.until_ms].map(SimTime::from_millis);
        if heal_at.is_none_or(|healed| from < healed) {
            edges.insert((from, true, index));
            edges.insert((heal_at.map_or(until, |healed| until.min(healed)), false, index));
        }
    }
    for (at, begins, index) in edges {
        sim.sleep(at - sim.now()).await;
        let fault = &faults[index];
        let name = fault.name(index);
        sim.record(if begins {
            EventKind::FaultStarted { fault: name }
        } else {
            EventKind::FaultEnded { fault: name }
        });
        match (fault.fault, begins) {
            (HostFaultKind::Crash, true) => {
                sim.crash(&fault.host);
                // Time moves only when nothing is left to do: every task of the host has dropped its sockets by then.
                sim.sleep(CLEARED_AFTER).await;
                cut_connections(sim, network, &fault.host);
                // The kernel reaps them when it is asked for packets next.
                sim.want_egress();
                tokio::task::yield_now().await;
            }
            (HostFaultKind::Crash, false) => sim.start(&fault.host),
            (HostFaultKind::Pause, begins) => sim.pause(&fault.host, begins),
        }
    }
    future::pending().await
}

/// Ends what is left of the TCP connections inside the kernel of `host`; the other ends learn nothing.
fn cut_connections(sim: &Sim, network: &EnterGuard, host: &str) {
    let host = sim.host(host);
    let mut ends = BTreeSet::new();
    for address in host.addresses() {
        let open = turmoil_net::netstat(*address).entries;
        let connected = open.iter().filter(|s| s.state != Some(NetstatState::Listen));
        ends.extend(connected.filter_map(|s| s.state.and(s.peer).map(|peer| (s.local, peer))));
    }
    for (local, peer) in ends {
        let proto = Proto::Tcp;
        network.deliver(reset(Flow {
            proto,
            src: peer,
            dst: local,
        }));
    }
}
