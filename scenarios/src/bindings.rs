//! The lifetime of NAT mappings: candidates that are gathered now and used when the callee has woken up.
//!
//! Both are behind NATs that give every mapping a port of its own and let in only answers, so that a call needs the
//! server-reflexive candidates of both. The caller holds hers back until the callee has joined, who sleeps until a push
//! notification wakes him.

use std::time::Duration;

use sleet::prelude::*;

use crate::{
    client::{
        Make, Policy,
        policy::{ReceivePolicy, SendPolicy},
    },
    fixture::played,
    nat::{put_behind, quiet},
};

/// The number of seeds needed to judge the marks: each is reached on every seed.
const ANY: u64 = 1;
/// The time that the caller's client waits before it gathers again: shorter than any NAT's mapping lifetime.
const PATIENCE: Duration = Duration::from_secs(15);
/// The mapping lifetime of a hostile NAT, in seconds; RFC 4787 REQ-5 requires at least 120.
const SHORT_S: u64 = 30;
/// The recommended mapping lifetime, in seconds.
const LONG_S: u64 = 300;

const CLIENT: Policy = Policy::NAIVE
    .sending(SendPolicy::OnceJoined)
    .receiving(ReceivePolicy::Buffer);

/// Returns the scenarios of the family, and the findings that belong to it.
pub fn family() -> Vec<Scenario> {
    let mut all = Vec::new();
    for (suffix, client) in [("", CLIENT.full()), ("-bare", CLIENT.bare())] {
        let recovering = client.recovering(PATIENCE);
        let promise = |name: &str, app, lifetime_s| {
            scenario(
                Kind::Promise,
                &format!("bindings/{name}{suffix}"),
                app,
                lifetime_s,
            )
            .holds(&[&CONN_01_CONNECTS, &TEAR_01_CLOSES, &TEAR_02_NOTHING_LEFT])
            .reaches(&["push-woke-callee", "local-candidate-buffered"], ANY)
        };
        all.extend([
            promise("long-lived", client, LONG_S).about(
                "The callee wakes after most of a minute, and the NATs remember for five: buffered candidates connect.",
            ),
            promise("gathered-anew", recovering, SHORT_S)
                .about("The NATs forget after 30 s: a client that gathers anew while it waits connects.")
                .reaches(&["attempt-recovered"], ANY),
            scenario(
                Kind::Finding,
                &format!("findings/binding-expires{suffix}"),
                client,
                SHORT_S,
            )
            .about("The NATs forget after 30 s, and nothing keeps a candidate's binding alive until the callee wakes.")
            .from("docs/findings/0010-binding-expires.md")
            .expects(Expectation::broken(&CONN_01_CONNECTS, 1)),
        ]);
    }
    all
}

fn scenario(kind: Kind, name: &str, app: impl Into<Make>, lifetime_s: u64) -> Scenario {
    played(kind, name, move |seed| late_callee(seed, lifetime_s), app)
        .from("docs/stories.md#a-lost-candidates")
        .from("RFC 8445 sections 5.1.1.4 and 11")
        .holds(&[&CAND_01_APPLIED, &CAND_02_OWN_GENERATION, &STATE_01_EDGES])
}

/// Returns a plan in which bob wakes 35 to 55 s after the call, behind NATs with a mapping lifetime of `lifetime_s`.
fn late_callee(seed: Seed, lifetime_s: u64) -> Plan {
    let mut plan = quiet(seed, false);
    let spec = NatSpec {
        port_preservation: false,
        timeout_s: lifetime_s,
        ..NatSpec::port_restricted()
    };
    put_behind(&mut plan, "alice", "203.0.113.1", spec);
    put_behind(&mut plan, "bob", "198.51.100.1", spec);
    let wakes_ms = seed.stream("plan/bindings").between(35_000, 55_000);
    plan.service().push = Some(Latency::constant_ms(wakes_ms));
    plan.service().acknowledged = true;
    Plan {
        budget_ms: wakes_ms + 30_000,
        // A client that calls again while he sleeps sends more than one notification: all of them arrive.
        talk_ms: wakes_ms + 1_000,
        horizon_ms: 180_000,
        ..plan
    }
}
