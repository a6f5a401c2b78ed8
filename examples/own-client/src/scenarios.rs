//! Where the app is tried under Sleet, and what must hold there.

pub mod play;

use std::sync::Arc;

use sleet::{driver, prelude::*, servers::IceServerSpec};

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
        host("office", "203.0.113.1", 2).serving(),
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
        slow_steps: vec![SlowStep {
            host: "office".into(),
            step: "insert-call".into(),
            by: Latency::quantiles_ms(&[(0, 0), (80, 8), (100, 500)]),
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

/// The same, and the caller hangs up at any time: before it rings, while it rings or connects, or while they talk.
fn impatient(seed: Seed) -> Plan {
    let mut plan = two_phones(seed);
    let ms = seed.stream("plan/impatient").between(500, 5_000);
    plan.script.push(Scripted {
        host: "alice".into(),
        when: When::At { ms },
        act: Act::Hangup { call: "c1".into() },
    });
    plan
}

/// The same, and one of the two has them look for ways to reach each other anew while they talk. Candidates of that can overtake
/// the offer that they belong to, because the office is slow to pass it on.
fn restart(seed: Seed) -> Plan {
    let mut plan = two_phones(seed);
    let mut draws = seed.stream("plan/restart");
    let user = ["alice", "bob"][usize::from(draws.between(0, 1) == 1)];
    plan.script.push(Scripted {
        host: user.into(),
        when: When::At {
            ms: draws.between(3_500, 5_000),
        },
        act: Act::Retry { call: "c1".into() },
    });
    plan.slow_steps.push(SlowStep {
        host: "office".into(),
        step: "pass-on-restart".into(),
        by: Latency::quantiles_ms(&[(0, 0), (50, 5), (100, 500)]),
    });
    plan.talk_ms = 5_000;
    plan
}

fn scenario(kind: Kind, name: &str, trickle: Trickle, plan: fn(Seed) -> Plan) -> Scenario {
    let deployment = Arc::new(Deployment::of(Handset(trickle, None)).server("office", Office));
    Scenario::new(kind, name, plan, move |sim, plan| {
        driver::play(sim, plan, deployment.clone())
    })
}

/// What `own-sim` and `cargo test` offer.
pub fn catalogue() -> Catalogue {
    let naive = scenario(Kind::Demonstration, "own/naive", Trickle::Naive, two_phones)
        .about("Candidates overtake an invitation that the office is slow to write down, and are lost.")
        .expects(Expectation::broken(&CONN_01_CONNECTS, 100));
    let buffered = scenario(Kind::Promise, "own/buffered", Trickle::Buffered, two_phones)
        .about("Candidates wait for the invitation that they belong to.")
        .holds(&[
            &CONN_01_CONNECTS,
            &CAND_02_OWN_GENERATION,
            &CALL_01_AGREED,
            &REACH_01_AS_COMPUTED,
            &TEAR_02_NOTHING_LEFT,
        ])
        .reaches(&["early-candidate"], 100);
    let impatient = scenario(Kind::Promise, "own/impatient", Trickle::Buffered, impatient)
        .about("The caller hangs up at any time: both phones agree on what came of the call.")
        .holds(&[&INT_01_HEEDED, &CALL_01_AGREED, &TEAR_02_NOTHING_LEFT]);
    let restart_naive = scenario(Kind::Demonstration, "own/restart-naive", Trickle::Naive, restart)
        .about("Candidates overtake the restart that they belong to, and are added to the attempt before.")
        .expects(Expectation::broken(&CAND_02_OWN_GENERATION, 100));
    let restart = scenario(Kind::Promise, "own/restart", Trickle::Buffered, restart)
        .about("A restart while they talk: its candidates wait for the description that they belong to.")
        .holds(&[
            &CONN_01_CONNECTS,
            &CAND_02_OWN_GENERATION,
            &TALK_02_AUDIO,
            &CALL_01_AGREED,
            &TEAR_02_NOTHING_LEFT,
        ])
        .reaches(&["early-candidate", "ice-restarted"], 100);
    let all = [naive, buffered, impatient, restart_naive, restart].map(Arc::new);
    Catalogue::new(PROGRAM, all.into()).corpus(concat!(env!("CARGO_MANIFEST_DIR"), "/corpus"))
}
