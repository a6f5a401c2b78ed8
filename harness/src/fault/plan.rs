//! The plan of one run.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Fault, SlowStep, User, check, kinds::FaultKind};
use crate::{
    explore::Order,
    net::topology::Topology,
    peer::IceTimeouts,
    servers::IceServerSpec,
    signaling::SignalingSpec,
    time::SimTime,
    trace::{FaultId, Point},
    world::Bounds,
};

/// The version of the format.
pub const PLAN_VERSION: u32 = 3;

/// Everything that a run does.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The version of the format.
    pub v: u32,
    /// The hosts and their links.
    pub topology: Topology,
    /// The signaling service of the harness; none where apps bring their own.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub signaling: Option<SignalingSpec>,
    /// The STUN and TURN servers that run, and that every client is told of.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub ice_servers: Vec<IceServerSpec>,
    /// Who has several devices: whoever dials such a name calls all of them.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub users: Vec<User>,
    /// Slow awaits inside the clients.
    #[serde(default)]
    pub slow_steps: Vec<SlowStep>,
    /// The fault points that the app under test has, by name: where faults can befall its own messages.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub fault_points: Vec<String>,
    /// What the users do.
    pub script: Vec<Scripted>,
    /// What goes wrong.
    #[serde(default)]
    pub faults: Vec<Fault>,
    /// How long the agents wait before they give a silent path up; without it, as long as the stack does.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ice_timeouts: Option<IceTimeouts>,
    /// What belongs to the app under test: it reads it, and the harness keeps it.
    #[serde(skip_serializing_if = "serde_json::Value::is_null", default)]
    pub app: serde_json::Value,
    /// How long a connected call is held before it is hung up, in milliseconds.
    #[serde(skip_serializing_if = "is_usual_talk", default = "usual_talk")]
    pub talk_ms: u64,
    /// How often each end of a connected call sends a small message, in milliseconds from 1; without it, only the few that prove
    /// the connection. With it, the run goes on until the network has healed and every call that nobody ended carries
    /// messages both ways, and TALK-01 has something to judge.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub talk_every_ms: Option<u64>,
    /// In which order messages are delivered, users act and clients go on, where that is free.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub order: Option<Order>,
    /// When the chaos phase ends: faults end, links become good.
    pub heal_at_ms: u64,
    /// How long after the healing, and after the user's action, liveness oracles have.
    pub budget_ms: u64,
    /// How much simulated time the run may take.
    pub horizon_ms: u64,
    /// How many packets all hosts together may send.
    #[serde(default = "most_packets")]
    pub max_packets: u64,
}

/// What a plan that does not say may send.
fn most_packets() -> u64 {
    Bounds::default().packets
}

/// How long calls are held unless the plan says otherwise, in milliseconds.
pub const USUAL_TALK_MS: u64 = 2_000;

fn usual_talk() -> u64 {
    USUAL_TALK_MS
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde hands over a reference
fn is_usual_talk(talk_ms: &u64) -> bool {
    *talk_ms == USUAL_TALK_MS
}

/// A user does something.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scripted {
    /// On which host.
    pub host: String,
    /// When.
    pub when: When,
    /// What.
    pub act: Act,
}

/// When a user acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum When {
    /// At a time.
    At {
        /// Milliseconds since the beginning.
        ms: u64,
    },
    /// Some time after the phone began to ring.
    Rung {
        /// Milliseconds since then.
        ms: u64,
    },
    /// When the order of the plan says so.
    Free {
        /// Not before, in milliseconds since the beginning.
        from_ms: u64,
    },
    /// Some time after the call of the act came to a point of its life on the user's host, for the first time.
    Reached {
        /// The point.
        point: Point,
        /// Milliseconds since then: 0 is the next moment at which anything else can run.
        after_ms: u64,
    },
    /// Some time after the call of the act was over on the user's host.
    Over {
        /// Milliseconds since then.
        after_ms: u64,
    },
}

