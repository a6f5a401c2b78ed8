//! The engine as its users see it: hosts, sockets, faults, bounds.

mod packets;

use std::{io, sync::Arc, time::Duration};

use sleet::{
    fault::{
        Directions, Fault, FaultId, FaultKind, Target, Timeline,
        kinds::{Hold, NatRebind, TcpReset},
        network_switch, partition,
    },
    net::{
        firewall::FirewallSpec,
        latency::Latency,
        link::LinkProfile,
        nat::NatSpec,
        topology::{HostSpec, Topology},
    },
    seed::{Ppm, Seed},
    socket::{TcpListener, TcpStream, UdpSocket},
    time::SimTime,
    trace::{Cause, EventKind, Refusal, Stop, first_divergence},
    world::{self, Ending, Sim, WorldSpec},
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

fn two_hosts() -> WorldSpec {
    let link = LinkProfile::good(Latency::constant_ms(10));
    let topology = Topology::new([
        HostSpec::new("alice", "10.0.0.1", link.clone()).interface("rmnet0", "10.1.0.1", link.clone()),
        HostSpec::new("bob", "10.0.0.2", link),
    ]);
    WorldSpec::new(Seed(1), topology)
}

/// Runs `story` in the world of `spec`, where `fault` happens.
fn run_with<F>(spec: WorldSpec, fault: Fault, story: impl FnOnce(Sim) -> F + Send + 'static) -> Ending
where
    F: Future<Output = ()> + Send + 'static,
{
    let timeline = Timeline::new(vec![fault], None);
    world::run_under(spec, timeline, Arc::default(), story).expect("a run")
}

/// Something that happens to bob's link.
fn to_bob(kind: impl Into<FaultKind>, from_ms: u64, until_ms: Option<u64>) -> Fault {
    Fault::new(Target::link("bob"), kind, from_ms, until_ms)
}

/// What the only fault of a run does to packets.
const THE_FAULT: Cause = Cause::Fault { fault: FaultId(1) };

async fn udp(sim: &Sim, host: &str, address: &str) -> UdpSocket {
    UdpSocket::bind(&sim.host(host), address.parse().expect("an address"))
        .await
        .expect("free")
}

async fn alice_and_bob(sim: &Sim) -> (UdpSocket, UdpSocket) {
    (
        udp(sim, "alice", "10.0.0.1:1").await,
        udp(sim, "bob", "10.0.0.2:1").await,
    )
}

fn drops(ending: &Ending) -> Vec<Cause> {
    let dropped = ending.trace.events.iter().filter_map(|e| match &e.kind {
        EventKind::PacketDropped { by, .. } => Some(by.clone()),
        _ => None,
    });
    dropped.collect()
}

#[test]
fn each_interface_of_a_host_sends_and_receives() {
    let ending = world::run(two_hosts(), |sim| async move {
        let bob = udp(&sim, "bob", "10.0.0.2:1").await;
        for address in ["10.0.0.1:2", "10.1.0.1:2"] {
            let alice = udp(&sim, "alice", address).await;
            alice.send_to(b"x", bob.local_addr()).await.expect("sent");
            let mut buf = [0; 4];
            let (_, from) = bob.recv_from(&mut buf).await.expect("received");
            assert_eq!(from.to_string(), address);
        }
    });
    let ending = ending.expect("a run");
    assert_eq!(
        ending.trace.events.last().map(|e| &e.kind),
        Some(&EventKind::Ended)
    );
    assert_eq!(ending.at, SimTime::from_millis(40));
}

#[test]
fn a_one_way_partition_drops_datagrams_one_way() {
    let fault = partition("bob", Directions::Down, 0, 1_000);
    let ending = run_with(two_hosts(), fault, |sim| async move {
        let (alice, bob) = alice_and_bob(&sim).await;
        alice.send_to(b"lost", bob.local_addr()).await.expect("sent");
        bob.send_to(b"there", alice.local_addr()).await.expect("sent");
        let mut buf = [0; 8];
        assert_eq!(alice.recv_from(&mut buf).await.expect("received").0, 5);
        sim.sleep(Duration::from_millis(50)).await;
    });
    assert_eq!(drops(&ending), [THE_FAULT]);
}

#[test]
fn a_hold_keeps_datagrams_and_releases_them_in_order() {
    let ending = run_with(two_hosts(), to_bob(Hold {}, 0, Some(500)), |sim| async move {
        let (alice, bob) = alice_and_bob(&sim).await;
        for n in 0..5u8 {
            alice.send_to(&[n], bob.local_addr()).await.expect("sent");
        }
        for n in 0..5u8 {
            let mut buf = [0; 4];
            bob.recv_from(&mut buf).await.expect("received");
            assert_eq!(buf[0], n);
        }
        sim.step("received", "");
    });
    assert_eq!(drops(&ending), []);
    assert_eq!(step(&ending), (SimTime::from_millis(510), "received".into()));
}

/// Bob listens, alice sends ten bytes after `after`: a step says whether bob got them.
fn tcp_exchange(spec: WorldSpec, fault: Option<Fault>, after: Duration) -> Ending {
    let timeline = Timeline::new(fault.into_iter().collect(), None);
    world::run_under(spec, timeline, Arc::default(), move |sim| async move {
        let listening = TcpListener::bind(&sim.host("bob"), "10.0.0.2:80".parse().expect("an address")).await;
        let (listener, inside) = (listening.expect("free"), sim.clone());
        let bob = sim.host("bob").spawn("bob", async move {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            let mut buf = [0; 10];
            match stream.read_exact(&mut buf).await {
                Ok(_) => inside.step("received", String::from_utf8_lossy(&buf)),
                Err(error) => inside.step("refused", error.kind().to_string()),
            }
        });
        let address = "10.0.0.2:80".parse().expect("an address");
        let mut alice = TcpStream::connect(&sim.host("alice"), address)
            .await
            .expect("connected");
        sim.sleep(after).await;
        let _ = alice.write_all(b"0123456789").await;
        bob.await.expect("no panic");
    })
    .expect("a run")
}

fn step(ending: &Ending) -> (SimTime, String) {
    let found = ending.trace.events.iter().find_map(|e| match &e.kind {
        EventKind::Step { step, .. } => Some((e.at, step.clone())),
        _ => None,
    });
    found.expect("a step")
}

#[test]
fn tcp_waits_for_the_end_of_a_short_partition() {
    let fault = partition("bob", Directions::Both, 100, 5_000);
    let (at, what) = step(&tcp_exchange(
        two_hosts(),
        Some(fault),
        Duration::from_millis(200),
    ));
    assert_eq!(what, "received");
    // Sent at 240 ms, and for the sixth time after (20 + 200) ms * 32; the way takes 20.
    assert_eq!(at, SimTime::from_millis(240 + 7_040 + 20));
}

#[test]
fn tcp_gives_a_long_partition_up() {
    let fault = partition("bob", Directions::Both, 100, 100_000);
    let (at, what) = step(&tcp_exchange(
        two_hosts(),
        Some(fault),
        Duration::from_millis(200),
    ));
    assert_eq!(what, "refused");
    assert!((60_000..62_000).contains(&at.as_millis()), "{at}");
}

#[test]
fn a_reset_ends_every_connection_over_the_link() {
    let fault = to_bob(TcpReset {}, 100, None);
    let ending = tcp_exchange(two_hosts(), Some(fault), Duration::from_millis(200));
    let (at, what) = step(&ending);
    assert_eq!((what.as_str(), at), ("refused", SimTime::from_millis(100)));
    let fault = FaultId(1);
    let struck = |e: &&sleet::trace::Event| e.kind == EventKind::FaultHit { fault };
    assert_eq!(
        ending.trace.events.iter().filter(struck).count(),
        1,
        "one connection"
    );
}

#[test]
fn loss_delays_tcp_and_keeps_every_byte() {
    for seed in (0..20).map(Seed) {
        let mut spec = WorldSpec { seed, ..two_hosts() };
        for host in &mut spec.topology.hosts {
            for interface in &mut host.interfaces {
                interface.up.loss = Ppm::percent(20);
            }
        }
        assert_eq!(
            step(&tcp_exchange(spec, None, Duration::ZERO)).1,
            "received",
            "seed {seed}"
        );
    }
}

#[test]
fn a_firewall_lets_in_only_answers() {
    let mut spec = two_hosts();
    spec.topology.hosts[1].firewall = Some(FirewallSpec::STRICT);
    let ending = world::run(spec, |sim| async move {
        let (alice, bob) = alice_and_bob(&sim).await;
        alice.send_to(b"too early", bob.local_addr()).await.expect("sent");
        sim.sleep(Duration::from_millis(50)).await;
        bob.send_to(b"hello", alice.local_addr()).await.expect("sent");
        let mut buf = [0; 16];
        alice.recv_from(&mut buf).await.expect("received");
        alice.send_to(b"answer", bob.local_addr()).await.expect("sent");
        assert_eq!(bob.recv_from(&mut buf).await.expect("received").0, 6);
    });
    let host = "bob".into();
    assert_eq!(drops(&ending.expect("a run")), [Cause::Firewall { host }]);
}

#[test]
fn an_exceeded_bound_names_what_was_pending() {
    let mut spec = two_hosts();
    spec.bounds.horizon = Duration::from_secs(3);
    let ending = world::run(spec, |sim| async move {
        let socket = udp(&sim, "bob", "10.0.0.2:7").await;
        sim.host("bob").spawn("listens in vain", async move {
            let mut buf = [0; 4];
            let _ = socket.recv_from(&mut buf).await;
        });
        std::future::pending().await
    });
    let last = ending.expect("a run").trace.events.last().map(|e| e.kind.clone());
    let pending = [
        "task of run: story",
        "task of bob: listens in vain",
        "socket of bob: udp 10.0.0.2:7 bound",
    ];
    assert_eq!(
        last,
        Some(EventKind::Stopped {
            bound: Stop::Horizon,
            pending: pending.map(str::to_owned).into(),
        })
    );
}

#[test]
fn a_flood_is_stopped_by_the_cap_on_packets() {
    let mut spec = two_hosts();
    spec.bounds.packets = 1_000;
    let ending = world::run(spec, |sim| async move {
        let socket = udp(&sim, "bob", "10.0.0.2:7").await;
        loop {
            let _ = socket
                .send_to(b"x", "10.0.0.1:9".parse().expect("an address"))
                .await;
            tokio::task::yield_now().await;
        }
    });
    let ending = ending.expect("a run");
    let last = ending.trace.events.last().map(|e| &e.kind);
    assert!(
        matches!(
            last,
            Some(EventKind::Stopped {
                bound: Stop::Work,
                ..
            })
        ),
        "{last:?}"
    );
}

#[test]
fn a_panic_in_a_task_is_an_event_without_the_folders_of_this_machine() {
    let ending = world::run(two_hosts(), |sim| async move {
        let task = sim.host("alice").spawn("panics", async { panic!("on purpose") });
        assert!(task.await.is_err());
    });
    let ending = ending.expect("a run");
    let found = ending.trace.events.iter().find_map(|e| match &e.kind {
        EventKind::Panicked { message, place } => Some((e.host.as_deref(), message.as_str(), place.as_str())),
        _ => None,
    });
    let (host, message, place) = found.expect("recorded");
    assert_eq!((host, message), (Some("alice"), "on purpose"));
    assert!(place.starts_with("harness/tests/world/main.rs:"), "{place}");
}

#[test]
fn runs_of_a_seed_are_equal_and_runs_of_two_seeds_are_not() {
    let run = |seed| {
        let mut spec = two_hosts();
        spec.seed = Seed(seed);
        for host in &mut spec.topology.hosts {
            host.interfaces[0].up.jitter = Latency::uniform_ms(0, 30);
        }
        let ending = world::run(spec, |sim| async move {
            let (alice, bob) = alice_and_bob(&sim).await;
            for n in 0..20u8 {
                alice.send_to(&[n], bob.local_addr()).await.expect("sent");
                let mut buf = [0; 4];
                bob.recv_from(&mut buf).await.expect("received");
            }
        });
        ending.expect("a run").trace
    };
    assert_eq!(first_divergence(&run(3), &run(3)), None);
    assert!(first_divergence(&run(3), &run(4)).is_some());
}

#[test]
fn a_nat_that_rebinds_moves_its_mappings_and_closes_the_old_ones() {
    let mut spec = two_hosts();
    spec.topology = spec.topology.with_nat("home", "203.0.113.1", NatSpec::cone());
    spec.topology.hosts[0].nat = Some("home".into());
    let fault = Fault::new(Target::nat("home"), NatRebind {}, 100, None);
    let ending = run_with(spec, fault, |sim| async move {
        let (alice, bob) = alice_and_bob(&sim).await;
        let mut seen = Vec::new();
        for _ in 0..2 {
            alice.send_to(b"x", bob.local_addr()).await.expect("sent");
            let (_, from) = bob.recv_from(&mut [0; 4]).await.expect("received");
            seen.push(from);
            sim.sleep(Duration::from_millis(150)).await;
        }
        assert_eq!(seen[0].to_string(), "203.0.113.1:1", "the port is preserved");
        assert_eq!(seen[0].ip(), seen[1].ip());
        assert_ne!(seen[0].port(), seen[1].port());
        for to in seen {
            bob.send_to(b"to the old, to the new", to).await.expect("sent");
        }
        let (len, _) = alice.recv_from(&mut [0; 64]).await.expect("received");
        assert_eq!(len, 22);
        sim.step("received", "");
    });
    assert_eq!(step(&ending).1, "received");
    let forgotten = Cause::Nat {
        nat: "home".into(),
        refusal: Refusal::NoMapping,
        fault: Some(FaultId(1)),
    };
    assert_eq!(drops(&ending), [forgotten]);
}

#[test]
fn a_network_switch_ends_connections_and_leads_new_ones_over_the_other_interface() {
    let fault = network_switch("alice", "eth0", "rmnet0", 100);
    let ending = run_with(two_hosts(), fault, |sim| async move {
        let address = "10.0.0.2:80".parse().expect("an address");
        let listener = TcpListener::bind(&sim.host("bob"), address).await.expect("free");
        let alice = sim.host("alice");
        let connect = || TcpStream::connect(&alice, address);
        let (mut wifi, from_wifi) = (connect().await.expect("connected"), listener.accept().await);
        let ended = wifi.read(&mut [0; 1]).await.expect_err("reset");
        assert_eq!(ended.kind(), io::ErrorKind::ConnectionReset);
        assert_eq!(sim.now(), SimTime::from_millis(100));

        let (mut cellular, from_cellular) = (connect().await.expect("connected"), listener.accept().await);
        let (_kept, over) = from_wifi.expect("accepted");
        assert_eq!(over.ip().to_string(), "10.0.0.1");
        let (mut bob, over) = from_cellular.expect("accepted");
        assert_eq!(over.ip().to_string(), "10.1.0.1");
        bob.write_all(b"x").await.expect("written");
        assert_eq!(cellular.read(&mut [0; 1]).await.expect("received"), 1);
        sim.step("received", "");
    });
    assert_eq!(step(&ending).1, "received");
}
