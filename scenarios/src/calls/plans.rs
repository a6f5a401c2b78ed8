//! Plans of calls: acts of users and the network, drawn from the seed. Every act can be left out of a plan by itself.

use sleet::{fault::network_switch, fault::partition, peer::IceTimeouts, prelude::*, trace::Point};

use super::setup::{PEOPLE, acts, dials_group, hangs_up, one_of, plan_of, redials, turn, unsettled};
use crate::network::{answers, dials, link};

/// The interval between messages of each end of a call, in milliseconds.
pub(crate) const TALKS_EVERY_MS: u64 = 250;

/// The points at which a caller hangs up.
pub const CALLER: [Point; 11] = [
    Point::Dialing,
    Point::CreateOffer,
    Point::OfferCreated,
    Point::OfferSent,
    Point::Ringing,
    Point::Checking,
    Point::Connected,
    Point::OnCandidate,
    Point::OnAnswer,
    Point::OnRemoteCandidate,
    Point::OnJoined,
];

/// The points at which a callee hangs up.
pub const CALLEE: [Point; 9] = [
    Point::Ringing,
    Point::CreateAnswer,
    Point::AnswerSent,
    Point::Checking,
    Point::Connected,
    Point::OnCandidate,
    Point::OnOffer,
    Point::OnRemoteCandidate,
    Point::OnJoined,
];

/// The points at which an impatient caller hangs up.
pub const EARLY: [Point; 4] = [
    Point::Dialing,
    Point::CreateOffer,
    Point::OfferCreated,
    Point::OfferSent,
];

/// The points at which either end hangs up when attempts fail.
pub const FAILING: [Point; 2] = [Point::OnFailed, Point::Recovering];

/// Alice dials bob. At some point of the call's life one of them hangs up, and alice dials again at once.
pub fn rapid(seed: Seed) -> Plan {
    unsettled(seed, rapid_when_calm(seed))
}

/// Same as [`rapid`], on a calm network.
pub fn rapid_when_calm(seed: Seed) -> Plan {
    let mut plan = plan_of(seed, 2);
    let mut draws = seed.stream("calls/rapid");
    plan.script = vec![
        dials("alice", "bob", "c1", draws.between(200, 600)),
        answers("bob", draws.between(20, 900)),
    ];
    let (host, points) = one_of(&mut draws, &[("alice", &CALLER[..]), ("bob", &CALLEE[..])]);
    let point = one_of(&mut draws, points);
    let soon = draws.between(0, 25);
    let after_ms = one_of(&mut draws, &[0, 0, soon]);
    plan.script
        .push(hangs_up(host, "c1", When::Reached { point, after_ms }));
    if draws.chance(Ppm::percent(25)) {
        // The other one hangs up too, at some time: so two hangups may cross, or this is the only one.
        let other = if host == "alice" { "bob" } else { "alice" };
        let when = When::At {
            ms: draws.between(300, 2_500),
        };
        plan.script.push(hangs_up(other, "c1", when));
    }
    plan.script
        .push(redials("alice", "c1", "c2", draws.between(0, 5)));
    if draws.chance(Ppm::percent(40)) {
        let when = When::Reached {
            point: one_of(&mut draws, &CALLER),
            after_ms: 0,
        };
        plan.script.push(hangs_up("alice", "c2", when));
        plan.script
            .push(redials("alice", "c2", "c3", draws.between(0, 5)));
    }
    plan
}

/// Alice dials bob and hangs up before the call can connect, several times; the last call goes on.
pub fn impatient(seed: Seed) -> Plan {
    unsettled(seed, impatient_when_calm(seed))
}

/// Same as [`impatient`], on a calm network.
pub fn impatient_when_calm(seed: Seed) -> Plan {
    let mut plan = plan_of(seed, 2);
    let mut draws = seed.stream("calls/impatient");
    plan.script = vec![
        dials("alice", "bob", "c1", draws.between(200, 600)),
        answers("bob", draws.between(20, 300)),
    ];
    for n in 1..=draws.between(1, 4) {
        let (call, again) = (format!("c{n}"), format!("c{}", n + 1));
        let (point, later) = (one_of(&mut draws, &EARLY), draws.between(0, 150));
        let after_ms = one_of(&mut draws, &[0, later]);
        let when = When::Reached { point, after_ms };
        plan.script.push(hangs_up("alice", &call, when));
        let soon = draws.between(0, 30);
        plan.script.push(redials("alice", &call, &again, soon));
    }
    plan
}

