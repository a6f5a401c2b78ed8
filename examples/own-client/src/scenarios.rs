//! Where the app is tried under Sleet, and what must hold there.

use std::sync::Arc;

use sleet::{
    driver::{self, Cast},
    fault::{Act, Plan, Scripted, Stretch, When},
    net::{
        latency::Latency,
        link::LinkProfile,
        nat::NatSpec,
        topology::{HostSpec, Topology},
    },
    oracle::{calls::CONNECTS, peers::NOTHING_LEFT},
    scenario::{Kind, Scenario},
    seed::Seed,
    servers::IceServerSpec,
};

use sleet_cli::Catalogue;

use crate::{
    phone::Trickle,
    sim::{Handset, Office},
};

/// How users call it.
const PROGRAM: &str = "cargo run --features sleet --bin own-sim --";

/// Two phones behind NATs, and an office whose database is slow now and then.
fn two_phones(seed: Seed) -> Plan {
    let mut draws = seed.stream("plan/two-phones");
    let host = |name, address, ms| HostSpec::new(name, address, LinkProfile::good(Latency::constant_ms(ms)));
    let topology = Topology::new([
        host("alice", "10.1.0.1", draws.between(8, 25)).inside("home"),
        host("bob", "10.2.0.1", draws.between(8, 25)).inside("hotel"),
        host("office", "203.0.113.1", 2),
        host("stun", "203.0.113.2", 2),
    ])
    .with_nat("home", "198.51.100.1", NatSpec::port_restricted())
    .with_nat("hotel", "198.51.100.2", NatSpec::port_restricted());
    let user = |host: &str, when, act| Scripted {
        host: host.to_owned(),
        when,
        act,
    };
    let dial = Act::Dial {
        to: "bob".into(),
        call: "c1".into(),
    };
    Plan {
        ice_servers: vec![IceServerSpec {
            host: "stun".into(),
            turn: false,
        }],
        stretch: vec![Stretch {
            host: "office".into(),
            step: "insert-call".into(),
            by: Latency::quantiles_ms(&[(0, 0), (90, 8), (100, 400)]),
        }],
        script: vec![
            user("alice", When::At { ms: 500 }, dial),
            user(
                "bob",
                When::Rung {
                    ms: draws.between(800, 1_500),
                },
                Act::Answer,
            ),
        ],
        ..Plan::new(topology)
    }
}

fn scenario(kind: Kind, name: &str, trickle: Trickle) -> Scenario {
    let cast = Arc::new(Cast::of(Handset(trickle)).server("office", Office));
    Scenario::new(kind, name, two_phones, move |sim, plan| {
        driver::play(sim, plan, cast.clone())
    })
}

/// What `own-sim` and `cargo test` offer.
pub fn catalogue() -> Catalogue {
    let naive = scenario(Kind::Demonstration, "own/naive", Trickle::Naive)
        .about("Candidates overtake an invitation that the office is slow to write down, and are lost.")
        .trips(&CONNECTS, 100);
    let buffered = scenario(Kind::Promise, "own/buffered", Trickle::Buffered)
        .about("Candidates wait for the invitation that they belong to.")
        .holds(&[&CONNECTS, &NOTHING_LEFT])
        .reaches(&["early-candidate"], 100);
    Catalogue::new(PROGRAM, vec![Arc::new(naive), Arc::new(buffered)])
        .corpus(concat!(env!("CARGO_MANIFEST_DIR"), "/corpus"))
}
