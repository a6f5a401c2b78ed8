//! The common setup of the plans of calls: clients behind firewalls, a signaling service that reorders messages, a bad
//! network; and helpers for acts.

use std::collections::BTreeSet;

use sleet::{
    net::firewall::FirewallSpec, prelude::*, seed::Stream, servers::IceServerSpec, swarm, swarm::Kind,
};

use crate::network::{link, slow_step, story_a};

/// The end of the chaos phase, in milliseconds.
const HEAL_AT_MS: u64 = 6_000;
/// The budget of a call from then on, in milliseconds: signaling may have to be found again (8 s), and an attempt under
/// way may be given up twice.
const BUDGET_MS: u64 = 25_000;

/// The names of all users: alice first.
pub(super) const PEOPLE: [&str; 9] = [
    "alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan",
];

/// The kinds of fault that the network may have. The plans themselves add faults that outlast the chaos phase, and slow
/// steps.
const FAULTS: [Kind; 12] = [
    Kind::Loss,
    Kind::Duplicate,
    Kind::Reorder,
    Kind::OneWayPartition,
    Kind::Partition,
    Kind::Hold,
    Kind::TcpReset,
    Kind::SignalDelay,
    Kind::SignalDrop,
    Kind::SignalDuplicate,
    Kind::SignalingReset,
    Kind::ServerRestart,
];

/// Returns a plan with the first `people` users.
pub(super) fn plan_of(seed: Seed, people: usize) -> Plan {
    plan_for(seed, &PEOPLE[..people])
}

/// Returns a plan with `people`, each behind a firewall, and a signaling service that reorders messages. Every step
/// takes a while, so that users, messages and callbacks come in between.
pub(super) fn plan_for(seed: Seed, people: &[&str]) -> Plan {
    let mut draws = seed.stream("calls/stage");
    let person = |(i, name): (usize, &&str)| {
        let address = format!("10.{}.0.1", i + 1);
        HostSpec::new(name, &address, link(draws.between(8, 40))).behind(FirewallSpec::STRICT)
    };
    let mut hosts: Vec<HostSpec> = people.iter().enumerate().map(person).collect();
    hosts.push(HostSpec::new("server", "10.99.0.1", link(2)));
    let steps = [
        ("create-peer", 5),
        ("create-offer", 10),
        ("create-answer", 10),
        ("send-description", 10),
        ("send", 20),
        ("set-local", 40),
        ("set-remote", 15),
        ("add-candidate", 5),
        ("callback", 40),
        ("recover", 20),
        ("close", 30),
    ];
    let mut plan = story_a(seed);
    plan.service().acknowledged = true;
    Plan {
        topology: Topology::new(hosts),
        slow_steps: steps.map(|(step, most)| slow_step(step, 0, most)).into(),
        script: Vec::new(),
        budget_ms: BUDGET_MS,
        horizon_ms: 90_000,
        ..plan
    }
}

/// Adds faults of the swarm to `plan`, on half of the seeds.
pub(super) fn unsettled(seed: Seed, plan: Plan) -> Plan {
    if seed.stream("calls/weather").chance(Ppm::percent(50)) {
        return plan;
    }
    let mut kinds: BTreeSet<Kind> = swarm::kinds(seed);
    kinds.retain(|kind| FAULTS.contains(kind));
    let plan = Plan {
        heal_at_ms: HEAL_AT_MS,
        ..plan
    };
    swarm::brew(seed, &kinds, plan)
}

pub(super) fn acts(host: &str, when: When, act: Act) -> Scripted {
    let host = host.into();
    Scripted { host, when, act }
}

pub(super) fn hangs_up(host: &str, call: &str, when: When) -> Scripted {
    acts(host, when, Act::Hangup { call: call.into() })
}

pub(super) fn redials(host: &str, call: &str, again: &str, after_ms: u64) -> Scripted {
    let (call, again) = (call.into(), again.into());
    acts(host, When::Over { after_ms }, Act::Redial { call, again })
}

pub(super) fn dials_group(group: &str, to: &[&str], ms: u64) -> Scripted {
    let to = to.iter().map(ToString::to_string).collect();
    let group = group.into();
    acts("alice", When::At { ms }, Act::DialGroup { group, to })
}

pub(super) fn one_of<T: Clone>(draws: &mut Stream, all: &[T]) -> T {
    all[draws.below(all.len() as u64) as usize].clone()
}

/// Returns the TURN server of plans that have one.
pub(super) fn turn() -> IceServerSpec {
    let host = "turn".into();
    IceServerSpec { host, turn: true }
}
