//! What users do, drawn from the seed.

use sleet::{
    fault::{Act, Plan, Scripted, When},
    net::{
        firewall::FirewallSpec,
        latency::Latency,
        link::LinkProfile,
        topology::{HostSpec, Topology},
    },
    seed::{Ppm, Seed, Stream},
    swarm,
    trace::Point,
};

use crate::network::{answers, dials, story_a, stretch};

const HEAL_AT_MS: u64 = 6_000;
const BUDGET_MS: u64 = 20_000;
const PEOPLE: [&str; 9] = [
    "alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan",
];

/// The network.
fn stage(seed: Seed, people: usize) -> Plan {
    let mut draws = seed.stream("calls/stage");
    let mut hosts: Vec<HostSpec> = PEOPLE[..people]
        .iter()
        .enumerate()
        .map(|(i, name)| {
            HostSpec::new(name, &format!("10.{}.0.1", i + 1), link(draws.between(8, 40)))
                .behind(FirewallSpec::STRICT)
        })
        .collect();
    hosts.push(HostSpec::new("server", "10.99.0.1", link(2)));
    let mut plan = story_a(seed);
    plan.signaling.acknowledged = true;
    Plan {
        topology: Topology::new(hosts),
        stretch: [
            ("create-peer", 0, 5),
            ("create-offer", 0, 10),
            ("create-answer", 0, 10),
            ("send-description", 0, 10),
            ("send", 0, 5),
            ("set-local", 0, 40),
            ("set-remote", 0, 15),
            ("add-candidate", 0, 5),
            ("callback", 0, 20),
            ("close", 0, 20),
        ]
        .map(|(step, min, max)| stretch(step, min, max))
        .into(),
        script: Vec::new(),
        heal_at_ms: HEAL_AT_MS,
        budget_ms: BUDGET_MS,
        horizon_ms: 90_000,
        ..plan
    }
}

fn link(ms: u64) -> LinkProfile {
    LinkProfile {
        jitter: Latency::uniform_ms(0, 5),
        ..LinkProfile::good(Latency::constant_ms(ms))
    }
}

fn acts(host: &str, when: When, act: Act) -> Scripted {
    Scripted {
        host: host.into(),
        when,
        act,
    }
}

fn hangs_up(host: &str, call: &str, when: When) -> Scripted {
    acts(host, when, Act::Hangup { call: call.into() })
}

/// Alice dials bob; somebody hangs up somewhere; alice dials again.
pub fn rapid(seed: Seed) -> Plan {
    let mut plan = stage(seed, 2);
    let mut draws = seed.stream("calls/rapid");
    plan.script = vec![dials("alice", "bob", "c1", 300), answers("bob", draws.between(50, 900))];
    let point = Point::ALL[draws.below(16) as usize];
    let who = ["alice", "bob"][draws.below(2) as usize];
    let after_ms = [0, 0, draws.between(0, 30)][draws.below(3) as usize];
    plan.script.push(hangs_up(who, "c1", When::Reached { point, after_ms }));
    plan.script.push(acts(
        "alice",
        When::Over {
            after_ms: draws.between(0, 5),
        },
        Act::Redial {
            call: "c1".into(),
            again: "c2".into(),
        },
    ));
    plan
}
