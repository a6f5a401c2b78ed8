//! What the calls are like that take place twice: their plans, and how often they are played and executed.
//!
//! A plan is drawn from a seed, as everywhere. What differs from case to case is a [`Shape`]; which there are, the
//! [catalogue](crate::catalogue) says.

use sleet::{
    fault::{Act, Fault, FaultKind, Plan, Scripted, SlowStep, When},
    net::{
        firewall::{Filtering, FirewallSpec},
        latency::Latency,
        link::LinkProfile,
        nat::{Mapping, NatSpec},
        topology::{HostSpec, Topology},
    },
    seed::{Ppm, Seed},
    servers::IceServerSpec,
};

use crate::{
    nat::{Input, Translation},
    world::Network,
};

/// When the caller dials, in milliseconds since both phones are switched on.
pub const DIALS_MS: u64 = 500;
/// Every letter takes 0 to 400 ms in the server, each for itself.
const UNORDERED: &[Slow] = &[
    ("pass-on-invite", 0, 400),
    ("pass-on-accept", 0, 400),
    ("pass-on-ice-of-caller", 0, 400),
    ("pass-on-ice-of-callee", 0, 400),
];

/// A step of the server, and the least and the most that it takes, in milliseconds.
pub type Slow = (&'static str, u64, u64);

/// What a case is like.
#[derive(Clone, Debug)]
pub struct Shape {
    /// Whether phones give candidates to the stack as they come.
    pub naive: bool,
    /// Which steps of the server take time.
    pub slow: Vec<Slow>,
    /// Whether there is a wire: 10 and 15 ms to the clients and 2 ms to the servers, each way, and up to 5 ms of jitter, in order.
    pub far: bool,
    /// What the caller and the callee are behind.
    pub gates: [Translation; 2],
    /// What their NATs do with what nobody asked for.
    pub input: [Input; 2],
    /// Whether there is a STUN server.
    pub stun: bool,
    /// Whether it is a TURN server too.
    pub turn: bool,
    /// How long the callee's phone rings, in milliseconds.
    pub ring_ms: u64,
    /// How long a call may take to connect, from dialing on, in milliseconds.
    pub budget_ms: u64,
    /// How many of the datagrams of the caller's link are lost, either way, in percent.
    pub loss: u32,
    /// How many of them come twice, in percent.
    pub duplicates: u32,
    /// How many of them leave their place, by up to 30 ms, in percent.
    pub reordered: u32,
    /// How many of them have a bit flipped, and how many lose their end, in percent each.
    pub damaged: u32,
    /// What goes wrong at which time.
    pub faults: Vec<Fault>,
    /// What happens, and what counts as well.
    pub story: Story,
}

/// What happens to a call, and what counts as well.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Story {
    /// It is dialed once. Well is a call that connects within the budget; what is measured is how long that takes.
    #[default]
    Connects,
    /// Calls are dialed and hung up by the caller, one after the other. Well is a round of which nothing is left; what is
    /// measured is how long after the last hangup the last socket was gone.
    HungUp(Hangups),
    /// It connects, and then something goes wrong. Well is a call that neither end gives up for so long, in milliseconds; what is
    /// measured is when an end gave up, from then on.
    Lasts {
        /// So long.
        ms: u64,
    },
    /// It connects, and the caller looks for ways to reach each other anew. Well is a call that connects again in time; what is
    /// measured is how long that takes.
    Restarts {
        /// When the caller does, from dialing on, in milliseconds.
        at_ms: u64,
        /// How long it may take, in milliseconds.
        within_ms: u64,
    },
}

impl Story {
    /// The oracle that a call breaks which does not come out well.
    pub fn oracle(self) -> &'static str {
        match self {
            Self::Connects => "CONN-01",
            Self::Lasts { .. } | Self::Restarts { .. } => "CONN-02",
            Self::HungUp(_) => "TEAR-02",
        }
    }
}

/// Calls that are hung up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hangups {
    /// How many, one after the other.
    pub calls: u64,
    /// The least and the most that each lives, from dialing on, in milliseconds.
    pub after_ms: (u64, u64),
    /// How long after the last hangup it is looked what is left, in milliseconds.
    pub settle_ms: u64,
}

