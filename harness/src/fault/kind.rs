//! The definition of a kind of fault. All code and documentation about faults follows from this, and from the
//! registration.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fault, Plan, Target};
use crate::{
    net::{
        conditions::{Condition, Directions},
        latency::Latency,
        link::LinkProfile,
    },
    seed::{Ppm, Stream},
    time::SimTime,
    trace::{Direction, EventKind},
    world::Controls,
};

/// The targets of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Befalls {
    /// Links, both directions.
    Link,
    /// Single directions of links.
    LinkDirection,
    /// Hosts.
    Host,
    /// Clients' hosts.
    Client,
    /// Hosts with several interfaces.
    Phone,
    /// Clients' hosts behind no firewall and no NAT: anybody can send to them.
    Reachable,
    /// NATs.
    Nat,
    /// STUN and TURN servers.
    IceServer,
    /// The signaling service.
    Signaling,
    /// Fault points of the app under test that the plan names.
    Point,
    /// The signaling service, if it wakes clients by push notifications.
    Push,
}

impl Befalls {
    /// Describes the targets in words.
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Link => "a link",
            Self::LinkDirection => "one direction of a link",
            Self::Host => "a host",
            Self::Client => "a client's host",
            Self::Phone => "a host with several interfaces",
            Self::Reachable => "a client's host, or a STUN or TURN server, behind no firewall and no NAT",
            Self::Nat => "a NAT",
            Self::IceServer => "a STUN or TURN server",
            Self::Signaling => "the signaling service",
            Self::Point => "a fault point of the app",
            Self::Push => "a signaling service that wakes clients by push",
        }
    }

    /// Returns an example of a target as plans write it.
    pub const fn schema(self) -> &'static str {
        match self {
            Self::Link => r#"{"link": {"name": "alice", "directions": "both"}}"#,
            Self::LinkDirection => r#"{"link": {"name": "alice", "directions": "up"}}"#,
            Self::Host | Self::Client | Self::Phone | Self::Reachable => r#"{"host": "alice"}"#,
            Self::Nat => r#"{"nat": "home"}"#,
            Self::IceServer => r#"{"ice-server": "relay"}"#,
            Self::Point => r#"{"point": "relay"}"#,
            Self::Signaling | Self::Push => r#""signaling""#,
        }
    }

    /// Returns all targets in the world of `plan`.
    pub fn all(self, plan: &Plan) -> Vec<Target> {
        let hosts = || plan.topology.hosts.iter();
        match self {
            Self::Link | Self::LinkDirection => hosts()
                .flat_map(|h| (0..h.interfaces.len()).map(|i| Target::link(&h.link_base(i))))
                .collect(),
            Self::Host => hosts().map(|h| Target::host(&h.name)).collect(),
            Self::Client => hosts()
                .filter(|h| plan.is_client(&h.name))
                .map(|h| Target::host(&h.name))
                .collect(),
            Self::Reachable => hosts()
                .filter(|h| h.firewall.is_none() && h.nat.is_none())
                .filter(|h| plan.is_client(&h.name) || plan.ice_servers.iter().any(|s| s.host == h.name))
                .map(|h| Target::host(&h.name))
                .collect(),
            Self::Phone => hosts()
                .filter(|h| h.interfaces.len() > 1)
                .map(|h| Target::host(&h.name))
                .collect(),
            Self::Nat => plan.topology.nats.iter().map(|n| Target::nat(&n.name)).collect(),
            Self::IceServer => plan
                .ice_servers
                .iter()
                .map(|s| Target::ice_server(&s.host))
                .collect(),
            Self::Point => plan.fault_points.iter().map(|p| Target::point(p)).collect(),
            Self::Signaling => plan.signaling.iter().map(|_| Target::Signaling).collect(),
            Self::Push => {
                let pushes = plan.signaling.iter().filter_map(|s| s.push.as_ref());
                pushes.map(|_| Target::Signaling).collect()
            }
        }
    }
}

/// The lifetime of faults of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Span {
    /// They happen at `from_ms`, and there is no `until_ms`.
    Moment,
    /// They last until `until_ms`, at most until the healing; without `until_ms`, until the healing.
    ChaosPhase,
    /// Same as the chaos phase, but without `until_ms` they last for good, which no healing mends.
    MayStay,
    /// They last for good and there is no `until_ms`; the healing does not affect them, and they may come after it.
    ForGood,
}

impl Span {
    /// Describes the lifetime in words.
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Moment => "a moment, `from_ms`",
            Self::ChaosPhase => "`from_ms` to `until_ms`, at most until the healing",
            Self::MayStay => {
                "`from_ms` to `until_ms`, at most until the healing; without `until_ms` for good"
            }
            Self::ForGood => "from `from_ms` for good, also after the healing",
        }
    }

    /// Returns when a fault with `from` and `until` begins and ends in a run that heals at `heal_at`; no end means for
    /// good. `None` if it never begins.
    pub fn cut(
        self,
        from: SimTime,
        until: Option<SimTime>,
        heal_at: Option<SimTime>,
    ) -> Option<(SimTime, Option<SimTime>)> {
        if self == Self::ForGood {
            return Some((from, None));
        }
        if heal_at.is_some_and(|healed| from >= healed) {
            return None;
        }
        let cut = |until: SimTime| heal_at.map_or(until, |healed| until.min(healed));
        Some(match self {
            Self::Moment => (from, Some(from)),
            Self::ChaosPhase => (from, until.map(cut).or(heal_at)),
            Self::MayStay | Self::ForGood => (from, until.map(cut)),
        })
    }
}