/// What a user does.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Act {
    /// Dials.
    Dial {
        /// The client to call, or a user with several devices.
        to: String,
        /// What the call is named.
        call: String,
    },
    /// Gives up on the attempt and tries again within the same call: a new ICE generation.
    Retry {
        /// The call.
        call: String,
    },
    /// Hangs up.
    Hangup {
        /// The call.
        call: String,
    },
    /// Answers whatever rings.
    Answer,
    /// Refuses a call that rings.
    Reject {
        /// The call.
        call: String,
    },
    /// Dials whom an earlier call was to or from.
    Redial {
        /// The earlier call.
        call: String,
        /// What the new call is named.
        again: String,
    },
    /// Dials several people at once: a group.
    DialGroup {
        /// What the group is named.
        group: String,
        /// Whom: the call to each is named `group.client`.
        to: Vec<String>,
    },
    /// Hangs up all calls of a group.
    HangupGroup {
        /// The group.
        group: String,
    },
    /// Does something that only the app under test knows.
    App {
        /// What the app calls it.
        name: String,
        /// Its particulars.
        #[serde(skip_serializing_if = "serde_json::Value::is_null", default)]
        with: serde_json::Value,
    },
}

impl Act {
    /// The call that it is about, if it is about one.
    pub fn call(&self) -> Option<&str> {
        match self {
            Self::Dial { call, .. }
            | Self::Retry { call }
            | Self::Hangup { call }
            | Self::Reject { call }
            | Self::Redial { call, .. } => Some(call),
            Self::Answer | Self::DialGroup { .. } | Self::HangupGroup { .. } | Self::App { .. } => None,
        }
    }
}

impl Act {
    /// What the user does, in words.
    pub fn name(&self) -> &str {
        match self {
            Self::Dial { .. } => "dials",
            Self::Retry { .. } => "tries again",
            Self::Hangup { .. } => "hangs up",
            Self::Answer => "answers",
            Self::Reject { .. } => "rejects",
            Self::Redial { .. } => "redials",
            Self::DialGroup { .. } => "dials a group",
            Self::HangupGroup { .. } => "hangs a group up",
            Self::App { name, .. } => name,
        }
    }
}

/// A plan that cannot be run.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlanError {
    /// Written by another version.
    #[error(
        "v: the plan is of version {0}; this program reads version {PLAN_VERSION} and what was written before"
    )]
    Version(u32),
    /// A field, by its path.
    #[error("{0}")]
    Field(String),
}

impl Plan {
    /// A plan in which nobody does anything and nothing goes wrong: no servers, no chaos phase, 10 s for a call to connect.
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

    /// When the chaos phase ends.
    pub fn heal_at(&self) -> SimTime {
        SimTime::from_millis(self.heal_at_ms)
    }

    /// The time that liveness oracles have.
    pub fn budget(&self) -> Duration {
        Duration::from_millis(self.budget_ms)
    }

    /// How often each end of a connected call says something.
    pub fn talk_every(&self) -> Option<Duration> {
        self.talk_every_ms.map(Duration::from_millis)
    }

    /// How long a connected call is held.
    pub fn talk(&self) -> Duration {
        Duration::from_millis(self.talk_ms)
    }

    /// What the run may use up.
    pub fn bounds(&self) -> Bounds {
        Bounds {
            horizon: Duration::from_millis(self.horizon_ms),
            packets: self.max_packets,
            ..Bounds::default()
        }
    }

    /// The devices of the user `name`; `None` if it is no user's name.
    pub fn devices_of(&self, name: &str) -> Option<&[String]> {
        let user = self.users.iter().find(|u| u.name == name);
        user.map(|u| u.devices.as_slice())
    }

    /// Adds `fault` under the next number.
    pub fn inject(&mut self, fault: Fault) {
        let id = self.next_fault_id();
        self.faults.push(Fault { id, ..fault });
    }

    /// Adds `fault` under the next number, unless it does not fit what is there.
    pub fn inject_if_it_fits(&mut self, fault: Fault) {
        if check::one(&fault, &self.faults, self).is_ok() {
            self.inject(fault);
        }
    }

    /// When faults let the app on `host` stand still: from and until.
    pub fn pauses_of(&self, host: &str) -> Vec<(SimTime, SimTime)> {
        let pauses = self
            .faults
            .iter()
            .filter(|f| matches!(f.kind, FaultKind::HostPause(_)) && f.target.is_of_host(host));
        pauses
            .map(|f| (f.from(), f.until().unwrap_or(SimTime::MAX).min(self.heal_at())))
            .collect()
    }

    /// Takes away every fault that befalls nothing that is there.
    pub fn drop_stray_faults(&mut self) {
        let mut faults = std::mem::take(&mut self.faults);
        faults.retain(|fault| check::befalls_something(fault, self));
        self.faults = faults;
    }

