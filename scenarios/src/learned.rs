//! Lessons from real networks ([docs/reality.md](../../docs/reality.md)): NATs that accept unsolicited packets, and
//! phones that ring for long.

use std::time::Duration;

use sleet::prelude::*;

use crate::{
    client::{Policy, policy::ReceivePolicy},
    fixture::played,
    nat::{put_behind, quiet},
};

/// The number of seeds needed for a judgement: it shows on every seed.
const ANY: u64 = 1;
/// The time that the caller's app waits before it begins another attempt: no agent has given up by then.
const PATIENCE: Duration = Duration::from_secs(15);

const CLIENT: Policy = Policy::NAIVE.receiving(ReceivePolicy::Buffer);

/// Returns the scenarios of the family.
pub fn family() -> Vec<Scenario> {
    let mut all = Vec::new();
    for (suffix, client) in [("", CLIENT.full()), ("-bare", CLIENT.bare())] {
        let recovering = client.recovering(PATIENCE);
        all.extend([
            played(Kind::Finding, &format!("findings/accepting-nat{suffix}"), |seed| accepting(seed, false), client)
                .about("Both NATs accept what nobody asked for: the first check to arrive changes the port of all that answer it.")
                .from("docs/findings/0019-accepting-nat.md")
                .from("RFC 4787 section 4.1")
                .holds(&[&CAND_01_APPLIED, &CAND_02_OWN_GENERATION])
                .expects(Expectation::broken(&CONN_01_CONNECTS, ANY)),
            played(Kind::Promise, &format!("nat/accepting-relayed{suffix}"), |seed| accepting(seed, true), client)
                .about("Both NATs accept what nobody asked for, and there is a TURN server: it carries the call.")
                .from("docs/findings/0019-accepting-nat.md")
                .holds(&[&CONN_01_CONNECTS, &CAND_01_APPLIED, &CAND_02_OWN_GENERATION, &TEAR_01_CLOSES, &TEAR_02_NOTHING_LEFT]),
            played(Kind::Promise, &format!("bindings/long-ringing{suffix}"), long_ringing, recovering)
                .about("The phone rings for a minute and is picked up: an app that begins anew while it rings connects.")
                .from("docs/reality.md#ringing")
                .holds(&[&CONN_01_CONNECTS, &CAND_02_OWN_GENERATION, &TEAR_01_CLOSES, &TEAR_02_NOTHING_LEFT]),
        ]);
    }
    all
}

/// Both are behind NATs that let in only answers, as Linux routers do, but accept unsolicited packets to themselves.
fn accepting(seed: Seed, turn: bool) -> Plan {
    let mut plan = quiet(seed, turn);
    let spec = NatSpec {
        accepts_unsolicited: true,
        ..NatSpec::port_restricted()
    };
    put_behind(&mut plan, "alice", "203.0.113.1", spec);
    put_behind(&mut plan, "bob", "198.51.100.1", spec);
    plan
}

/// Bob accepts after 29 to 60 s: from 30 s on an agent that got the remote description when it rang has failed.
fn long_ringing(seed: Seed) -> Plan {
    let mut plan = quiet(seed, false);
    for (host, external) in [("alice", "203.0.113.1"), ("bob", "198.51.100.1")] {
        put_behind(&mut plan, host, external, NatSpec::port_restricted());
    }
    let rings_ms = seed.stream("plan/long-ringing").between(29_000, 60_000);
    for scripted in plan.script.iter_mut().filter(|s| s.act == Act::Answer) {
        scripted.when = When::Rung { ms: rings_ms };
    }
    Plan {
        budget_ms: rings_ms + 30_000,
        horizon_ms: 180_000,
        ..plan
    }
}