/// Same as [`rapid`] on a calm network, from a phone with three interfaces, which gathers three candidates.
pub fn rapid_on_three_networks(seed: Seed) -> Plan {
    let mut plan = rapid_when_calm(seed);
    let alice = HostSpec {
        interfaces: Vec::new(),
        ..plan.topology.hosts[0].clone()
    };
    plan.topology.hosts[0] = (1..=3).fold(alice, |host, n| {
        host.interface(&format!("net{n}"), &format!("10.1.{n}.1"), link(10 * n))
    });
    let mut draws = seed.stream("calls/three-networks");
    if draws.chance(Ppm::percent(50)) {
        let point = Point::OnCandidate;
        let after_ms = draws.between(0, 10);
        plan.script[2] = hangs_up("alice", "c1", When::Reached { point, after_ms });
    }
    plan
}

/// Same as [`rapid`] on a calm network, from a phone that leaves its Wi-Fi for cellular in the middle of it.
pub fn on_the_move(seed: Seed) -> Plan {
    let mut plan = rapid_when_calm(seed);
    let phone = plan.topology.hosts[0].clone();
    let wifi = phone.interfaces[0].name.clone();
    plan.topology.hosts[0] = phone.interface("rmnet0", "10.1.9.1", link(45));
    let at_ms = seed.stream("calls/on-the-move").between(250, 4_000);
    plan.inject(network_switch("alice", &wifi, "rmnet0", at_ms));
    plan
}

/// Same as [`rapid`], with a TURN server from which candidates come late. The network is calm: while a TURN server does
/// not answer, closing takes long (finding 0013).
pub fn relayed(seed: Seed) -> Plan {
    let mut plan = rapid_when_calm(seed);
    let away = link(seed.stream("calls/relayed").between(5, 120));
    plan.topology.hosts.push(HostSpec::new("turn", "10.98.0.1", away));
    plan.ice_servers = vec![turn()];
    plan
}

/// Alice dials bob; both have relayed candidates when the TURN server falls silent, and bob accepts after that, so that
/// the server does not answer when the first check is about to be relayed. Alice hangs up soon after.
pub fn turn_falls_silent(seed: Seed) -> Plan {
    let mut plan = plan_of(seed, 2);
    let mut draws = seed.stream("calls/turn-falls-silent");
    plan.topology
        .hosts
        .push(HostSpec::new("turn", "10.98.0.1", link(20)));
    plan.ice_servers = vec![turn()];
    plan.heal_at_ms = 20_000;
    plan.faults = vec![partition("turn", Directions::Both, 3_000, 20_000)];
    let checks = When::Reached {
        point: Point::Checking,
        after_ms: draws.between(900, 1_400),
    };
    plan.script = vec![
        dials("alice", "bob", "c1", 300),
        answers("bob", 3_000),
        hangs_up("alice", "c1", checks),
    ];
    plan
}

/// Alice dials bob and hangs up while her second request for an allocation, or its answer, is under way: the first
/// request and its rejection take 200 to 220 ms, and so does the second.
pub fn hung_up_while_gathering(seed: Seed) -> Plan {
    let mut plan = plan_of(seed, 2);
    let alice = &mut plan.topology.hosts[0].interfaces[0];
    (alice.up, alice.down) = (link(20), link(20));
    plan.topology
        .hosts
        .push(HostSpec::new("turn", "10.98.0.1", link(80)));
    plan.ice_servers = vec![turn()];
    let gathers = When::Reached {
        point: Point::OnCandidate,
        after_ms: seed.stream("calls/hung-up-while-gathering").between(280, 330),
    };
    plan.script = vec![dials("alice", "bob", "c1", 300), hangs_up("alice", "c1", gathers)];
    plan
}

