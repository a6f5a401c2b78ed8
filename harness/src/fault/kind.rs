//! What a kind of fault consists of. Whatever is said or done about faults follows from this, and from the registration.

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

/// Which things a kind befalls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Befalls {
    /// Links.
    Link,
    /// Single directions of links.
    LinkDirection,
    /// Hosts.
    Host,
    /// Hosts that people hold in their hands.
    Client,
    /// Hosts with several interfaces.
    Phone,
    /// NATs.
    Nat,
    /// STUN and TURN servers.
    IceServer,
    /// The signaling service.
    Signaling,
    /// Fault points of the app under test that the plan names.
    Point,
    /// The signaling service, where it wakes clients by push notifications.
    Push,
}

impl Befalls {
    /// What it is, in words.
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Link => "a link",
            Self::LinkDirection => "one direction of a link",
            Self::Host => "a host",
            Self::Client => "a client's host",
            Self::Phone => "a host with several interfaces",
            Self::Nat => "a NAT",
            Self::IceServer => "a STUN or TURN server",
            Self::Signaling => "the signaling service",
            Self::Point => "a fault point of the app",
            Self::Push => "a signaling service that wakes clients by push",
        }
    }

    /// How a plan names one.
    pub const fn schema(self) -> &'static str {
        match self {
            Self::Link => r#"{"link": {"name": "alice", "directions": "both"}}"#,
            Self::LinkDirection => r#"{"link": {"name": "alice", "directions": "up"}}"#,
            Self::Host | Self::Client | Self::Phone => r#"{"host": "alice"}"#,
            Self::Nat => r#"{"nat": "home"}"#,
            Self::IceServer => r#"{"ice-server": "relay"}"#,
            Self::Point => r#"{"point": "relay"}"#,
            Self::Signaling | Self::Push => r#""signaling""#,
        }
    }

    /// All that there are in the world of `plan`.
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

/// How long faults of a kind last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Span {
    /// They happen at `from_ms`, and there is no `until_ms`.
    Moment,
    /// They last until `until_ms`, and until the healing at the latest: without `until_ms`, until then.
    ChaosPhase,
    /// As those of the chaos phase, but without `until_ms` for good, which no healing mends.
    MayStay,
    /// They last for good and there is no `until_ms`; the healing is nothing to them, and they may come after it.
    ForGood,
}

impl Span {
    /// What it is, in words.
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

    /// When a fault that goes from `from` to `until` begins and ends in a run that heals at `heal_at`; no end is for
    /// good. Nothing, if it never begins.
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

/// Everything about a kind that is the same for all its faults.
#[derive(Debug)]
pub struct KindSpec {
    /// The name, as in plans: `one-way-partition`.
    pub name: &'static str,
    /// What it does, in a sentence.
    pub about: &'static str,
    /// What it befalls; it can hit the worlds that have such a thing.
    pub befalls: Befalls,
    /// Its parameters with units and limits; empty if it has none.
    pub parameters: &'static str,
    /// How long its faults last.
    pub span: Span,
    /// The marks that say that one of its faults struck something.
    pub marks: &'static [&'static str],
    /// Draws faults of the kind for the world of a plan: none where there is nothing that it can hit. What is drawn need not
    /// fit what is there already: that is thrown away.
    pub draw: fn(&mut Stream, &Plan) -> Vec<Fault>,
}

/// What a fault of some kind is and does. The value that implements it holds the parameters.
pub trait Behaviour {
    /// What it is, in words: with what it befalls and when, without its number.
    fn describe(&self, fault: &Fault) -> String;

    /// Says what is wrong with the fault `fault`, which comes after `before` in `plan`. That it befalls something that is
    /// there, and how long it lasts, has been checked.
    ///
    /// # Errors
    /// The path of the offending field within the fault, and how to mend it: `target: …`.
    fn check(&self, _fault: &Fault, _before: &[Fault], _plan: &Plan) -> Result<(), String> {
        Ok(())
    }

    /// Puts the world into the state that it has before the fault begins, where that is another one because of the fault.
    fn prepare(&self, _: &InForce<'_>, _: &mut Controls<'_, '_>) {}

    /// Begins.
    fn begin(&self, at: &InForce<'_>, world: &mut Controls<'_, '_>);

    /// Ends. A moment ends as it begins.
    fn end(&self, at: &InForce<'_>, world: &mut Controls<'_, '_>) {
        world.lift(at.fault.id);
    }

    /// The mark that `event` reaches, in which the fault struck something.
    fn mark(&self, fault: &Fault, _event: &EventKind, _plan: &Plan) -> Option<&'static str> {
        fault.spec().marks.first().copied()
    }

    /// What may be less, so that the fault is milder or simpler.
    fn lessen(&mut self) -> Vec<Lessen<'_>> {
        Vec::new()
    }

    /// The address that it brings into the network.
    fn brings(&self) -> Option<IpAddr> {
        None
    }
}

/// A value of a fault that may be less.
#[derive(Debug)]
pub enum Lessen<'a> {
    /// Milliseconds, 1 at least.
    Ms(&'a mut u64),
    /// A distribution of delays, that may be a constant.
    Latency(&'a mut Latency),
    /// How often something happens, 1 ppm at least.
    Share(&'a mut Ppm),
}

/// A fault at the time at which it begins or ends.
#[derive(Clone, Copy, Debug)]
pub struct InForce<'a> {
    /// The fault.
    pub fault: &'a Fault,
    /// When it ends; [`SimTime::MAX`] if it never does.
    pub until: SimTime,
    /// All faults of the plan.
    pub all: &'a [Fault],
}

impl InForce<'_> {
    /// Lays `condition` over the link that the fault befalls.
    pub fn lay(&self, world: &mut Controls<'_, '_>, condition: &Condition) {
        if let Target::Link { name, directions } = &self.fault.target {
            world.lay(name, *directions, self.fault.id, condition);
        }
    }

    /// Changes the profile of the link that the fault befalls.
    pub fn reshape(
        &self,
        world: &mut Controls<'_, '_>,
        change: impl Fn(Direction, &mut LinkProfile) + Send + Sync + 'static,
    ) {
        self.lay(world, &Condition::Reshaped(std::sync::Arc::new(change)));
    }
}

/// Whether a fault over `target` covers one direction only.
pub(super) fn is_one_way(target: &Target) -> bool {
    matches!(target, Target::Link { directions, .. } if *directions != Directions::Both)
}
