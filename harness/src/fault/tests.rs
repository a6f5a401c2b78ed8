//! Plans with faults and scripts that cannot be run, and how faults are written.

use super::{
    Act, Directions, Fault, Plan, PlanError, Scripted, SlowStep, Span, Target, User, When, ice_server_down,
    kinds::{HostCrash, HostPause, NatChangeAddress, ServerRestart, SignalDelay, SignalDrop, TcpReset},
    leg_of, network_switch, partition,
};
use crate::{
    net::{
        latency::Latency,
        link::LinkProfile,
        nat::NatSpec,
        topology::{HostSpec, Topology},
    },
    servers::IceServerSpec,
    trace::Point,
};

/// Returns a world that every kind of fault can hit.
pub(crate) fn world() -> Plan {
    let host = |name, address| HostSpec::new(name, address, LinkProfile::default());
    let topology = Topology::new([
        host("alice", "10.0.0.1")
            .interface("eth1", "10.0.0.11", LinkProfile::default())
            .inside("home"),
        host("bob", "10.0.0.2"),
        host("server", "10.0.0.3"),
        host("relay", "10.0.0.4"),
    ]);
    let topology = topology.with_nat("home", "203.0.113.1", NatSpec::cone());
    let slow = |step: &str| SlowStep {
        host: "*".into(),
        step: step.into(),
        by: Latency::constant_ms(1),
    };
    let mut plan = Plan {
        ice_servers: vec![IceServerSpec {
            host: "relay".into(),
            turn: true,
        }],
        fault_points: vec!["relay".into()],
        slow_steps: vec![slow("set-local"), slow("set-remote")],
        heal_at_ms: 10_000,
        ..Plan::new(topology)
    };
    plan.service().push = Some(Latency::constant_ms(1));
    plan
}

/// Returns a world with only the host of the signaling server.
pub(crate) fn bare() -> Plan {
    let server = HostSpec::new("server", "10.0.0.1", LinkProfile::default());
    Plan::new(Topology::new([server]))
}

pub(crate) fn wrong(plan: &Plan) -> String {
    match plan.check() {
        Err(PlanError::Field(what)) => what,
        other => format!("{other:?}"),
    }
}

/// Returns `world` with `faults`, numbered.
pub(crate) fn with(faults: impl IntoIterator<Item = Fault>) -> Plan {
    let mut plan = world();
    faults.into_iter().for_each(|fault| plan.inject(fault));
    plan
}

#[test]
fn faults_are_checked_and_named_by_their_path() {
    let crash = |from, until| Fault::new(Target::host("bob"), HostCrash {}, from, Some(until));
    let pause = |from, until| Fault::new(Target::host("bob"), HostPause {}, from, Some(until));
    let restart = |from, until| Fault::new(Target::Signaling, ServerRestart {}, from, Some(until));
    let on_message =
        |client: &str, message| Fault::new(Target::host(client), SignalDrop { message }, 0, None);
    let moves = |to: &str| {
        let to = to.parse().expect("an address");
        Fault::new(Target::nat("home"), NatChangeAddress { to }, 1, None)
    };
    let good = with([
        crash(1, 2),
        pause(2, 4),
        restart(1, 2),
        restart(2, 3),
        on_message("bob", 0),
        on_message("bob", 1),
        on_message("alice", 0),
        moves("203.0.113.9"),
        moves("203.0.113.1"),
        ice_server_down("relay", 1, Some(2)),
        ice_server_down("relay", 2, None),
        network_switch("alice", "eth0", "eth1", 5),
        network_switch("alice", "eth1", "eth0", 6),
        partition("alice/eth1", Directions::Up, 1, 2),
    ]);
    assert_eq!(good.check(), Ok(()));
    let reset = |until| Fault::new(Target::link("bob"), TcpReset {}, 1, until);
    let delay = SignalDelay { message: 0, ms: 0 };
    for (faults, path) in [
        (
            vec![partition("carol", Directions::Both, 1, 2)],
            "faults[0].target: partition befalls a link, as ",
        ),
        (
            vec![partition("bob", Directions::Both, 2, 2)],
            "faults[0].until_ms: 2 is not after",
        ),
        (
            vec![reset(None), reset(Some(2))],
            "faults[1].until_ms: tcp-reset has no end",
        ),
        (
            vec![crash(1, 5), pause(4, 9)],
            "faults[1].from_ms: fault 1 of bob",
        ),
        (
            vec![restart(1, 5), restart(4, 6)],
            "faults[1].from_ms: fault 1 of signaling",
        ),
        (
            vec![on_message("server", 0)],
            "faults[0].target: signal-drop befalls a client's host",
        ),
        (
            vec![on_message("bob", 3), on_message("bob", 3)],
            "faults[1].kind.signal-drop.message: fault 1",
        ),
        (
            vec![Fault::new(Target::host("bob"), delay, 0, None)],
            "faults[0].kind.signal-delay.ms: ",
        ),
        (vec![moves("10.0.0.2")], "faults[0].kind.nat-change-address.to: "),
        (vec![moves("127.0.0.1")], "faults[0].kind.nat-change-address.to: "),
        (
            vec![ice_server_down("alice", 1, None)],
            "faults[0].target: ice-server-down befalls ",
        ),
        (
            vec![
                ice_server_down("relay", 1, None),
                ice_server_down("relay", 5, None),
            ],
            "faults[1].from_ms: ",
        ),
        (
            vec![network_switch("alice", "eth0", "eth9", 1)],
            "faults[0].kind.network-switch.over: ",
        ),
        (
            vec![network_switch("alice", "eth0", "eth0", 1)],
            "faults[0].kind.network-switch.over: ",
        ),
        (
            vec![
                network_switch("alice", "eth0", "eth1", 1),
                network_switch("alice", "eth0", "eth1", 2),
            ],
            "faults[1].kind.network-switch.leaves: alice is on eth1",
        ),
        (
            vec![
                network_switch("alice", "eth0", "eth1", 2),
                network_switch("alice", "eth1", "eth0", 2),
            ],
            "faults[1].from_ms: ",
        ),
    ] {
        let refused = wrong(&with(faults));
        assert!(refused.starts_with(path), "{refused}");
    }
    let mut twice = with([crash(1, 2), pause(3, 4)]);
    twice.faults[1].id = twice.faults[0].id;
    assert_eq!(wrong(&twice), "faults[1].id: 1 is zero or taken; 2 is free");
}

