//! The calls that take place twice: what their plans are, and how often they are played and executed.
//!
//! A plan is drawn from a seed, as everywhere. What differs from case to case is a [`Shape`].

use sleet::{
    fault::{Act, Directions, Fault, Plan, Scripted, Stretch, When, ice_server_down, partition},
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

use crate::nat::{Input, Translation};

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
    /// Whether there is a TURN server too.
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
    /// What goes wrong at which time.
    pub faults: Vec<Fault>,
}

impl Default for Shape {
    fn default() -> Self {
        Self {
            naive: false,
            slow: UNORDERED.to_vec(),
            far: true,
            gates: [Translation::Masquerade; 2],
            input: [Input::Drop; 2],
            turn: false,
            ring_ms: 300,
            budget_ms: 6_000,
            loss: 0,
            duplicates: 0,
            reordered: 0,
            faults: Vec::new(),
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
    fn new(name: impl Into<String>, about: &'static str, shape: Shape) -> Self {
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
    fn crowded(self) -> Self {
        Self {
            side_by_side: 20,
            ..self
        }
    }

    /// A step of a sweep: less of each.
    fn few(self) -> Self {
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
        plan.ice_servers = vec![IceServerSpec {
            host: "stun".into(),
            turn: self.turn,
        }];
        let slow = |(step, least, most): &Slow| Stretch {
            host: "office".into(),
            step: (*step).into(),
            by: Latency::uniform_ms(*least, *most),
        };
        plan.stretch = self.slow.iter().map(slow).collect();
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
        plan
    }

    fn topology(&self) -> Topology {
        let link = |ms| self.link(ms);
        let mut alice = HostSpec::new("alice", "10.1.1.1", self.damaged(link(10)));
        let mut bob = HostSpec::new("bob", "10.1.2.1", link(15));
        let mut nats = Vec::new();
        let ends = [(&mut alice, "a", "198.18.1.1"), (&mut bob, "b", "198.19.1.1")];
        for (((host, name, external), gate), input) in ends.into_iter().zip(self.gates).zip(self.input) {
            match gate {
                Translation::Open => {}
                Translation::Firewall => host.firewall = Some(FirewallSpec::STRICT),
                Translation::Masquerade | Translation::FullyRandom => {
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
            ..link
        }
    }
}

/// A NAT as Linux makes it.
fn linux(translation: Translation, input: Input) -> NatSpec {
    let fully_random = translation == Translation::FullyRandom;
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

/// Every case.
pub fn all() -> Vec<Case> {
    let mut all = policies();
    all.extend(gates());
    all.extend(links());
    all.extend(late_candidates());
    all.extend(dead_turn());
    all.extend(ringing());
    all
}

fn policies() -> Vec<Case> {
    let shape = |naive, far| Shape {
        naive,
        far,
        ..Shape::default()
    };
    let prompt = |far| Shape {
        slow: Vec::new(),
        ..shape(false, far)
    };
    vec![
        Case::new("policy/naive-near", "naive trickle, no wire", shape(true, false)),
        Case::new("policy/buffered-near", "buffered, no wire", shape(false, false)),
        Case::new("policy/naive", "naive trickle", shape(true, true)),
        Case::new("policy/buffered", "buffered", shape(false, true)),
        Case::new(
            "policy/prompt-near",
            "buffered, prompt server, no wire",
            prompt(false),
        ),
        Case::new("policy/prompt", "buffered, prompt server", prompt(true)),
    ]
}

fn gates() -> Vec<Case> {
    use Translation::{Firewall, FullyRandom, Masquerade, Open};

    let shape = |alice, bob| Shape {
        gates: [alice, bob],
        ..Shape::default()
    };
    let input = |alice, bob| Shape {
        input: [alice, bob],
        ..Shape::default()
    };
    let (drop, reject, accept) = (Input::Drop, Input::Reject, Input::Accept);
    let naive = |shape| Shape { naive: true, ..shape };
    let relay = Shape {
        turn: true,
        ..shape(FullyRandom, FullyRandom)
    };
    vec![
        Case::new(
            "nat/symmetric",
            "a new port for each destination at both ends",
            shape(FullyRandom, FullyRandom),
        )
        .crowded(),
        Case::new("nat/relay", "the same, with a TURN server", relay),
        Case::new(
            "nat/one-symmetric",
            "a new port for each destination at the caller",
            shape(FullyRandom, Masquerade),
        )
        .crowded(),
        Case::new(
            "nat/symmetric-to-open",
            "the same, and the callee is open to all",
            shape(FullyRandom, Open),
        ),
        Case::new(
            "nat/firewalls",
            "no NATs, but firewalls; naive trickle",
            naive(shape(Firewall, Firewall)),
        ),
        Case::new(
            "nat/open",
            "neither NATs nor firewalls; naive trickle",
            naive(shape(Open, Open)),
        ),
        Case::new(
            "nat/reject",
            "NATs that refuse what nobody asked for",
            input(reject, reject),
        ),
        Case::new(
            "nat/accept",
            "NATs that accept what nobody asked for",
            input(accept, accept),
        )
        .crowded(),
        Case::new(
            "nat/accept-caller",
            "the caller's NAT accepts it",
            input(accept, drop),
        ),
        Case::new(
            "nat/accept-callee",
            "the callee's NAT accepts it",
            input(drop, accept),
        ),
    ]
}

fn links() -> Vec<Case> {
    let cut = partition("alice", Directions::Both, DIALS_MS + 900, DIALS_MS + 1_700);
    vec![
        Case::new(
            "link/loss",
            "the caller's link loses 10 %",
            Shape {
                loss: 10,
                ..Shape::default()
            },
        ),
        Case::new(
            "link/disorder",
            "20 % of the caller's packets leave their place, 10 % come twice",
            Shape {
                duplicates: 10,
                reordered: 20,
                ..Shape::default()
            },
        ),
        Case::new(
            "link/blackout",
            "the caller's link is dark for 0.8 s while the call connects",
            Shape {
                faults: vec![cut],
                budget_ms: 10_000,
                ..Shape::default()
            },
        ),
    ]
}

/// Finding 0001: candidates that come late.
fn late_candidates() -> Vec<Case> {
    let late = |who: &str, ms: u64| {
        let step = match who {
            "caller" => "pass-on-ice-of-caller",
            _ => "pass-on-ice-of-callee",
        };
        let shape = Shape {
            slow: vec![(step, ms, ms)],
            budget_ms: 12_000,
            ..Shape::default()
        };
        let about = match who {
            "caller" => "the caller's candidates come late",
            _ => "the callee's candidates come late",
        };
        Case::new(format!("late/{who}-{ms}"), about, shape).few()
    };
    let caller = [500, 1_000, 1_300, 1_500, 1_700, 2_000, 3_000];
    let mut all: Vec<Case> = caller.into_iter().map(|ms| late("caller", ms)).collect();
    all.extend([1_500, 3_000].into_iter().map(|ms| late("callee", ms)));
    all
}

/// Finding 0008: the TURN server dies while the call is set up.
fn dead_turn() -> Vec<Case> {
    let dies = |after: u64| {
        let shape = Shape {
            turn: true,
            slow: Vec::new(),
            faults: vec![ice_server_down("stun", DIALS_MS + after, None)],
            budget_ms: 15_000,
            ..Shape::default()
        };
        let name = format!("dead-turn/{after}");
        Case::new(name, "the TURN server dies so long after dialing", shape).few()
    };
    [100, 300, 450, 550, 700, 900, 1_200]
        .into_iter()
        .map(dies)
        .collect()
}

/// Phones that ring for long.
fn ringing() -> Vec<Case> {
    let rings = |s: u64| {
        let shape = Shape {
            ring_ms: s * 1_000,
            slow: Vec::new(),
            budget_ms: s * 1_000 + 6_000,
            ..Shape::default()
        };
        let case = Case::new(
            format!("ringing/{s}"),
            "the callee picks up after so many seconds",
            shape,
        );
        case.few().crowded()
    };
    [20, 29, 31, 40].into_iter().map(rings).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::nat::Gate;

    #[test]
    fn every_case_has_a_plan_that_linux_can_execute() {
        let mut names = BTreeSet::new();
        for case in all() {
            let plan = case.plan(Seed(1));
            plan.check().unwrap_or_else(|e| panic!("{}: {e}", case.name));
            let inputs = case.shape.gates.into_iter().zip(case.shape.input);
            for (host, (wanted, input)) in ["alice", "bob"].into_iter().zip(inputs) {
                let gate = Gate::of(&plan, host, input).expect("Linux has it");
                assert_eq!(gate.translation, wanted, "{}", case.name);
            }
            assert!(names.insert(case.name.clone()), "{} is there twice", case.name);
        }
    }

    #[test]
    fn a_seed_decides_when_the_caller_dials() {
        let case = &all()[0];
        assert_eq!(case.plan(Seed(1)), case.plan(Seed(1)));
        assert_ne!(case.plan(Seed(1)).script, case.plan(Seed(2)).script);
    }
}
