//! Hosts that crash, start again, and stand still.

use std::{sync::Arc, time::Duration};

use sleet::{
    fault::{
        Fault, FaultKind, Target, Timeline,
        kinds::{HostCrash, HostPause},
    },
    net::{
        latency::Latency,
        link::LinkProfile,
        topology::{HostSpec, Topology},
    },
    seed::Seed,
    socket::{TcpListener, TcpStream, UdpSocket},
    time::SimTime,
    trace::{Cause, EventKind, FaultId, Trace},
    world::{self, Ending, Sim, WorldSpec},
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Two hosts 20 ms apart, of which bob suffers `fault` from 100 to 200 ms.
fn bob_suffers<F>(fault: impl Into<FaultKind>, story: impl FnOnce(Sim) -> F + Send + 'static) -> Ending
where
    F: Future<Output = ()> + Send + 'static,
{
    let link = LinkProfile::good(Latency::constant_ms(10));
    let topology = Topology::new([
        HostSpec::new("alice", "10.0.0.1", link.clone()),
        HostSpec::new("bob", "10.0.0.2", link),
    ]);
    let fault = Fault::new(Target::host("bob"), fault, 100, Some(200));
    let timeline = Timeline::new(vec![fault], None);
    let spec = WorldSpec::new(Seed(1), topology);
    world::run_under(spec, timeline, Arc::default(), story).expect("a run")
}

async fn until(sim: &Sim, ms: u64) {
    sim.sleep(SimTime::from_millis(ms) - sim.now()).await;
}

fn steps(trace: &Trace) -> Vec<(u64, &str)> {
    let steps = trace.events.iter().filter_map(|e| match &e.kind {
        EventKind::Step { step, .. } => Some((e.at.as_millis(), step.as_str())),
        _ => None,
    });
    steps.collect()
}

#[test]
fn a_crash_ends_every_task_and_socket_of_the_host_without_a_word() {
    let ending = bob_suffers(HostCrash {}, |sim| async move {
        let (alice, bob) = (sim.host("alice"), sim.host("bob"));
        let to = alice.addresses()[0];
        let ears = UdpSocket::bind(&alice, (to, 9).into()).await.expect("free");
        let (inside, own) = (sim.clone(), bob.clone());
        bob.spawn("bob", async move {
            let socket = UdpSocket::bind(&own, "10.0.0.2:9".parse().expect("an address")).await;
            let socket = socket.expect("free");
            loop {
                inside.step("tick", "");
                let _ = socket.send_to(b"tick", (to, 9).into()).await;
                inside.sleep(Duration::from_millis(40)).await;
            }
        });
        until(&sim, 250).await;
        assert!(!bob.is_up(), "that life is over");
        bob.run(|| sim.step("from the dead", ""));
        let bob = sim.host("bob");
        assert_eq!((bob.is_up(), bob.life()), (true, 1));
        bob.check_leaks(0);
        bob.run(|| sim.step("alive", ""));
        drop(ears);
    });
    assert_eq!(
        steps(&ending.trace),
        [(0, "tick"), (40, "tick"), (80, "tick"), (250, "alive")]
    );
    assert_eq!(ending.packets, 3);
    let leak_check = ending.trace.events.iter().find_map(|e| match &e.kind {
        EventKind::LeakCheck { tasks, sockets, .. } => Some((tasks.len(), sockets.len())),
        _ => None,
    });
    assert_eq!(leak_check, Some((0, 0)));
}

#[test]
fn the_other_end_of_a_connection_learns_of_a_crash_when_it_speaks_to_the_new_life() {
    let ending = bob_suffers(HostCrash {}, |sim| async move {
        let (alice, bob) = (sim.host("alice"), sim.host("bob"));
        let address = "10.0.0.2:80".parse().expect("an address");
        let listener = TcpListener::bind(&bob, address).await.expect("free");
        bob.spawn("bob", async move {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            let mut buf = [0; 8];
            while stream.read(&mut buf).await.is_ok_and(|n| n > 0) {}
        });
        let mut stream = TcpStream::connect(&alice, address).await.expect("connected");
        until(&sim, 150).await;
        // Nobody answers, so that the connection looks alive.
        stream.write_all(b"while it is dark").await.expect("buffered");
        until(&sim, 250).await;
        stream.write_all(b"afterwards").await.expect("buffered");
        let mut buf = [0; 8];
        let error = stream.read(&mut buf).await.expect_err("reset");
        sim.step("reset", error.to_string());
    });
    assert_eq!(steps(&ending.trace), [(290, "reset")]);
    let dropped = ending.trace.events.iter().filter_map(|e| match &e.kind {
        EventKind::PacketDropped { by, .. } => Some(by.clone()),
        _ => None,
    });
    let crashed = Cause::HostDown {
        host: "bob".into(),
        fault: Some(FaultId(1)),
    };
    assert_eq!(dropped.collect::<Vec<_>>(), [crashed]);
}

#[test]
fn the_app_on_a_host_that_is_paused_stands_still_and_finds_everything_afterwards() {
    let ending = bob_suffers(HostPause {}, |sim| async move {
        let (alice, bob) = (sim.host("alice"), sim.host("bob"));
        let (inside, own) = (sim.clone(), bob.clone());
        bob.spawn("bob", async move {
            let socket = UdpSocket::bind(&own, "10.0.0.2:9".parse().expect("an address")).await;
            let (socket, mut buf) = (socket.expect("free"), [0; 8]);
            while socket.recv_from(&mut buf).await.is_ok() {
                inside.step("received", "");
            }
        });
        let from = UdpSocket::bind(&alice, "10.0.0.1:9".parse().expect("an address")).await;
        let from = from.expect("free");
        for at in [50, 110, 130, 250] {
            until(&sim, at).await;
            from.send_to(b"x", "10.0.0.2:9".parse().expect("an address"))
                .await
                .expect("sent");
        }
        until(&sim, 300).await;
    });
    assert_eq!(
        steps(&ending.trace),
        [
            (70, "received"),
            (200, "received"),
            (200, "received"),
            (270, "received")
        ]
    );
}

#[test]
fn who_gives_a_connection_up_closes_no_socket_of_another_host() {
    let ending = bob_suffers(HostPause {}, |sim| async move {
        let (alice, bob) = (sim.host("alice"), sim.host("bob"));
        // Both sockets are the first of their host.
        let nowhere = TcpStream::connect(&alice, "10.0.0.2:80".parse().expect("an address"));
        let given_up = tokio::time::timeout(Duration::from_millis(5), nowhere);
        let ears = UdpSocket::bind(&bob, "10.0.0.2:9".parse().expect("an address"));
        let (given_up, ears) = tokio::join!(given_up, async {
            let ears = ears.await.expect("free");
            // Whatever runs on bob last leaves him pinned.
            let _ = tokio::time::timeout(Duration::from_millis(4), ears.recv_from(&mut [0; 8])).await;
            ears
        });
        assert!(given_up.is_err(), "nobody answers within 5 ms");
        let from = UdpSocket::bind(&alice, "10.0.0.1:9".parse().expect("an address")).await;
        from.expect("free")
            .send_to(b"x", ears.local_addr())
            .await
            .expect("sent");
        let heard = tokio::time::timeout(Duration::from_secs(1), ears.recv_from(&mut [0; 8])).await;
        sim.step(if heard.is_ok() { "heard" } else { "deaf" }, "");
    });
    assert_eq!(steps(&ending.trace)[0].1, "heard");
}
