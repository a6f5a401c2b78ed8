//! A hostile network: strangers send to every open port of a call, before it connects and while they talk, and what was heard before
//! comes again.
//!
//! Nobody but the two ends knows the credentials of the call, so nothing of it may change: no path is taken over, no state moves,
//! nobody falls silent, nothing is left behind.

use sleet::{
    fault::{
        Stray,
        kinds::{FaultKind, Strangers},
    },
    prelude::*,
};

use crate::{
    client::{Make, Policy, policy::ReceivePolicy},
    defects,
    fixture::played,
    network::open,
};

/// The number of seeds after which a stranger was heard.
const ENOUGH: u64 = 20;
/// The interval of messages both ways, in milliseconds.
const TALKS_EVERY_MS: u64 = 200;
/// The number of times at which each host hears strangers.
const BURSTS: u64 = 10;
/// The time until which strangers send, in milliseconds: calls connect after 2 to 3 s.
const HOSTILE_MS: u64 = 12_000;
/// A time at which everybody is connected, in milliseconds.
const TALKING_MS: u64 = 6_000;
/// The longest that 95 % of the calls may be silent, in milliseconds.
const SILENT_MS: u64 = 1_000;

const CLIENT: Policy = Policy::NAIVE.receiving(ReceivePolicy::Buffer);

/// Returns the scenarios of the family.
pub fn family() -> Vec<Scenario> {
    vec![
        defects::of_noise(defects::of_full_peers(promise(
            "hostile/strangers",
            CLIENT.full(),
        ))),
        promise("hostile/strangers-bare", CLIENT.bare()),
        short_rtcp(),
    ]
}

/// The beginning of an RTCP packet, in the name of the other end.
fn short_rtcp() -> Scenario {
    let network = |seed| {
        let mut plan = strangers(seed);
        plan.faults.clear();
        let stranger = Strangers {
            from: "192.0.2.66".parse().expect("an address"),
            send: Stray::ShortRtcp,
            copies: 1,
        };
        plan.inject(Fault::new(Target::host("bob"), stranger, TALKING_MS, None));
        plan
    };
    played(Kind::Finding, "findings/short-rtcp", network, CLIENT.full())
        .about(
            "Somebody sends the first bytes of an RTCP packet in alice's name: a task of bob's stack panics.",
        )
        .from("docs/findings/0021-short-rtcp.md")
        .from("RFC 3711 section 3.4")
        .expects(Expectation::broken(&RUN_01_NO_PANIC, 1))
}

fn promise(name: &str, app: impl Into<Make>) -> Scenario {
    played(Kind::Promise, name, strangers, app)
        .about("Strangers send noise, checks and replays to every port of both phones: the call connects, and they talk on.")
        .from("RFC 8445 sections 7.3 and 19")
        .from("RFC 8489 sections 6.3 and 9.1.3")
        .holds(&[
            &CAND_01_APPLIED,
            &CAND_02_OWN_GENERATION,
            &CONN_01_CONNECTS,
            &TALK_01_TO_THE_END,
            &PAIR_01_MIRRORED,
            &CONS_01_ANSWERED,
        ])
        .holds(&[&STATE_01_EDGES, &STATE_02_COMPUTED, &STATE_04_TURNS])
        .holds(&[&TEAR_01_CLOSES, &TEAR_02_NOTHING_LEFT, &TEAR_05_STACK_ENDS])
        .reaches(&["strangers-hit", "talked-to-the-end"], ENOUGH)
        .within(SILENCE_MS, 95, SILENT_MS)
}

/// Two phones that anybody can send to, and strangers who do.
fn strangers(seed: Seed) -> Plan {
    let mut plan = Plan {
        heal_at_ms: HOSTILE_MS,
        talk_every_ms: Some(TALKS_EVERY_MS),
        ..open(seed)
    };
    plan.horizon_ms += HOSTILE_MS;
    let mut draws = seed.stream("plan/hostile");
    for host in ["alice", "bob"] {
        for burst in 0..BURSTS {
            let kind = FaultKind::from(Strangers {
                from: format!("192.0.2.{}", burst + 1).parse().expect("an address"),
                send: Stray::BEARABLE[draws.below(Stray::BEARABLE.len() as u64) as usize],
                copies: draws.between(1, 20),
            });
            let at_ms = draws.between(300, HOSTILE_MS);
            plan.inject(Fault::new(Target::host(host), kind, at_ms, None));
        }
    }
    plan
}