impl Default for Shape {
    fn default() -> Self {
        Self {
            naive: false,
            slow: UNORDERED.to_vec(),
            far: true,
            gates: [Translation::Masquerade; 2],
            input: [Input::Drop; 2],
            stun: true,
            turn: false,
            ring_ms: 300,
            budget_ms: 6_000,
            loss: 0,
            duplicates: 0,
            reordered: 0,
            damaged: 0,
            faults: Vec::new(),
            story: Story::Connects,
        }
    }
}

/// A case.
#[derive(Clone, Debug)]
pub struct Case {
    /// `family/name`.
    pub name: String,
    /// In a few words.
    pub about: &'static str,
    /// How many real calls.
    pub real: u64,
    /// How many simulated ones.
    pub simulated: u64,
    /// How many real calls take place side by side.
    pub side_by_side: u8,
    /// What it is like.
    pub shape: Shape,
}

impl Case {
    /// The case `name`: 200 real calls, ten at a time, and 1,000 simulated ones.
    pub fn new(name: impl Into<String>, about: &'static str, shape: Shape) -> Self {
        Self {
            name: name.into(),
            about,
            real: 200,
            simulated: 1_000,
            side_by_side: 10,
            shape,
        }
    }

    /// The same, where times are not compared, because hardly a call connects: more of them side by side.
    pub fn crowded(self) -> Self {
        Self {
            side_by_side: 20,
            ..self
        }
    }

    /// A step of a sweep: less of each.
    pub fn few(self) -> Self {
        Self {
            real: 20,
            simulated: 100,
            ..self
        }
    }

    /// The plan that `seed` draws.
    pub fn plan(&self, seed: Seed) -> Plan {
        self.shape.plan(seed)
    }
}

impl Shape {
    fn plan(&self, seed: Seed) -> Plan {
        let mut plan = Plan::new(self.topology());
        let server = IceServerSpec {
            host: "stun".into(),
            turn: self.turn,
        };
        plan.ice_servers = self.stun.then_some(server).into_iter().collect();
        let slow = |(step, least, most): &Slow| SlowStep {
            host: "office".into(),
            step: (*step).into(),
            by: Latency::uniform_ms(*least, *most),
        };
        plan.slow_steps = self.slow.iter().map(slow).collect();
        let user = |host: &str, when, act| Scripted {
            host: host.to_owned(),
            when,
            act,
        };
        let dial = Act::Dial {
            to: "bob".into(),
            call: "c1".into(),
        };
        // Where in a period of the stack's timers a user dials is chance.
        let ms = DIALS_MS + seed.stream("plan/reality").below(200);
        plan.script = vec![
            user("alice", When::At { ms }, dial),
            user("bob", When::Rung { ms: self.ring_ms }, Act::Answer),
        ];
        for fault in &self.faults {
            let late = ms - DIALS_MS;
            let mut fault = fault.clone();
            fault.from_ms += late;
            fault.until_ms = fault.until_ms.map(|until| until + late);
            plan.inject(fault);
        }
        plan.app = serde_json::json!({"trickle": if self.naive { "naive" } else { "buffered" }});
        // What is wrong with links and servers stays so: the network never heals before the call is over.
        plan.heal_at_ms = ms + self.budget_ms;
        plan.budget_ms = self.budget_ms;
        plan.horizon_ms = plan.heal_at_ms + self.budget_ms + 60_000;
        plan.talk_ms = 300;
        match self.story {
            Story::Connects => {}
            Story::Lasts { ms } => {
                let hits_ms = plan.faults.first().map_or(0, |fault| fault.from_ms);
                plan.talk_ms = hits_ms + ms;
                plan.horizon_ms += plan.talk_ms;
            }
            Story::HungUp(hangups) => hang_up(&mut plan, seed, hangups),
            Story::Restarts { at_ms, within_ms } => {
                let call = "c1".into();
                let when = When::At { ms: ms + at_ms };
                plan.script.push(user("alice", when, Act::Retry { call }));
                plan.talk_ms = within_ms;
                plan.horizon_ms += at_ms + within_ms;
            }
        }
        plan
    }

