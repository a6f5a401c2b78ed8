//! Tests of the harness itself: clients that do what no client should. Hidden from suites.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use sleet::{
    fault::Plan,
    oracle::runs::{BOUNDED, NO_PANIC},
    scenario::{Kind, Scenario},
    seed::Seed,
};

use crate::network::story_a;

/// The scenarios of the family.
pub fn family() -> Vec<Scenario> {
    vec![
        Scenario::new(Kind::Selftest, "selftest/panics", short, |sim, _| async move {
            sim.host("alice").spawn("panics", async { panic!("on purpose") });
            sim.sleep(Duration::from_millis(10)).await;
        })
        .about("A task of alice panics.")
        .from("DESIGN 6")
        .tripping(NO_PANIC.id),
        Scenario::new(
            Kind::Selftest,
            "selftest/never-ends",
            short,
            |sim, _| async move {
                sim.host("bob").spawn("orphan", std::future::pending::<()>());
                std::future::pending().await
            },
        )
        .about("A story that never ends is stopped at its horizon, and what was pending is named.")
        .from("DESIGN 3, trap 11")
        .tripping(BOUNDED.id),
        Scenario::new(Kind::Selftest, "selftest/spins", short, |_, _| async {
            loop {
                tokio::task::yield_now().await;
            }
        })
        .about("A loop that passes no time is stopped by the cap on work.")
        .from("DESIGN 3, trap 11")
        .tripping(BOUNDED.id),
        Scenario::new(
            Kind::Selftest,
            "selftest/nondeterministic",
            short,
            |sim, _| async move {
                static RUNS: AtomicU64 = AtomicU64::new(0);
                sim.step("first", "equal in every run");
                sim.step(
                    "second",
                    format!("run {} of this process", RUNS.fetch_add(1, Relaxed)),
                );
            },
        )
        .about("A client that keeps state across runs is caught.")
        .from("DESIGN 4"),
    ]
}

fn short(seed: Seed) -> Plan {
    Plan {
        budget_ms: 1_000,
        horizon_ms: 5_000,
        ..story_a(seed)
    }
}
