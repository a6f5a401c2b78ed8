//! One lost or damaged packet that should be harmless: findings of sweeps (docs/sweep.md).
//!
//! The client does not try again: the stack below it should make up for the loss, and does not. Everything in these
//! calls takes a fixed time, so that a packet number means the same packet on every seed.

use sleet::{fault::PacketVerdict, fault::ice_server_down, fault::kinds::Packet, prelude::*};

use crate::{
    client::{Make, Policy, policy::Recovery},
    fixture::played,
    nat::quiet,
    sweeps::{behind, host, steady},
};

/// The client that keeps every call, without recovery.
const ONCE: Policy = Policy {
    recover: Recovery::Never,
    ..Policy::FIXED
};

/// Returns the scenarios of the family.
pub fn family() -> Vec<Scenario> {
    let mut all = vec![
        finding("last-flight-lost", ONCE.full(), &CONN_01_CONNECTS, without_the_last_flight)
            .about("The last flight of the DTLS handshake is lost: its sender has done with the handshake, and never sends it again.")
            .from("docs/findings/0015-last-flight-lost.md")
            .from("RFC 6347 section 4.2.4"),
    ];
    for (suffix, app) in [("", ONCE.full()), ("-bare", ONCE.bare())] {
        all.extend([
            finding(&format!("stun-asked-once{suffix}"), app, &CONN_01_CONNECTS, stun_begins_late)
                .about("The STUN server answers nothing for a tenth of a second: the caller has asked it once, and never learns her address.")
                .from("docs/findings/0014-stun-asked-once.md")
                .from("RFC 8489 section 6.2.1"),
            finding(&format!("allocate-sent-again{suffix}"), app, &TEAR_02_NOTHING_LEFT, without_the_allocation)
                .about("The answer to an Allocate request is lost: the request is sent again and refused, and the allocation is nobody's.")
                .from("docs/findings/0016-allocate-sent-again.md")
                .from("RFC 8656 section 7.2"),
            finding(&format!("turn-reads-no-more{suffix}"), app, &TEAR_01_CLOSES, with_half_a_packet)
                .about("One packet of the TURN server comes without its end: the client reads nothing from the server any more.")
                .from("docs/findings/0017-turn-reads-no-more.md"),
            finding(&format!("turn-hurries{suffix}"), app, &STUN_01_SCHEDULE, turn_begins_late)
                .about("The TURN server answers nothing for two seconds: requests are sent again after a fifth of a second, and soon no later than before.")
                .from("docs/findings/0024-turn-hurries.md")
                .from("RFC 8489 section 6.2.1"),
        ]);
    }
    all
}

fn finding(name: &str, app: Make, breaks: &'static Oracle, network: fn(Seed) -> Plan) -> Scenario {
    played(Kind::Finding, &format!("findings/{name}"), network, app).expects(Expectation::broken(breaks, 1))
}

/// The time of the healing, in milliseconds: after the treated packet, in every one of these calls.
const HEALED_MS: u64 = 1_000;

/// Returns `plan` with `verdict` on the packet that `link` carries up as number `ordinal`.
fn hit(plan: Plan, link: &str, ordinal: u64, verdict: PacketVerdict) -> Plan {
    let target = Target::ends(link, Directions::Up);
    Plan {
        faults: vec![Fault::new(target, Packet { ordinal, verdict }, 0, None)],
        heal_at_ms: HEALED_MS,
        budget_ms: 10_000,
        ..steady(plan)
    }
}

/// Both are behind NATs with address and port-dependent filtering. The caller dials at 200 ms and gathers at once.
fn stun_begins_late(seed: Seed) -> Plan {
    let plan = steady(behind(quiet(seed, false), NatSpec::port_restricted()));
    Plan {
        faults: vec![ice_server_down("relay", 0, Some(300))],
        heal_at_ms: 300,
        budget_ms: 10_000,
        ..plan
    }
}

/// The TURN server begins two seconds after everything else. The callee's phone rings on until it is there.
fn turn_begins_late(seed: Seed) -> Plan {
    Plan {
        faults: vec![ice_server_down("relay", 0, Some(2_000))],
        heal_at_ms: 2_000,
        budget_ms: 30_000,
        ..steady(quiet(seed, true))
    }
}

/// ChangeCipherSpec and Finished of the caller, who is the DTLS server, are lost.
fn without_the_last_flight(seed: Seed) -> Plan {
    hit(host(seed), "alice", 30, PacketVerdict::Drop)
}

/// The first success response to an Allocate request is lost.
fn without_the_allocation(seed: Seed) -> Plan {
    hit(relayed(seed), "relay", 2, PacketVerdict::Drop)
}

/// Half of the first CreatePermission response arrives.
fn with_half_a_packet(seed: Seed) -> Plan {
    hit(relayed(seed), "relay", 6, PacketVerdict::Truncate { bytes: 22 })
}

/// Both are behind symmetric NATs, with a TURN server.
fn relayed(seed: Seed) -> Plan {
    behind(quiet(seed, true), NatSpec::symmetric())
}
