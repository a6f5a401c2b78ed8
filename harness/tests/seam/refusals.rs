//! Sockets in the wrong place say which ones belong there, and what is recorded of a panic is the same everywhere.

use std::io::ErrorKind;

use sleet::{
    app::{
        Host, NoHost,
        net::{TcpListener, TcpStream, UdpSocket},
    },
    world,
};

use super::{panics, steps, three_hosts};

#[tokio::test]
async fn outside_a_run_they_name_tokios() {
    let errors = [
        TcpStream::connect("127.0.0.1:1").await.unwrap_err(),
        TcpListener::bind("127.0.0.1:0").await.unwrap_err(),
        UdpSocket::bind("127.0.0.1:0").await.unwrap_err(),
        sleet::app::net::lookup_host("server:1")
            .await
            .map(drop)
            .unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        let text = error.to_string();
        assert!(text.contains("outside a simulated run"), "{text}");
        assert!(text.contains("`tokio::net`"), "{text}");
    }
    assert_eq!(Host::current().err(), Some(NoHost::OutsideRun));
}

#[test]
fn a_task_without_a_host_is_told_how_to_get_one() {
    let run = world::run(three_hosts(1), |sim| async move {
        let error = UdpSocket::bind("0.0.0.0:0").await.unwrap_err();
        sim.step("bind", error.to_string());
        let found = sim.host("bob").spawn("who am I", async {
            Host::current().map(|host| host.name().to_owned())
        });
        sim.step("current", format!("{:?}", found.await.expect("it ends")));
    });
    let steps = steps(&run.expect("the run takes place"));
    assert!(steps[0].contains("start it with `Host::spawn`"), "{steps:?}");
    assert_eq!(steps[1], "current: Ok(\"bob\")");
}

#[test]
fn inside_a_run_tokios_sockets_name_ours() {
    let run = world::run(three_hosts(1), |sim| async move {
        let alice = sim.host("alice");
        let _ = alice
            .spawn("tcp", async {
                drop(tokio::net::TcpStream::connect("127.0.0.1:1").await)
            })
            .await;
        let _ = alice
            .spawn("udp", async {
                drop(tokio::net::UdpSocket::bind("127.0.0.1:0").await)
            })
            .await;
    });
    let ending = run.expect("the run takes place");
    let panics = panics(&ending);
    assert_eq!(panics.len(), 2);
    for message in panics {
        assert!(
            message.contains("use the type of the same name in `sleet::app::net`"),
            "{message}"
        );
    }
}

#[test]
fn a_panic_carries_no_task_id_and_no_path() {
    let run = world::run(three_hosts(1), |sim| async move {
        let alice = sim.host("alice");
        let _ = alice
            .spawn("unwraps", async {
                let inner = tokio::spawn(async { panic!("in /home/somebody/app/config.toml") });
                inner.await.unwrap();
            })
            .await;
        let _ = alice
            .spawn("cancelled", async {
                let inner = tokio::spawn(std::future::pending::<()>());
                inner.abort();
                panic!("{}", inner.await.unwrap_err());
            })
            .await;
    });
    let ending = run.expect("the run takes place");
    assert_eq!(
        panics(&ending),
        [
            "in …/config.toml",
            "called `Result::unwrap()` on an `Err` value: JoinError::Panic(Id(_), \"in …/config.toml\", ...)",
            "task was cancelled",
        ]
    );
}
