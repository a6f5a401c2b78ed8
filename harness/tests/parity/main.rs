//! The same code on tokio's own sockets over loopback and on the simulated ones inside a run.
//!
//! What an app's code sees must not depend on which of the two it imports. Nothing here judges how long anything takes.

use sleet::{
    net::{
        link::LinkProfile,
        topology::{HostSpec, Topology},
    },
    seed::Seed,
    trace::EventKind,
    world::{self, Ending, WorldSpec},
};

mod real {
    use tokio::net;

    include!("bodies.rs");
    include!("datagrams.rs");
}

mod simulated {
    use sleet::app::net;

    include!("bodies.rs");
    include!("datagrams.rs");
}

fn simulate(seed: u64) -> Ending {
    let solo = HostSpec::new("solo", "10.0.0.1", LinkProfile::default());
    let spec = WorldSpec::new(Seed(seed), Topology::new([solo]));
    let run = world::run(spec, |sim| async move {
        let solo = sim.host("solo");
        for (name, body) in simulated::STREAMS.iter().chain(simulated::DATAGRAMS) {
            let ended = solo.spawn(name, body()).await;
            sim.step(name, if ended.is_ok() { "ended" } else { "panicked" });
        }
        sim.sleep(std::time::Duration::from_secs(1)).await;
        solo.check_leaks(0);
    });
    run.expect("the run takes place")
}

#[test]
fn the_kernels_sockets_pass_every_body() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    for (name, body) in real::STREAMS.iter().chain(real::DATAGRAMS) {
        let ended = runtime.block_on(async { tokio::spawn(body()).await });
        assert!(ended.is_ok(), "{name}");
    }
}

#[test]
fn the_simulated_sockets_pass_every_body_and_leave_nothing() {
    let ending = simulate(1);
    let count = |text: &str| {
        let ended = |kind: &EventKind| matches!(kind, EventKind::Step { detail, .. } if detail == text);
        ending.trace.events.iter().filter(|e| ended(&e.kind)).count()
    };
    let panics: Vec<_> = ending
        .trace
        .events
        .iter()
        .filter(|e| matches!(e.kind, EventKind::Panicked { .. }))
        .collect();
    assert_eq!((count("panicked"), panics), (0, Vec::new()));
    assert_eq!(count("ended"), 35, "bodies that both kinds of socket pass");
    assert_eq!(real::STREAMS.len() + real::DATAGRAMS.len(), 35);
    let leak_check = ending.trace.events.iter().find_map(|e| match &e.kind {
        EventKind::LeakCheck { tasks, sockets, .. } => Some((tasks.clone(), sockets.clone())),
        _ => None,
    });
    assert_eq!(leak_check, Some((Vec::new(), Vec::new())));
}

#[test]
fn twice_the_same_bytes() {
    assert_eq!(simulate(7).trace.digest, simulate(7).trace.digest);
}