    fn topology(&self) -> Topology {
        let link = |ms| self.link(ms);
        let mut alice = HostSpec::new("alice", "10.1.1.1", self.damaged(link(10)));
        if self.switches() {
            alice = alice.interface(Network::Second.interface(), "10.1.11.1", self.damaged(link(10)));
        }
        let mut bob = HostSpec::new("bob", "10.1.2.1", link(15));
        let mut nats = Vec::new();
        let ends = [(&mut alice, "a", "198.18.1.1"), (&mut bob, "b", "198.19.1.1")];
        for (((host, name, external), gate), input) in ends.into_iter().zip(self.gates).zip(self.input) {
            match gate {
                Translation::Open => {}
                Translation::Firewall => host.firewall = Some(FirewallSpec::STRICT),
                Translation::Masquerade
                | Translation::FullyRandom
                | Translation::OwnPorts { .. }
                | Translation::OnTheWire(_) => {
                    host.nat = Some(name.to_owned());
                    nats.push((name, external, linux(gate, input)));
                }
            }
        }
        let office = HostSpec::new("office", "192.0.2.80", link(2)).serving();
        let stun = HostSpec::new("stun", "192.0.2.101", link(2));
        let topology = Topology::new([alice, bob, office, stun]);
        nats.into_iter().fold(topology, |t, (name, external, spec)| {
            t.with_nat(name, external, spec)
        })
    }

    /// Whether somebody's machine changes from one network to another.
    fn switches(&self) -> bool {
        let switches = |fault: &Fault| matches!(fault.kind, FaultKind::NetworkSwitch(_));
        self.faults.iter().any(switches)
    }

    fn link(&self, ms: u64) -> LinkProfile {
        if !self.far {
            return LinkProfile::good(Latency::NONE);
        }
        LinkProfile {
            jitter: Latency::uniform_ms(0, 5),
            ..LinkProfile::good(Latency::constant_ms(ms))
        }
    }

    fn damaged(&self, link: LinkProfile) -> LinkProfile {
        LinkProfile {
            loss: Ppm::percent(self.loss),
            duplicate: Ppm::percent(self.duplicates),
            reorder: Ppm::percent(self.reordered),
            reorder_by: Latency::uniform_ms(1, 30),
            corrupt: Ppm::percent(self.damaged),
            truncate: Ppm::percent(self.damaged),
            ..link
        }
    }
}

/// How long the driver of a simulated run takes from the end of the talk to the last look at what is left, in milliseconds.
const LAST_LOOK_MS: u64 = 3_500;

/// Has the caller hang up the call of `plan` and dial the next, and so on.
fn hang_up(plan: &mut Plan, seed: Seed, hangups: Hangups) {
    let mut draws = seed.stream("plan/reality/hangups");
    let Some(When::At { ms: mut at }) = plan.script.first().map(|first| first.when) else {
        return;
    };
    let alice = |ms, act| Scripted {
        host: "alice".to_owned(),
        when: When::At { ms },
        act,
    };
    plan.script.remove(0);
    for n in 1..=hangups.calls {
        let call = format!("c{n}");
        let to = "bob".to_owned();
        plan.script.push(alice(
            at,
            Act::Dial {
                to,
                call: call.clone(),
            },
        ));
        at += draws.between(hangups.after_ms.0, hangups.after_ms.1);
        plan.script.push(alice(at, Act::Hangup { call }));
        at += draws.between(300, 1_500);
    }
    // A network that heals would let a close that waits for it return.
    plan.heal_at_ms = at + hangups.settle_ms + plan.budget_ms;
    plan.talk_ms = hangups.settle_ms - LAST_LOOK_MS;
    plan.horizon_ms = plan.heal_at_ms + plan.budget_ms + plan.talk_ms + 60_000;
}

/// A NAT as Linux or the wire makes it.
fn linux(translation: Translation, input: Input) -> NatSpec {
    if let Translation::OnTheWire(spec) = translation {
        return spec;
    }
    let fully_random = translation == Translation::FullyRandom;
    if let Translation::OwnPorts { forgets_s } = translation {
        return NatSpec {
            port_preservation: false,
            port_parity: false,
            hairpinning: false,
            timeout_s: forgets_s,
            ..NatSpec::port_restricted()
        };
    }
    let mapping = match fully_random {
        true => Mapping::AddressAndPortDependent,
        false => Mapping::EndpointIndependent,
    };
    NatSpec {
        port_preservation: !fully_random,
        port_parity: false,
        hairpinning: false,
        timeout_s: 120,
        inbound_refresh: true,
        accepts_unsolicited: input == Input::Accept,
        ..NatSpec::of(mapping, Filtering::AddressAndPortDependent)
    }
}