/// The properties that all faults of a kind share.
#[derive(Debug)]
pub struct KindSpec {
    /// The name, as in plans: `one-way-partition`.
    pub name: &'static str,
    /// The effect, in a sentence.
    pub about: &'static str,
    /// The targets; the kind can hit worlds that have one.
    pub befalls: Befalls,
    /// The parameters with units and limits; empty if there are none.
    pub parameters: &'static str,
    /// The lifetime of the faults.
    pub span: Span,
    /// The marks for a fault of the kind that took effect.
    pub marks: &'static [&'static str],
    /// Draws faults of the kind for the world of a plan: none if it has no target. A drawn fault that does not fit the
    /// faults already there is discarded.
    pub draw: fn(&mut Stream, &Plan) -> Vec<Fault>,
}

/// The behaviour of a fault. The implementing value holds the parameters.
pub trait Behaviour {
    /// Describes the fault in words, with its target and time, without its number.
    fn describe(&self, fault: &Fault) -> String;

    /// Checks the fault `fault`, which comes after `before` in `plan`. Its target and its lifetime have been checked
    /// already.
    ///
    /// # Errors
    /// Returns the path of the offending field within the fault, and how to mend it: `target: …`.
    fn check(&self, _fault: &Fault, _before: &[Fault], _plan: &Plan) -> Result<(), String> {
        Ok(())
    }

    /// Sets the state of the world before the fault begins, if the fault needs another one.
    fn prepare(&self, _: &InForce<'_>, _: &mut Controls<'_, '_>) {}

    /// Begins the fault.
    fn begin(&self, at: &InForce<'_>, world: &mut Controls<'_, '_>);

    /// Ends the fault. A momentary fault has no separate end.
    fn end(&self, at: &InForce<'_>, world: &mut Controls<'_, '_>) {
        world.lift(at.fault.id);
    }

    /// Returns the mark for `event`, in which the fault took effect.
    fn mark(&self, fault: &Fault, _event: &EventKind, _plan: &Plan) -> Option<&'static str> {
        fault.spec().marks.first().copied()
    }

    /// Returns the values that can be reduced to make the fault milder or simpler.
    fn lessen(&mut self) -> Vec<Lessen<'_>> {
        Vec::new()
    }

    /// Returns what the fault stops on its host while it is in force, if anything.
    fn stops(&self) -> Option<Stops> {
        None
    }

    /// Returns the address that the fault brings into the network, if any.
    fn brings(&self) -> Option<IpAddr> {
        None
    }
}

/// What a fault stops on its host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stops {
    /// The app, which goes on afterwards where it was.
    App,
    /// The life of the host, which begins another.
    Life,
}

impl Fault {
    /// Returns the specification of the kind.
    pub fn spec(&self) -> &'static KindSpec {
        self.kind.id().spec()
    }

    /// Describes the fault in words that do not depend on the rest of the plan.
    pub fn describe(&self) -> String {
        self.kind.behaviour().describe(self)
    }
}

/// A value of a fault that can be reduced.
#[derive(Debug)]
pub enum Lessen<'a> {
    /// Milliseconds, at least 1.
    Ms(&'a mut u64),
    /// A distribution of delays, which may become a constant.
    Latency(&'a mut Latency),
    /// A probability, at least 1 ppm.
    Share(&'a mut Ppm),
}

/// A fault at the time at which it begins or ends.
#[derive(Clone, Copy, Debug)]
pub struct InForce<'a> {
    /// The fault.
    pub fault: &'a Fault,
    /// The end; [`SimTime::MAX`] if it never ends.
    pub until: SimTime,
    /// All faults of the plan.
    pub all: &'a [Fault],
}

impl InForce<'_> {
    /// Applies `condition` to the fault's link.
    pub fn lay(&self, world: &mut Controls<'_, '_>, condition: &Condition) {
        if let Target::Link { name, directions } = &self.fault.target {
            world.lay(name, *directions, self.fault.id, condition);
        }
    }

    /// Changes the profile of the fault's link.
    pub fn reshape(
        &self,
        world: &mut Controls<'_, '_>,
        change: impl Fn(Direction, &mut LinkProfile) + Send + Sync + 'static,
    ) {
        self.lay(world, &Condition::Reshaped(std::sync::Arc::new(change)));
    }
}

/// Reports whether `target` is one direction of a link.
pub(super) fn is_one_way(target: &Target) -> bool {
    matches!(target, Target::Link { directions, .. } if *directions != Directions::Both)
}
