//! A crash takes an app along: its sockets close without a word, its tasks go dark, and nobody accuses it of them.

use std::{sync::Arc, time::Duration};

use sleet::{
    app::net::{TcpListener, TcpStream, UdpSocket},
    trace::EventKind,
    world::{self, Ending},
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{crash, panics, steps, three_hosts};

/// A server whose tasks nobody can end: it spawns them as any program does.
async fn serve() {
    let listener = TcpListener::bind("0.0.0.0:80").await.expect("the port is free");
    let socket = UdpSocket::bind("0.0.0.0:80").await.expect("the port is free");
    tokio::spawn(async move {
        let mut buf = [0; 16];
        while let Ok((len, from)) = socket.recv_from(&mut buf).await {
            socket.send_to(&buf[..len], from).await.expect("it is sent");
        }
    });
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut read, mut write) = stream.split();
                let _ = tokio::io::copy(&mut read, &mut write).await;
            });
        }
    });
}

async fn ask(to: &str) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(to).await?;
    stream.write_all(b"there?").await?;
    stream.shutdown().await?;
    let mut heard = Vec::new();
    stream.read_to_end(&mut heard).await?;
    Ok(heard)
}

fn crash_and_come_back(seed: u64) -> Ending {
    let crash = crash("server", 1_000, 2_000);
    let run = world::run_under(three_hosts(seed), crash, Arc::default(), |sim| async move {
        sim.host("server").run(|| tokio::spawn(serve()));
        let held = sim.host("alice").spawn("holds a connection", async {
            let mut stream = TcpStream::connect("server:80").await?;
            stream.write_all(b"x").await?;
            stream.read_exact(&mut [0]).await?;
            stream.read_exact(&mut [0]).await.map(drop)
        });
        let heard = sim.host("bob").spawn("asks", ask("server:80")).await;
        sim.step(
            "before",
            format!("{:?}", heard.expect("it ends").map(|h| h.len())),
        );
        sim.sleep(Duration::from_millis(2_500)).await;
        sim.host("server").run(|| tokio::spawn(serve()));
        let heard = sim.host("bob").spawn("asks again", ask("server:80")).await;
        sim.step("after", format!("{:?}", heard.expect("it ends").map(|h| h.len())));
        held.abort();
        sim.sleep(Duration::from_secs(1)).await;
        for host in ["server", "alice", "bob"] {
            sim.host(host).check_leaks(0);
        }
    });
    run.expect("the run takes place")
}

#[test]
fn a_server_that_crashed_gets_its_ports_back_and_is_accused_of_nothing() {
    let ending = crash_and_come_back(1);
    assert_eq!(panics(&ending), Vec::<&str>::new());
    assert_eq!(steps(&ending), ["before: Ok(6)", "after: Ok(6)"]);
    let leak_check = |host: &'static str| {
        ending.trace.of(host).find_map(|e| match &e.kind {
            EventKind::LeakCheck { tasks, sockets, .. } => Some((tasks.clone(), sockets.clone())),
            _ => None,
        })
    };
    let (tasks, sockets) = leak_check("server").expect("it was taken");
    assert_eq!(tasks.len(), 2, "those of the living are still counted: {tasks:?}");
    assert!(tasks[0].starts_with("harness/tests/seam/crash.rs:"), "{tasks:?}");
    assert_eq!(sockets.len(), 2, "{sockets:?}");
    assert_eq!(leak_check("alice"), Some((Vec::new(), Vec::new())));
    assert_eq!(leak_check("bob"), Some((Vec::new(), Vec::new())));
    assert_eq!(ending.trace.digest, crash_and_come_back(1).trace.digest);
}

#[test]
fn a_dead_process_waits_for_ever_and_opens_nothing() {
    let crash = crash("alice", 900, 1_000);
    let run = world::run_under(three_hosts(1), crash, Arc::default(), |sim| async move {
        sim.host("server").run(|| tokio::spawn(serve()));
        let alice = sim.host("alice");
        let undead = alice.run(|| {
            tokio::spawn(async {
                tokio::time::sleep(Duration::from_secs(2)).await;
                ask("server:80").await
            })
        });
        sim.sleep(Duration::from_secs(1)).await;
        let waited = tokio::time::timeout(Duration::from_secs(10), undead).await;
        sim.step("undead", if waited.is_err() { "waits" } else { "went on" });
    });
    let ending = run.expect("the run takes place");
    assert_eq!(steps(&ending), ["undead: waits"]);
    let sent = |kind: &EventKind| matches!(kind, EventKind::PacketSent { .. });
    assert!(!ending.trace.of("alice").any(|e| sent(&e.kind)));
}

#[test]
fn a_panic_in_a_life_that_a_crash_has_ended_is_recorded_all_the_same() {
    let crash = crash("alice", 900, 1_000);
    let run = world::run_under(three_hosts(1), crash, Arc::default(), |sim| async move {
        sim.host("alice").run(|| {
            tokio::spawn(async {
                tokio::time::sleep(Duration::from_secs(2)).await;
                panic!("what a crash did not end")
            })
        });
        sim.sleep(Duration::from_secs(3)).await;
    });
    let ending = run.expect("the run takes place");
    assert_eq!(panics(&ending), ["what a crash did not end"]);
}
