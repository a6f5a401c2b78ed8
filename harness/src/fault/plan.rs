//! The plan of one run.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Fault, SlowStep, User, script::Scripted};
use crate::{
    explore::Order, net::topology::Topology, peer::IceTimeouts, servers::IceServerSpec,
    signaling::SignalingSpec, time::SimTime, trace::FaultId, world::Bounds,
};

/// The version of the format.
pub const PLAN_VERSION: u32 = 3;

/// The plan of a run: everything that it does.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The version of the format.
    pub v: u32,
    /// The hosts and their links.
    pub topology: Topology,
    /// The signaling service of the harness; none if apps bring their own.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub signaling: Option<SignalingSpec>,
    /// The STUN and TURN servers, which every client is configured with.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub ice_servers: Vec<IceServerSpec>,
    /// Users with several devices: dialing such a name calls all of them.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub users: Vec<User>,
    /// Slow awaits inside the clients.
    #[serde(default)]
    pub slow_steps: Vec<SlowStep>,
    /// The fault points of the app under test, by name: where faults can affect its own messages.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub fault_points: Vec<String>,
    /// The acts of the users.
    pub script: Vec<Scripted>,
    /// The faults.
    #[serde(default)]
    pub faults: Vec<Fault>,
    /// The timeouts of the ICE agents for a silent path; without it, those of the stack.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ice_timeouts: Option<IceTimeouts>,
    /// The section of the app under test: the app reads it, and the harness keeps it.
    #[serde(skip_serializing_if = "serde_json::Value::is_null", default)]
    pub app: serde_json::Value,
    /// The time that a connected call is held before it is hung up, in milliseconds.
    #[serde(skip_serializing_if = "is_usual_talk", default = "usual_talk")]
    pub talk_ms: u64,
    /// The interval between small messages from each end of a connected call, in milliseconds, at least 1; without it,
    /// only the few that prove the connection are sent. With it, the run goes on until the network has healed and every
    /// call that no user ended carries messages both ways, and TALK-01 has something to judge.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub talk_every_ms: Option<u64>,
    /// The order of free steps: deliveries of messages, acts of users and steps of clients.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub order: Option<Order>,
    /// The end of the chaos phase, in milliseconds: faults end, links become good.
    pub heal_at_ms: u64,
    /// The budget of liveness oracles after the healing, and after the user's action, in milliseconds.
    pub budget_ms: u64,
    /// The bound on simulated time, in milliseconds.
    pub horizon_ms: u64,
    /// The bound on packets sent by all hosts together.
    #[serde(default = "most_packets")]
    pub max_packets: u64,
}

/// Returns the default bound on packets.
fn most_packets() -> u64 {
    Bounds::default().packets
}

/// The default time that calls are held, in milliseconds.
pub const USUAL_TALK_MS: u64 = 2_000;

fn usual_talk() -> u64 {
    USUAL_TALK_MS
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde hands over a reference
fn is_usual_talk(talk_ms: &u64) -> bool {
    *talk_ms == USUAL_TALK_MS
}

/// The error of a plan that cannot be run.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlanError {
    /// The plan was written by another version.
    #[error(
        "v: the plan is of version {0}; this program reads version {PLAN_VERSION} and what was written before"
    )]
    Version(u32),
    /// A field is wrong; the text begins with its path.
    #[error("{0}")]
    Field(String),
}

impl Plan {
    /// Creates a plan without acts and faults: no servers, no chaos phase, 10 s for a call to connect.
    pub fn new(topology: Topology) -> Self {
        Self {
            v: PLAN_VERSION,
            topology,
            signaling: None,
            ice_servers: Vec::new(),
            users: Vec::new(),
            slow_steps: Vec::new(),
            fault_points: Vec::new(),
            script: Vec::new(),
            faults: Vec::new(),
            ice_timeouts: None,
            app: serde_json::Value::Null,
            talk_ms: USUAL_TALK_MS,
            talk_every_ms: None,
            order: None,
            heal_at_ms: 0,
            budget_ms: 10_000,
            horizon_ms: 60_000,
            max_packets: most_packets(),
        }
    }

    /// Returns the end of the chaos phase.
    pub fn heal_at(&self) -> SimTime {
        SimTime::from_millis(self.heal_at_ms)
    }

    /// Returns the budget of liveness oracles.
    pub fn budget(&self) -> Duration {
        Duration::from_millis(self.budget_ms)
    }

    /// Returns the interval between messages on a connected call.
    pub fn talk_every(&self) -> Option<Duration> {
        self.talk_every_ms.map(Duration::from_millis)
    }

    /// Returns the time that a connected call is held.
    pub fn talk(&self) -> Duration {
        Duration::from_millis(self.talk_ms)
    }

    /// Returns the bounds of the run.
    pub fn bounds(&self) -> Bounds {
        Bounds {
            horizon: Duration::from_millis(self.horizon_ms),
            packets: self.max_packets,
            ..Bounds::default()
        }
    }

    /// Returns the devices of the user `name`; `None` if it is no user's name.
    pub fn devices_of(&self, name: &str) -> Option<&[String]> {
        let user = self.users.iter().find(|u| u.name == name);
        user.map(|u| u.devices.as_slice())
    }

    /// Adds `fault` with the next number.
    pub fn inject(&mut self, fault: Fault) {
        let id = self.next_fault_id();
        self.faults.push(Fault { id, ..fault });
    }

    /// Returns the times in which faults pause the app on `host`: from and until.
    pub fn pauses_of(&self, host: &str) -> Vec<(SimTime, SimTime)> {
        let pauses = self
            .faults
            .iter()
            .filter(|f| f.kind.pauses_app() && f.target.is_of_host(host));
        pauses
            .map(|f| (f.from(), f.until().unwrap_or(SimTime::MAX).min(self.heal_at())))
            .collect()
    }

    /// Returns the number after the largest number of a fault.
    pub fn next_fault_id(&self) -> FaultId {
        let last = self.faults.iter().map(|f| f.id.0).max();
        FaultId(last.map_or(1, |last| last + 1))
    }

    /// Returns the fault with the number `id`.
    pub fn fault(&self, id: FaultId) -> Option<&Fault> {
        self.faults.iter().find(|f| f.id == id)
    }

    /// Returns the signaling service of the harness, to change it; creates a prompt one if there was none.
    pub fn service(&mut self) -> &mut SignalingSpec {
        self.signaling.get_or_insert(SignalingSpec::PROMPT)
    }

    /// Reports whether the signaling service of the harness runs on the host called `name`.
    pub fn is_service(&self, name: &str) -> bool {
        self.signaling
            .as_ref()
            .is_some_and(|service| service.host == name)
    }

    /// Reports whether the host called `name` is a client's.
    pub fn is_client(&self, name: &str) -> bool {
        let serves = self.topology.host(name).is_some_and(|host| host.serves);
        !serves && !self.is_service(name) && self.ice_servers.iter().all(|s| s.host != name)
    }

    /// Returns when the last host that a fault stops runs again: the beginning of the run, if none is stopped.
    pub fn all_hosts_run_from(&self) -> SimTime {
        let ends = self.faults.iter().filter(|f| f.kind.stops_host());
        let ends = ends.map(|f| f.until().unwrap_or(SimTime::MAX));
        ends.max().unwrap_or_default().min(self.heal_at())
    }
}
