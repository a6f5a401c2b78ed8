//! Calls to a user with several devices: the acts of users, drawn from the seed. Every act can be left out of a plan by
//! itself.

use sleet::{fault::host_crash, prelude::*, seed::Stream, trace::Point};

use super::setup::{acts, hangs_up, one_of, plan_for, redials, unsettled};
use crate::network::{answers, dials};

/// The devices of bob.
const DEVICES: [&str; 3] = ["phone", "laptop", "tablet"];

/// Returns a plan with alice, who dials bob on two or three devices, and carol.
fn bob_has_devices(seed: Seed, draws: &mut Stream) -> Plan {
    let devices = &DEVICES[..draws.between(2, 3) as usize];
    let mut plan = plan_for(seed, &[&["alice", "carol"], devices].concat());
    plan.users = vec![User::new("bob", devices)];
    plan.script = vec![dials("alice", "bob", "c1", draws.between(200, 600))];
    plan
}

/// Returns the devices of bob in `plan`.
fn devices(plan: &Plan) -> Vec<&'static str> {
    let rings = |device: &&str| plan.users[0].devices.iter().any(|d| d == device);
    DEVICES.into_iter().filter(rings).collect()
}

/// Alice dials bob, who accepts on one device, or on two at once. Sometimes one of them hangs up.
pub fn answered(seed: Seed) -> Plan {
    unsettled(seed, answered_when_calm(seed))
}

/// Same as [`answered`], on a calm network.
pub fn answered_when_calm(seed: Seed) -> Plan {
    let mut draws = seed.stream("calls/forked-answered");
    let mut plan = bob_has_devices(seed, &mut draws);
    let first = draws.between(500, 900);
    let later = draws.between(0, 400);
    let second = first + one_of(&mut draws, &[0, 20, later]);
    plan.script.push(answers("phone", first));
    if draws.chance(Ppm::percent(70)) {
        plan.script.push(answers("laptop", second));
    }
    if draws.chance(Ppm::percent(60)) {
        let host = one_of(&mut draws, &["alice", "phone", "laptop"]);
        let ms = draws.between(600, 6_000);
        plan.script.push(hangs_up(host, "c1", When::At { ms }));
        plan.script
            .push(redials("alice", "c1", "c2", draws.between(0, 50)));
    }
    plan
}

/// Alice dials bob, who rejects on one device while the others ring, and may accept on another at the same time.
pub fn declined(seed: Seed) -> Plan {
    unsettled(seed, declined_when_calm(seed))
}

/// Same as [`declined`], on a calm network.
pub fn declined_when_calm(seed: Seed) -> Plan {
    let mut draws = seed.stream("calls/forked-declined");
    let mut plan = bob_has_devices(seed, &mut draws);
    let after_ms = draws.between(100, 900);
    let rings = When::Reached {
        point: Point::Ringing,
        after_ms,
    };
    let device = one_of(&mut draws, &devices(&plan));
    let call = "c1".into();
    plan.script.push(acts(device, rings, Act::Reject { call }));
    if draws.chance(Ppm::percent(40)) {
        let other = if device == "phone" { "laptop" } else { "phone" };
        plan.script.push(answers(other, after_ms + draws.between(0, 60)));
    }
    plan.script
        .push(redials("alice", "c1", "c2", draws.between(0, 900)));
    plan
}

/// Alice dials bob and hangs up while all his devices ring, or before they do, and dials again.
pub fn cancelled(seed: Seed) -> Plan {
    unsettled(seed, cancelled_when_calm(seed))
}

/// Same as [`cancelled`], on a calm network.
pub fn cancelled_when_calm(seed: Seed) -> Plan {
    let mut draws = seed.stream("calls/forked-cancelled");
    let mut plan = bob_has_devices(seed, &mut draws);
    let point = one_of(&mut draws, &[Point::Ringing, Point::Ringing, Point::OfferSent]);
    let after_ms = draws.between(0, 800);
    let hangup = hangs_up("alice", "c1", When::Reached { point, after_ms });
    plan.script.push(hangup);
    plan.script.push(answers("phone", draws.between(600, 1_200)));
    plan.script
        .push(redials("alice", "c1", "c2", draws.between(0, 50)));
    plan
}

/// Alice dials bob, one of whose devices is down from before the call on or crashes while it rings; he accepts on
/// another.
pub fn one_is_off(seed: Seed) -> Plan {
    let mut draws = seed.stream("calls/forked-one-is-off");
    let mut plan = bob_has_devices(seed, &mut draws);
    let off = one_of(&mut draws, &devices(&plan));
    let from_ms = draws.between(100, 1_600);
    let until_ms = from_ms + draws.between(500, 6_000);
    plan.heal_at_ms = 9_000;
    plan.inject(host_crash(off, from_ms, until_ms));
    let other = if off == "phone" { "laptop" } else { "phone" };
    plan.script.push(answers(other, draws.between(400, 900)));
    if draws.chance(Ppm::percent(40)) {
        plan.script.push(answers(off, draws.between(400, 900)));
    }
    plan
}

/// Bob talks to carol on his laptop when alice dials him: that device is busy, the others ring.
pub fn one_is_busy(seed: Seed) -> Plan {
    unsettled(seed, one_is_busy_when_calm(seed))
}

/// Same as [`one_is_busy`], on a calm network.
pub fn one_is_busy_when_calm(seed: Seed) -> Plan {
    let mut draws = seed.stream("calls/forked-one-is-busy");
    let mut plan = bob_has_devices(seed, &mut draws);
    plan.script[0] = dials("alice", "bob", "c1", draws.between(2_000, 3_000));
    plan.script.push(dials("carol", "laptop", "c0", 200));
    plan.script.push(answers("laptop", draws.between(20, 300)));
    plan.script.push(answers("phone", draws.between(400, 900)));
    if draws.chance(Ppm::percent(40)) {
        let host = one_of(&mut draws, &["carol", "laptop"]);
        let ms = draws.between(2_000, 5_000);
        plan.script.push(hangs_up(host, "c0", When::At { ms }));
    }
    plan
}