/// Alice asks for an act that no calling app knows.
pub fn unknown_act(seed: Seed) -> Plan {
    let mut plan = plan_of(seed, 2);
    let juggle = Act::App {
        name: "juggles".into(),
        with: serde_json::Value::Null,
    };
    plan.script = vec![acts("alice", When::At { ms: 300 }, juggle)];
    plan
}

/// Alice dials two groups of two to eight, which overlap in time and sometimes in members, and hangs them up.
pub fn groups(seed: Seed) -> Plan {
    unsettled(seed, groups_when_calm(seed))
}

/// Same as [`groups`], on a calm network.
pub fn groups_when_calm(seed: Seed) -> Plan {
    let mut draws = seed.stream("calls/groups");
    let people = draws.between(4, PEOPLE.len() as u64) as usize;
    let mut plan = plan_of(seed, people);
    let first = draws.between(2, (people as u64 - 1).min(8)) as usize;
    let shared = draws.below(3).min(first as u64) as usize;
    let others = &PEOPLE[1..people];
    let begins = (first - shared).min(others.len() - 2);
    plan.script = vec![
        dials_group("g1", &others[..first], 300),
        dials_group("g2", &others[begins..], draws.between(300, 1_500)),
    ];
    for callee in others {
        plan.script.push(answers(callee, draws.between(20, 900)));
        if draws.chance(Ppm::percent(10)) {
            let when = When::Reached {
                point: Point::Ringing,
                after_ms: draws.between(0, 200),
            };
            let call = format!("g1.{callee}");
            plan.script.push(acts(callee, when, Act::Reject { call }));
        }
    }
    let at = draws.between(600, 4_000);
    for (group, ms) in [("g1", at), ("g2", at + draws.between(0, 60))] {
        // Sometimes they are hung up nearly together, and sometimes one goes on.
        if draws.chance(Ppm::percent(80)) {
            let group = group.into();
            plan.script
                .push(acts("alice", When::At { ms }, Act::HangupGroup { group }));
        }
    }
    plan
}

/// Alice dials bob, whose app is asleep until a push notification wakes it; she is not always patient.
pub fn asleep(seed: Seed) -> Plan {
    let mut plan = plan_of(seed, 2);
    let mut draws = seed.stream("calls/asleep");
    let longest = one_of(&mut draws, &[800, 3_000]);
    plan.service().push = Some(Latency::uniform_ms(150, longest));
    plan.script = vec![
        dials("alice", "bob", "c1", 300),
        answers("bob", draws.between(20, 900)),
    ];
    if draws.chance(Ppm::percent(80)) {
        let when = When::At {
            ms: 300 + draws.between(0, 4_000),
        };
        plan.script.push(hangs_up("alice", "c1", when));
        plan.script
            .push(redials("alice", "c1", "c2", draws.between(0, 1_500)));
    }
    unsettled(seed, plan)
}

/// Alice's network goes dark before or after the call is connected, for long enough that attempts fail; sometimes one
/// of the users hangs up during the recovery.
pub fn recovering(seed: Seed) -> Plan {
    let mut plan = plan_of(seed, 2);
    let mut draws = seed.stream("calls/recovering");
    plan.ice_timeouts = Some(IceTimeouts {
        disconnected_ms: 1_500,
        failed_ms: 1_500,
    });
    plan.heal_at_ms = 12_000;
    let from_ms = draws.between(500, 4_000);
    let directions = one_of(&mut draws, &[Directions::Both, Directions::Up, Directions::Down]);
    let until_ms = from_ms + draws.between(1_000, 8_000);
    plan.faults = vec![partition("alice", directions, from_ms, until_ms)];
    plan.script = vec![
        dials("alice", "bob", "c1", 300),
        answers("bob", draws.between(20, 900)),
    ];
    if draws.chance(Ppm::percent(60)) {
        let host = one_of(&mut draws, &["alice", "bob"]);
        let when = When::Reached {
            point: one_of(&mut draws, &FAILING),
            after_ms: draws.between(0, 40),
        };
        plan.script.push(hangs_up(host, "c1", when));
        plan.script
            .push(redials("alice", "c1", "c2", draws.between(0, 5)));
    }
    plan
}
