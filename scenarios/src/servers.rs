//! STUN and TURN servers that go down before, while and after they are needed.

use std::time::Duration;

use sleet::{fault::ice_server_down, prelude::*};

use crate::{
    client::{Make, Policy, policy::ReceivePolicy},
    fixture::played,
    nat::{put_behind, quiet},
    patience::budget_ms,
};

/// The number of seeds needed to judge the marks: each is reached on every seed.
const ANY: u64 = 1;
/// The time that the caller's client waits for an answer, and then for the connection.
const PATIENCE: Duration = Duration::from_secs(6);
/// The budget of a relayed call when its relay is gone, in milliseconds: 42 s. ICE reports that, and then an attempt may be given up
/// before the one that nothing disturbs.
const BUDGET_MS: u64 = budget_ms(1, 2, PATIENCE);
/// The time at which both sides have their allocations and the first of them has begun to check, in milliseconds.
const CHECKING_MS: u64 = 600;

const CLIENT: Policy = Policy::NAIVE.receiving(ReceivePolicy::Buffer);

/// Returns the scenarios of the family, and the findings that belong to it.
pub fn family() -> Vec<Scenario> {
    let mut all = Vec::new();
    for (suffix, client) in [("", CLIENT.full()), ("-bare", CLIENT.bare())] {
        let recovering = client.recovering(PATIENCE);
        all.extend([
            promise(&format!("stun-dead{suffix}"), client, |seed| dies(seed, false, 0))
                .about("The STUN server is dead from the beginning: a call that can go without it connects.")
                .holds(&[&TEAR_01_CLOSES, &TEAR_02_NOTHING_LEFT]),
            promise(&format!("turn-dead{suffix}"), client, |seed| dies(seed, true, 0))
                .about("The TURN server is dead from the beginning: a call that can go without it connects.")
                .from("docs/findings/0008-dead-turn.md"),
            promise(&format!("turn-dies-later{suffix}"), client, |seed| dies(seed, true, 5_000))
                .about("The TURN server dies while they talk without it: nothing happens, and closing ends.")
                .holds(&[&TEAR_01_CLOSES, &TEAR_02_NOTHING_LEFT]),
            promise(&format!("turn-restarts{suffix}"), recovering, restarts)
                .about("The relay of a call restarts while they talk: the call connects again by recovery, and nothing of the relay's old life is left.")
                .holds(&[&TEAR_01_CLOSES, &TEAR_02_NOTHING_LEFT, &CONN_02_OUTLIVES, &REACH_01_AS_COMPUTED])
                .reaches(&["attempt-recovered"], ANY),
            finding(&format!("dead-turn-checks{suffix}"), client, &CONN_01_CONNECTS, at_first_check)
                .about("The TURN server dies after gathering: checks that need no relay wait eight seconds for it."),
            finding(&format!("dead-turn-close{suffix}"), client, &TEAR_01_CLOSES, |seed| Plan {
                budget_ms: 10_000,
                ..at_first_check(seed)
            })
            .about("The TURN server dies after gathering: closing waits for it."),
            finding(&format!("dead-turn-gathering{suffix}"), client, &TEAR_05_STACK_ENDS, |seed| dies(seed, true, 0))
                .about("The TURN server is dead: gathering outlives the peer that was closed."),
        ]);
    }
    all
}

fn promise(name: &str, app: impl Into<Make>, network: fn(Seed) -> Plan) -> Scenario {
    scenario(Kind::Promise, &format!("servers/{name}"), app, network)
        .holds(&[
            &CONN_01_CONNECTS,
            &STATE_01_EDGES,
            &STATE_02_COMPUTED,
            &STATE_04_TURNS,
        ])
        .reaches(&["ice-server-down-hit"], ANY)
}

fn finding(name: &str, app: impl Into<Make>, breaks: &'static Oracle, network: fn(Seed) -> Plan) -> Scenario {
    scenario(Kind::Finding, &format!("findings/{name}"), app, network)
        .from("docs/findings/0008-dead-turn.md")
        .expects(Expectation::broken(breaks, 1))
}

fn scenario(kind: Kind, name: &str, app: impl Into<Make>, network: fn(Seed) -> Plan) -> Scenario {
    played(kind, name, network, app)
        .from("docs/hazards.md#17-a-turn-server-that-is-dead")
        .holds(&[&CAND_01_APPLIED, &CAND_02_OWN_GENERATION])
}

/// The server goes down for good, on an open network, where no client needs it.
fn dies(seed: Seed, turn: bool, from_ms: u64) -> Plan {
    let plan = quiet(seed, turn);
    Plan {
        faults: vec![ice_server_down("relay", from_ms, None)],
        heal_at_ms: from_ms + 1,
        // A client that connects early still talks when the server goes down.
        talk_ms: from_ms + 2_000,
        ..plan
    }
}

/// The TURN server goes down when checks begin, on an open network.
fn at_first_check(seed: Seed) -> Plan {
    Plan {
        budget_ms: 5_000,
        ..dies(seed, true, CHECKING_MS)
    }
}

/// Both are behind symmetric NATs: only the relay carries the call, and it restarts while they talk.
fn restarts(seed: Seed) -> Plan {
    let mut plan = quiet(seed, true);
    put_behind(&mut plan, "alice", "203.0.113.1", NatSpec::symmetric());
    put_behind(&mut plan, "bob", "198.51.100.1", NatSpec::symmetric());
    plan.service().acknowledged = true;
    let mut draws = seed.stream("plan/servers");
    let from_ms = draws.between(5_000, 9_000);
    let until_ms = from_ms + draws.between(100, 3_000);
    Plan {
        faults: vec![ice_server_down("relay", from_ms, Some(until_ms))],
        heal_at_ms: until_ms,
        budget_ms: BUDGET_MS,
        talk_ms: until_ms + BUDGET_MS + 1_000,
        horizon_ms: 120_000,
        ..plan
    }
}
