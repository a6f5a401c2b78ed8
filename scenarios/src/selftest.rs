//! Tests of the harness itself: clients that do what no client should. Hidden from suites.
//!
//! The deadly ones take down or stop the process that runs them, which must be a worker; never run them in a test.

use std::{
    hint::{self, black_box},
    net::SocketAddr,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use sleet::{prelude::*, socket::UdpSocket};

use crate::network::story_a;

/// Returns the scenarios of the family.
pub fn family() -> Vec<Scenario> {
    vec![
        Scenario::new(Kind::Selftest, "selftest/panics", short, |sim, _| async move {
            sim.host("alice").spawn("panics", async { panic!("on purpose") });
            sim.sleep(Duration::from_millis(10)).await;
        })
        .about("A task of alice panics.")
        .from("docs/judging.md#outcomes-that-no-oracle-gives")
        .expects(Expectation::broken(&RUN_01_NO_PANIC, 1)),
        Scenario::new(
            Kind::Selftest,
            "selftest/breaks-invariant",
            short,
            |sim, _| async move {
                let breaks = async { sleet::always!(false, "on-purpose", "it is a test") };
                let _ = sim.host("alice").spawn("breaks", breaks).await;
            },
        )
        .about("A task of alice breaks an invariant that it states.")
        .from("docs/judging.md#outcomes-that-no-oracle-gives")
        .expects(Expectation::broken(&APP_01_INVARIANTS, 1)),
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
        .from("docs/judging.md#bounds")
        .expects(Expectation::broken(&RUN_02_BOUNDED, 1)),
        Scenario::new(Kind::Selftest, "selftest/spins", short, |_, _| async {
            loop {
                tokio::task::yield_now().await;
            }
        })
        .about("A loop that passes no time is stopped by the cap on work.")
        .from("docs/judging.md#bounds")
        .expects(Expectation::broken(&RUN_02_BOUNDED, 1)),
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
        .from("docs/judging.md#determinism"),
        Scenario::new(
            Kind::Selftest,
            "selftest/draws-nothing",
            |seed| {
                assert!(seed.0 != 1_000, "on purpose");
                short(seed)
            },
            |_, _| async {},
        )
        .about("The plan of one seed cannot be drawn: drawing it panics.")
        .from("docs/judging.md#outcomes-that-no-oracle-gives"),
        Scenario::new(Kind::Selftest, "selftest/dies-of-a-loss", unwalled, |sim, _| {
            hears(sim)
        })
        .about("Bob aborts his process when the one datagram that alice sends does not come.")
        .from("docs/judging.md#outcomes-that-no-oracle-gives"),
        deadly("aborts", abort, "A client aborts its process."),
        deadly(
            "overflows-stack",
            overflow_stack,
            "A client recurses without end.",
        ),
        deadly("busy-loop", spin, "A client loops without awaiting anything."),
        deadly("deadlocks", deadlock, "A client locks a mutex that it holds."),
        deadly("eats-memory", eat_memory, "A client allocates without end."),
    ]
}

/// The short plan without firewalls.
fn unwalled(seed: Seed) -> Plan {
    let mut plan = short(seed);
    plan.topology.hosts.iter_mut().for_each(|h| h.firewall = None);
    plan
}

/// Sends a datagram from alice, which bob must receive.
async fn hears(sim: Sim) {
    let socket = async |name: &str| {
        let host = sim.host(name);
        let address = SocketAddr::new(host.addresses()[0], 9);
        UdpSocket::bind(&host, address).await.expect("the port is free")
    };
    let (alice, bob) = (socket("alice").await, socket("bob").await);
    alice
        .send_to(b"hello", bob.local_addr())
        .await
        .expect("it is sent");
    let mut buffer = [0; 16];
    tokio::select! {
        _ = bob.recv_from(&mut buffer) => {}
        () = sim.sleep(Duration::from_secs(1)) => abort(),
    }
}

/// Creates a scenario in which alice does `deed` after a while.
fn deadly(name: &str, deed: fn(), about: &str) -> Scenario {
    let name = format!("selftest/{name}");
    Scenario::new(Kind::Selftest, &name, short, move |sim, _| async move {
        sim.sleep(Duration::from_millis(10)).await;
        sim.step("about to", "do what no client should");
        deed();
    })
    .about(about)
    .from("docs/judging.md#outcomes-that-no-oracle-gives")
    .deadly()
}

fn abort() {
    std::process::abort();
}

fn overflow_stack() {
    #[allow(unconditional_recursion, reason = "on purpose")]
    fn deeper(depth: u64) -> u64 {
        // Work after the recursive call, so that it cannot become a loop.
        black_box(deeper(black_box(depth) + 1)) + 1
    }
    black_box(deeper(0));
}

fn spin() {
    loop {
        hint::spin_loop();
    }
}

fn deadlock() {
    let mutex = Mutex::new(());
    let held = mutex.lock();
    drop(mutex.lock());
    drop(held);
}

/// Allocates until the limit is reached. Zeroed pages that are not touched cost the machine nothing, but count against
/// the limit.
fn eat_memory() {
    let mut eaten = Vec::new();
    loop {
        eaten.push(black_box(vec![0_u8; 16 << 20]));
    }
}

fn short(seed: Seed) -> Plan {
    Plan {
        budget_ms: 1_000,
        horizon_ms: 5_000,
        ..story_a(seed)
    }
}