    /// The number after all that the faults have.
    pub fn next_fault_id(&self) -> FaultId {
        let last = self.faults.iter().map(|f| f.id.0).max();
        FaultId(last.map_or(1, |last| last + 1))
    }

    /// The fault that is called `id`.
    pub fn fault(&self, id: FaultId) -> Option<&Fault> {
        self.faults.iter().find(|f| f.id == id)
    }

    /// The signaling service of the harness, to change it; a prompt one if there was none.
    pub fn service(&mut self) -> &mut SignalingSpec {
        self.signaling.get_or_insert(SignalingSpec::PROMPT)
    }

    /// Whether the signaling service of the harness runs on the host called `name`.
    pub fn is_service(&self, name: &str) -> bool {
        self.signaling
            .as_ref()
            .is_some_and(|service| service.host == name)
    }

    /// Whether people hold the host called `name` in their hands.
    pub fn is_client(&self, name: &str) -> bool {
        let serves = self.topology.host(name).is_some_and(|host| host.serves);
        !serves && !self.is_service(name) && self.ice_servers.iter().all(|s| s.host != name)
    }

    /// When the last host that a fault stops runs again: at the beginning, if none is stopped.
    pub fn all_hosts_run_from(&self) -> SimTime {
        let stops = |f: &&Fault| matches!(f.kind, FaultKind::HostCrash(_) | FaultKind::HostPause(_));
        let ends = self.faults.iter().filter(stops);
        let ends = ends.map(|f| f.until().unwrap_or(SimTime::MAX));
        ends.max().unwrap_or_default().min(self.heal_at())
    }

    /// Says what is wrong with a plan that was read from a file.
    ///
    /// # Errors
    /// [`PlanError`], which names the offending field by its path.
    pub fn check(&self) -> Result<(), PlanError> {
        if self.v != PLAN_VERSION {
            return Err(PlanError::Version(self.v));
        }
        self.check_fields().map_err(PlanError::Field)
    }

    fn check_fields(&self) -> Result<(), String> {
        self.topology.check()?;
        let known = |host: &str| self.topology.host(host).is_some();
        if let Some(service) = &self.signaling {
            service.check(known).map_err(|e| format!("signaling.{e}"))?;
        }
        for (i, server) in self.ice_servers.iter().enumerate() {
            if !known(&server.host) {
                return Err(format!(
                    "ice_servers[{i}].host: there is no host '{}'",
                    server.host
                ));
            }
        }
        for (i, slow) in self.slow_steps.iter().enumerate() {
            if slow.host != "*" && !known(&slow.host) {
                return Err(format!("slow_steps[{i}].host: there is no host '{}'", slow.host));
            }
            slow.by.check().map_err(|e| format!("slow_steps[{i}].by: {e}"))?;
        }
        User::check(&self.users, &self.topology)?;
        self.check_script(&known)?;
        check::check(self)?;
        self.order.as_ref().map_or(Ok(()), |order| order.check(known))?;
        if self.talk_every_ms == Some(0) {
            return Err("talk_every_ms: 0 is no interval: 1 at least, or leave it out".into());
        }
        if self.horizon_ms < self.heal_at_ms + self.budget_ms {
            return Err("horizon_ms: ends before heal_at_ms + budget_ms".into());
        }
        Ok(())
    }

    fn check_script(&self, known: &impl Fn(&str) -> bool) -> Result<(), String> {
        for (i, Scripted { host, when, act }) in self.script.iter().enumerate() {
            if !known(host) {
                return Err(format!("script[{i}].host: there is no host '{host}'"));
            }
            match when {
                When::Free { .. } if self.order.is_none() => {
                    return Err(format!("script[{i}].when.free: the plan has no order"));
                }
                When::Reached { .. } | When::Over { .. } if act.call().is_none() => {
                    return Err(format!(
                        "script[{i}].when: an act that is about no call cannot wait for one"
                    ));
                }
                _ => {}
            }
            match act {
                Act::Dial { to, .. } if !known(to) && self.devices_of(to).is_none() => {
                    return Err(format!("script[{i}].act.dial.to: there is no host '{to}'"));
                }
                Act::DialGroup { to, .. } => {
                    if let Some(unknown) = to.iter().find(|to| !known(to)) {
                        return Err(format!(
                            "script[{i}].act.dial-group.to: there is no host '{unknown}'"
                        ));
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }
}
