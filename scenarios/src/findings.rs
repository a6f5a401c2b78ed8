//! Known defects of the stack, shown on every seed. Each has a page in docs/findings.

use std::time::Duration;

use sleet::{
    fault::Plan,
    net::latency::Latency,
    oracle::{calls::CONNECTS, candidates::APPLIED, runs::NO_PANIC},
    scenario::{Kind, Scenario},
    seed::{Ppm, Seed},
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
        corrupted_hello(),
    ]
}

/// Datagrams are corrupted, as behind a middlebox that computes checksums anew, and the client tries again.
fn corrupted_hello() -> Scenario {
    let policy = Policy::NAIVE
        .receiving(Receive::Buffer)
        .recovering(Duration::from_secs(6));
    let story = move |sim, plan| story::calls(sim, plan, policy);
    // A finding shows on every seed; which bit is flipped is drawn, so this one shows on some.
    Scenario::new(Kind::Demonstration, "findings/corrupted-hello", corrupted, story)
        .about("A ClientHello with a flipped bit in the length of an extension makes a task of DTLS panic.")
        .from("docs/findings/0005-corrupted-client-hello.md")
        .from("RFC 6347 section 4.1.2.7")
        .tripping(NO_PANIC.id)
        .reaches(&["corrupt-hit"], 200)
}

/// The story network, where a bit of every second datagram is flipped.
fn corrupted(seed: Seed) -> Plan {
    let mut plan = story_a(seed);
    for interface in plan.topology.hosts.iter_mut().flat_map(|h| &mut h.interfaces) {
        interface.up.corrupt = Ppm::percent(30);
        interface.down.corrupt = Ppm::percent(30);
    }
    plan.heal_at_ms = 20_000;
    plan.horizon_ms = 60_000;
    plan
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