#[test]
fn faults_are_written_as_they_are_read() {
    for json in [
        r#"{"id":1,"target":{"link":{"name":"alice","directions":"up"}},"kind":{"one-way-partition":{}},"from_ms":1,"until_ms":2}"#,
        r#"{"id":2,"target":{"host":"bob"},"kind":{"signal-delay":{"message":2,"ms":300}},"from_ms":0}"#,
        r#"{"id":3,"target":"signaling","kind":{"server-restart":{}},"from_ms":1,"until_ms":2}"#,
        r#"{"id":4,"target":{"nat":"home"},"kind":{"nat-change-address":{"to":"203.0.113.9"}},"from_ms":5}"#,
        r#"{"id":5,"target":{"ice-server":"relay"},"kind":{"ice-server-down":{}},"from_ms":5}"#,
        r#"{"id":6,"target":{"link":{"name":"bob","directions":"both"}},"kind":{"preset":{"network":"hotel"}},"from_ms":0}"#,
    ] {
        let fault: Fault = serde_json::from_str(json).expect("a fault");
        assert_eq!(serde_json::to_string(&fault).expect("plain data"), json);
    }
}

#[test]
fn faults_end_with_the_chaos_phase_unless_their_kind_stays() {
    use crate::time::SimTime;
    let ms = SimTime::from_millis;
    let cut = |span: Span, from, until: Option<u64>| span.cut(ms(from), until.map(ms), Some(ms(100)));
    assert_eq!(cut(Span::Moment, 5, None), Some((ms(5), Some(ms(5)))));
    assert_eq!(cut(Span::ChaosPhase, 5, None), Some((ms(5), Some(ms(100)))));
    assert_eq!(cut(Span::ChaosPhase, 5, Some(200)), Some((ms(5), Some(ms(100)))));
    assert_eq!(cut(Span::MayStay, 5, Some(200)), Some((ms(5), Some(ms(100)))));
    assert_eq!(cut(Span::MayStay, 5, None), Some((ms(5), None)));
    assert_eq!(cut(Span::ForGood, 500, None), Some((ms(500), None)));
    for span in [Span::Moment, Span::ChaosPhase, Span::MayStay] {
        assert_eq!(cut(span, 100, None), None, "nothing begins after the chaos phase");
    }
}

#[test]
fn scripts_are_written_as_they_are_read_and_name_only_known_hosts() {
    let scripted = |act| Scripted {
        host: "server".into(),
        when: When::Reached {
            point: Point::OfferCreated,
            after_ms: 3,
        },
        act,
    };
    let group = Act::DialGroup {
        group: "g1".into(),
        to: vec!["server".into(), "carol".into()],
    };
    let mut waits = bare();
    waits.script = vec![scripted(group.clone())];
    assert!(wrong(&waits).starts_with("script[0].when: "));
    let mut dials = bare();
    dials.script = vec![Scripted {
        when: When::At { ms: 1 },
        ..scripted(group)
    }];
    assert_eq!(
        wrong(&dials),
        "script[0].act.dial-group.to: there is no host 'carol'"
    );
    let hangup = scripted(Act::Hangup {
        call: leg_of("g1", "carol"),
    });
    let json = r#"{"host":"server","when":{"reached":{"point":"offer-created","after_ms":3}},"act":{"hangup":{"call":"g1.carol"}}}"#;
    assert_eq!(serde_json::to_string(&hangup).expect("plain data"), json);
    assert_eq!(
        serde_json::from_str::<Scripted>(json).expect("own output"),
        hangup
    );
}

#[test]
fn users_have_names_and_devices_of_their_own() {
    let dials = |users: &[User]| Plan {
        users: users.to_vec(),
        script: vec![Scripted {
            host: "server".into(),
            when: When::At { ms: 1 },
            act: Act::Dial {
                to: "bob".into(),
                call: "c1".into(),
            },
        }],
        ..bare()
    };
    assert_eq!(
        wrong(&dials(&[])),
        "script[0].act.dial.to: there is no host 'bob'"
    );
    let bob = User::new("bob", &["server"]);
    assert_eq!(dials(std::slice::from_ref(&bob)).check(), Ok(()));
    for (users, what) in [
        (vec![User::new("server", &["server"])], "users[0].name: "),
        (vec![bob.clone(), bob], "users[1].name: "),
        (vec![User::new("bob", &[])], "users[0].devices: "),
        (vec![User::new("bob", &["tablet"])], "users[0].devices[0]: "),
        (
            vec![User::new("bob", &["server", "server"])],
            "users[0].devices[1]: ",
        ),
    ] {
        assert!(wrong(&dials(&users)).starts_with(what), "{users:?}");
    }
}

#[test]
fn an_act_knows_the_call_that_it_is_about() {
    let call = || "c1".to_owned();
    let again = "c2".into();
    let about = [
        Act::Hangup { call: call() },
        Act::Reject { call: call() },
        Act::Redial { call: call(), again },
    ];
    assert!(about.iter().all(|act| act.call() == Some("c1")));
    assert_eq!(Act::Answer.call(), None);
}
