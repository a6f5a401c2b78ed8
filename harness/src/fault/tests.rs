//! Plans with faults and scripts that cannot be run.

use super::{Act, Plan, PlanError, Scripted, ServiceFault, SignalFault, User, Verdict, When, leg_of};
use crate::{
    net::nat::{NatEvent, NatFault, NatSpec},
    trace::Point,
    world::{HostFault, HostFaultKind},
};

fn plan() -> Plan {
    let json = r#"{
        "v": 1,
        "topology": {"hosts": [{"name": "server", "interfaces": [
            {"name": "eth0", "address": "10.0.0.1", "up": {}, "down": {}}]}]},
        "signaling": {"ordering": "in-order", "descriptions": {"constant": {"us": 1}},
                      "others": {"constant": {"us": 1}}},
        "script": [], "heal_at_ms": 0, "budget_ms": 1, "horizon_ms": 1
    }"#;
    serde_json::from_str(json).expect("a plan")
}

fn falls_on(client: &str, message: u64) -> SignalFault {
    SignalFault {
        client: client.into(),
        message,
        verdict: Verdict::Drop,
    }
}

fn wrong(plan: &Plan) -> String {
    match plan.check() {
        Err(PlanError::Field(what)) => what,
        other => format!("{other:?}"),
    }
}

#[test]
fn faults_of_signaling_are_checked_and_named_by_their_path() {
    assert_eq!(plan().check(), Ok(()), "a plan without them is one of before");
    let restart = |from_ms, until_ms| ServiceFault::ServerRestart { from_ms, until_ms };
    let mut good = plan();
    good.signal_faults = vec![falls_on("server", 0), falls_on("server", 1)];
    good.service_faults = vec![
        ServiceFault::SignalingReset { at_ms: 5 },
        restart(1, 2),
        restart(2, 3),
    ];
    assert_eq!(good.check(), Ok(()));

    let mut unknown = plan();
    unknown.signal_faults = vec![falls_on("server", 0), falls_on("carol", 0)];
    assert_eq!(
        wrong(&unknown),
        "signal_faults[1].client: there is no host 'carol'"
    );
    let mut twice = plan();
    twice.signal_faults = vec![falls_on("server", 3), falls_on("server", 3)];
    assert!(wrong(&twice).starts_with("signal_faults[1].message: "));
    let mut empty = plan();
    empty.service_faults = vec![restart(2, 2)];
    assert!(wrong(&empty).starts_with("service_faults[0].server-restart.until_ms: "));
    let mut crossed = plan();
    crossed.service_faults = vec![restart(1, 5), restart(4, 6)];
    assert!(wrong(&crossed).starts_with("service_faults[1].server-restart.from_ms: "));
}

#[test]
fn faults_of_signaling_are_written_as_they_are_read() {
    let json = r#"{"client":"bob","message":2,"verdict":{"delay":{"ms":300}}}"#;
    let fault: SignalFault = serde_json::from_str(json).expect("a fault");
    assert_eq!(serde_json::to_string(&fault).expect("plain data"), json);
    let json = r#"{"server-restart":{"from_ms":1,"until_ms":2}}"#;
    let fault: ServiceFault = serde_json::from_str(json).expect("a fault");
    assert_eq!(serde_json::to_string(&fault).expect("plain data"), json);
}

#[test]
fn faults_of_hosts_are_checked_and_named_by_their_path() {
    let fault = |fault, host: &str, from_ms, until_ms| HostFault {
        fault,
        host: host.into(),
        from_ms,
        until_ms,
    };
    let crash = |from_ms, until_ms| fault(HostFaultKind::Crash, "server", from_ms, until_ms);
    let with = |host_faults| Plan {
        host_faults,
        ..plan()
    };
    assert_eq!(with(vec![crash(1, 2), crash(3, 4)]).check(), Ok(()));
    assert_eq!(
        wrong(&with(vec![fault(HostFaultKind::Pause, "carol", 1, 2)])),
        "host_faults[0].host: there is no host 'carol'"
    );
    assert!(wrong(&with(vec![crash(2, 2)])).starts_with("host_faults[0].until_ms: "));
    let crossed = vec![crash(1, 5), fault(HostFaultKind::Pause, "server", 5, 9)];
    assert!(wrong(&with(crossed)).starts_with("host_faults[1].from_ms: "));
}

#[test]
fn faults_of_hosts_are_written_as_they_are_read() {
    let json = r#"{"fault":"crash","host":"bob","from_ms":1,"until_ms":2}"#;
    let fault: HostFault = serde_json::from_str(json).expect("a fault");
    assert_eq!(serde_json::to_string(&fault).expect("plain data"), json);
}

#[test]
fn faults_of_nats_are_checked_and_named_by_their_path() {
    let behind_nats = |faults: &[(&str, NatEvent)]| {
        let mut plan = plan();
        plan.topology = plan.topology.with_nat("home", "203.0.113.1", NatSpec::cone());
        plan.topology = plan.topology.with_nat("office", "203.0.113.2", NatSpec::cone());
        let fault = |(nat, fault): &(&str, NatEvent)| NatFault {
            fault: *fault,
            nat: (*nat).into(),
            at_ms: 1,
        };
        plan.nat_faults = faults.iter().map(fault).collect();
        plan
    };
    let moves = |to: &str| NatEvent::ChangeAddress {
        to: to.parse().expect("an address"),
    };
    let there_and_back = [("home", moves("203.0.113.9")), ("home", moves("203.0.113.1"))];
    assert_eq!(behind_nats(&there_and_back).check(), Ok(()));
    assert_eq!(behind_nats(&[("office", NatEvent::Rebind)]).check(), Ok(()));

    assert_eq!(
        wrong(&behind_nats(&[
            ("office", NatEvent::Reboot),
            ("attic", NatEvent::Reboot)
        ])),
        "nat_faults[1].nat: there is no NAT 'attic'"
    );
    for taken in ["203.0.113.2", "10.0.0.1", "127.0.0.1"] {
        let path = wrong(&behind_nats(&[("home", moves(taken))]));
        assert!(
            path.starts_with("nat_faults[0].fault.change-address.to: "),
            "{path}"
        );
    }
    let both = [("home", moves("203.0.113.9")), ("office", moves("203.0.113.9"))];
    assert!(wrong(&behind_nats(&both)).starts_with("nat_faults[1].fault.change-address.to: "));
}

#[test]
fn faults_of_nats_are_written_as_they_are_read() {
    for json in [
        r#"{"fault":"rebind","nat":"home","at_ms":5}"#,
        r#"{"fault":{"change-address":{"to":"203.0.113.9"}},"nat":"home","at_ms":5}"#,
    ] {
        let fault: NatFault = serde_json::from_str(json).expect("a fault");
        assert_eq!(serde_json::to_string(&fault).expect("plain data"), json);
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
    let mut waits = plan();
    waits.script = vec![scripted(group.clone())];
    assert!(wrong(&waits).starts_with("script[0].when: "));
    let mut dials = plan();
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
        ..plan()
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
