//! What one lost packet does that ought to do nothing: findings that sweeps made (docs/sweep.md).
//!
//! The client does not try again: what is lost here, the stack below it has to make up for, and does not.

use sleet::{
    fault::{Plan, ice_server_down},
    net::nat::NatSpec,
    oracle::{Oracle, calls::CONNECTS},
    scenario::{Kind, Scenario},
    seed::Seed,
};

use crate::{
    client::{Make, Policy, policy::Recovery},
    fixture::played,
    nat::quiet,
    sweeps::{behind, steady},
};

/// The client that keeps every call, but for trying again.
const ONCE: Policy = Policy {
    recover: Recovery::Never,
    ..Policy::FIXED
};

/// The scenarios of the family.
pub fn family() -> Vec<Scenario> {
    let mut all = Vec::new();
    for (suffix, app) in [("", ONCE.full()), ("-bare", ONCE.bare())] {
        all.push(
            finding(&format!("stun-asked-once{suffix}"), app, &CONNECTS, stun_begins_late)
                .about("The STUN server answers nothing for a tenth of a second: the caller has asked it once, and never learns her address.")
                .from("docs/findings/0014-stun-asked-once.md")
                .from("RFC 8489 section 6.2.1"),
        );
    }
    all
}

fn finding(name: &str, app: Make, breaks: &'static Oracle, network: fn(Seed) -> Plan) -> Scenario {
    played(Kind::Finding, &format!("findings/{name}"), network, app).trips(breaks, 1)
}

/// Both behind NATs that let in only whom they were sent to. The caller dials at 200 ms and gathers at once.
fn stun_begins_late(seed: Seed) -> Plan {
    let plan = steady(behind(quiet(seed, false), NatSpec::port_restricted()));
    Plan {
        faults: vec![ice_server_down("relay", 0, Some(300))],
        heal_at_ms: 300,
        budget_ms: 10_000,
        ..plan
    }
}
