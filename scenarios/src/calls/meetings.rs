//! Calls that meet others: crossing dials, a third caller, a recall, a rejection, a retry; drawn from the seed. Every
//! act can be left out of a plan by itself.

use sleet::{prelude::*, trace::Point};

use super::{
    plans::TALKS_EVERY_MS,
    setup::{acts, hangs_up, one_of, plan_of, redials, unsettled},
};
use crate::network::{answers, dials};

/// Alice and bob dial each other at about the same time.
pub fn glare(seed: Seed) -> Plan {
    unsettled(seed, glare_when_calm(seed))
}

/// Same as [`glare`], on a calm network.
pub fn glare_when_calm(seed: Seed) -> Plan {
    let mut plan = plan_of(seed, 2);
    let mut draws = seed.stream("calls/glare");
    let at = draws.between(200, 500);
    plan.script = vec![
        dials("alice", "bob", "c1", at),
        dials("bob", "alice", "c2", at + draws.between(0, 150)),
        answers("alice", draws.between(20, 900)),
        answers("bob", draws.between(20, 900)),
    ];
    if draws.chance(Ppm::percent(50)) {
        let (host, call) = one_of(
            &mut draws,
            &[("alice", "c1"), ("alice", "c2"), ("bob", "c1"), ("bob", "c2")],
        );
        let when = When::At {
            ms: at + draws.between(0, 1_000),
        };
        plan.script.push(hangs_up(host, call, when));
        plan.script.push(redials(host, call, "c3", draws.between(0, 50)));
    }
    plan
}

/// Alice and bob are in a call, or about to be, and carol dials one of them. Sometimes bob rejects.
pub fn busy(seed: Seed) -> Plan {
    unsettled(seed, busy_when_calm(seed))
}

/// Same as [`busy`], on a calm network.
pub fn busy_when_calm(seed: Seed) -> Plan {
    let mut plan = plan_of(seed, 3);
    let mut draws = seed.stream("calls/busy");
    let carol_dials = draws.between(300, 3_000);
    let to = one_of(&mut draws, &["alice", "bob"]);
    plan.script = vec![
        dials("alice", "bob", "c1", 300),
        dials("carol", to, "c2", carol_dials),
        answers("alice", draws.between(20, 900)),
        answers("bob", draws.between(20, 900)),
    ];
    if draws.chance(Ppm::percent(30)) {
        let when = When::Reached {
            point: Point::Ringing,
            after_ms: draws.between(0, 600),
        };
        let call = "c1".into();
        plan.script.push(acts("bob", when, Act::Reject { call }));
    }
    if draws.chance(Ppm::percent(60)) {
        let host = one_of(&mut draws, &["alice", "bob"]);
        let when = When::At {
            ms: draws.between(300, 4_000),
        };
        plan.script.push(hangs_up(host, "c1", when));
    }
    plan.script
        .push(redials("carol", "c2", "c3", draws.between(0, 2_000)));
    plan
}

/// Alice and bob are in a call, carol is there too: she dials, is dialed, or does nothing. No user is in a hurry, and
/// the network is calm.
pub fn three_people(seed: Seed) -> Plan {
    let mut plan = plan_of(seed, 3);
    let mut draws = seed.stream("calls/three-people");
    plan.script = vec![
        dials("alice", "bob", "c1", 300),
        answers("alice", draws.between(200, 900)),
        answers("bob", draws.between(200, 900)),
        answers("carol", draws.between(200, 900)),
    ];
    let other = one_of(
        &mut draws,
        &[("carol", "alice"), ("alice", "carol"), ("bob", "carol")],
    );
    let at = draws.between(3_000, 5_000);
    if draws.chance(Ppm::percent(60)) {
        plan.script.push(dials(other.0, other.1, "c2", at));
    }
    let host = one_of(&mut draws, &["alice", "bob"]);
    let when = When::At {
        ms: one_of(&mut draws, &[900, 2_500, 6_000, 8_000]),
    };
    plan.script.push(hangs_up(host, "c1", when));
    plan
}

/// Alice and bob talk for a while, and neither hangs up.
pub fn talked_over(seed: Seed) -> Plan {
    let mut plan = plan_of(seed, 2);
    let mut draws = seed.stream("calls/talked-over");
    plan.talk_every_ms = Some(TALKS_EVERY_MS);
    plan.talk_ms = 4_000;
    plan.script = vec![
        dials("alice", "bob", "c1", 300),
        answers("bob", draws.between(200, 900)),
    ];
    plan
}

/// Alice and bob are in a call, or about to be, and one of them dials the other again without hanging up.
pub fn recall(seed: Seed) -> Plan {
    unsettled(seed, recall_when_calm(seed))
}

/// Same as [`recall`], on a calm network.
pub fn recall_when_calm(seed: Seed) -> Plan {
    let mut plan = plan_of(seed, 2);
    let mut draws = seed.stream("calls/recall");
    let point = one_of(&mut draws, &[Point::Connected, Point::Connected, Point::Checking]);
    let connected = When::Reached {
        point,
        after_ms: draws.between(0, 1_500),
    };
    let host = one_of(&mut draws, &["alice", "bob"]);
    let (call, again) = ("c1".into(), "c2".into());
    plan.script = vec![
        dials("alice", "bob", "c1", draws.between(200, 600)),
        answers("alice", draws.between(20, 900)),
        answers("bob", draws.between(20, 900)),
        acts(host, connected, Act::Redial { call, again }),
    ];
    if draws.chance(Ppm::percent(40)) {
        let when = When::At {
            ms: draws.between(1_500, 6_000),
        };
        let host = one_of(&mut draws, &["alice", "bob"]);
        plan.script.push(hangs_up(host, "c2", when));
    }
    plan
}

/// Same as [`three_people`], where bob rejects alice's call.
pub fn rejecting(seed: Seed) -> Plan {
    let mut plan = three_people(seed);
    let mut draws = seed.stream("calls/rejecting");
    plan.script.retain(|s| s.host != "bob");
    let when = When::Reached {
        point: Point::Ringing,
        after_ms: draws.between(100, 1_200),
    };
    let call = "c1".into();
    plan.script.push(acts("bob", when, Act::Reject { call }));
    plan
}

/// Alice dials bob and retries within the call, before or after it is connected.
pub fn retrying(seed: Seed) -> Plan {
    let mut plan = plan_of(seed, 3);
    let mut draws = seed.stream("calls/retrying");
    let at = draws.between(900, 4_000);
    plan.script = vec![
        dials("alice", "bob", "c1", 300),
        answers("bob", draws.between(200, 900)),
        acts("alice", When::At { ms: at }, Act::Retry { call: "c1".into() }),
    ];
    plan
}
