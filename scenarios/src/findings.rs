//! Known defects of the stack, shown on every seed. Each has a page in docs/findings.

use sleet::{
    fault::Plan,
    net::latency::Latency,
    oracle::{calls::CONNECTS, candidates::APPLIED},
    scenario::{Kind, Scenario},
    seed::Seed,
};

use crate::{
    client::{Policy, policy::Receive},
    network::story_a,
    story,
};

/// The scenarios of the family.
pub fn family() -> Vec<Scenario> {
    let buffered = Policy::NAIVE.receiving(Receive::Buffer);
    vec![
        late_candidates("late-candidates", buffered),
        late_candidates("late-candidates-bare", buffered.bare()),
    ]
}

/// Every candidate is buffered and delivered, but the caller's reach the callee long after she began to check.
fn late_candidates(name: &str, policy: Policy) -> Scenario {
    let story = move |sim, plan| story::calls(sim, plan, policy);
    Scenario::new(Kind::Finding, &format!("findings/{name}"), seconds_late, story)
        .about("Candidates that come seconds after the other side began to check never connect, though all are applied.")
        .from("docs/findings/0001-late-candidates.md")
        .from("RFC 8445 section 7.3.1.4")
        .holds(&[&APPLIED])
        .trips(&CONNECTS, 1)
}

/// The story network beyond its bound: alice takes five seconds over each candidate.
fn seconds_late(seed: Seed) -> Plan {
    let mut plan = story_a(seed);
    for stretch in plan.stretch.iter_mut().filter(|s| s.step == "send-candidate") {
        stretch.host = "alice".into();
        stretch.by = Latency::constant_ms(5_000);
    }
    plan.budget_ms = 40_000;
    plan.horizon_ms = 90_000;
    plan
}
