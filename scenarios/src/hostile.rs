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
    seed::Stream,
};

use crate::{
    client::{Make, Policy, policy::ReceivePolicy},
    defects,
    fixture::played,
    nat::quiet,
    network::open,
    sweeps::behind,
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
        defects::of_noise(defects::of_full_peers(next_call(
            "hostile/next-call",
            CLIENT.full(),
        ))),
        next_call("hostile/next-call-bare", CLIENT.bare()),
        defects::of_noise(defects::of_full_peers(relayed("hostile/relayed", CLIENT.full()))),
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
    undisturbed(name, strangers, app)
        .about("Strangers send noise, checks and replays to every port of both phones: the call connects, and they talk on.")
        .holds(&[&CONS_01_ANSWERED, &PAIR_01_MIRRORED])
}

/// What was under way when a call ended comes in the next one.
fn next_call(name: &str, app: impl Into<Make>) -> Scenario {
    undisturbed(name, two_calls, app)
        .about("They talk, hang up and talk again, and datagrams of the first call come to the ports of the second.")
        .from("docs/hazards.md#packets-of-another-call")
        .holds(&[&PAIR_01_MIRRORED])
}

/// Strangers attack the TURN server over which a call goes.
fn relayed(name: &str, app: impl Into<Make>) -> Scenario {
    let scenario = undisturbed(name, attacked_relay, app)
        .about("Strangers send noise, requests and replays to every port of the TURN server over which the call goes: it goes on.")
        .from("RFC 8656 section 21");
    defects::of_relays(scenario)
}

fn undisturbed(name: &str, network: fn(Seed) -> Plan, app: impl Into<Make>) -> Scenario {
    played(Kind::Promise, name, network, app)
        .from("RFC 8445 sections 7.3 and 19")
        .from("RFC 8489 sections 6.3 and 9.1.3")
        .holds(&[
            &CAND_01_APPLIED,
            &CAND_02_OWN_GENERATION,
            &CONN_01_CONNECTS,
            &TALK_01_TO_THE_END,
        ])
        .holds(&[&STATE_01_EDGES, &STATE_02_COMPUTED, &STATE_04_TURNS])
        .holds(&[&TEAR_01_CLOSES, &TEAR_02_NOTHING_LEFT, &TEAR_05_STACK_ENDS])
        .reaches(&["strangers-hit", "talked-to-the-end"], ENOUGH)
        .within(SILENCE_MS, 95, SILENT_MS)
}

/// Two phones that anybody can send to, and strangers who do.
fn strangers(seed: Seed) -> Plan {
    let mut plan = hostile(open(seed));
    let mut draws = seed.stream("plan/hostile");
    for host in ["alice", "bob"] {
        attack(&mut plan, &mut draws, host, &Stray::BEARABLE);
    }
    plan
}

/// Two calls, one after the other.
fn two_calls(seed: Seed) -> Plan {
    let mut plan = hostile(open(seed));
    let mut draws = seed.stream("plan/next-call");
    let act = Act::Hangup { call: "c1".into() };
    plan.script.extend([
        Scripted {
            host: "alice".into(),
            when: When::At {
                ms: draws.between(3_000, 4_000),
            },
            act,
        },
        Scripted {
            host: "alice".into(),
            when: When::Over {
                after_ms: draws.between(0, 500),
            },
            act: Act::Redial {
                call: "c1".into(),
                again: "c2".into(),
            },
        },
    ]);
    for host in ["alice", "bob"] {
        attack(&mut plan, &mut draws, host, &[Stray::Earlier]);
    }
    plan
}

/// Both are behind symmetric NATs, so that the call goes over the TURN server.
fn attacked_relay(seed: Seed) -> Plan {
    let mut plan = hostile(behind(quiet(seed, true), NatSpec::symmetric()));
    attack(
        &mut plan,
        &mut seed.stream("plan/hostile"),
        "relay",
        &Stray::BEARABLE,
    );
    plan
}

/// Has them talk for as long as strangers send.
fn hostile(plan: Plan) -> Plan {
    Plan {
        heal_at_ms: HOSTILE_MS,
        talk_every_ms: Some(TALKS_EVERY_MS),
        horizon_ms: plan.horizon_ms + HOSTILE_MS,
        ..plan
    }
}

/// Adds strangers who send to `host` some of `what`, again and again.
fn attack(plan: &mut Plan, draws: &mut Stream, host: &str, what: &[Stray]) {
    for burst in 0..BURSTS {
        let kind = FaultKind::from(Strangers {
            from: format!("192.0.2.{}", burst + 101).parse().expect("an address"),
            send: what[draws.below(what.len() as u64) as usize],
            copies: draws.between(1, 20),
        });
        let at_ms = draws.between(300, HOSTILE_MS);
        plan.inject(Fault::new(Target::host(host), kind, at_ms, None));
    }
}
