//! Scale: many calls at once in one world, around one signaling server and one server for STUN and TURN.
//!
//! There are no faults: the question is whether every one of many calls connects that would connect alone, whether none
//! disturbs another, and what a call costs among many. The seed decides how many peers there are, so that most worlds
//! are small: the hundred seeds of a quick suite have up to 64 peers, the thousand of `ci` one world of 1,024.

use sleet::{
    prelude::*, seed::Stream, servers::IceServerSpec, signaling::Ordering, signaling::SignalingSpec,
};

use crate::{
    client::{Make, Policy},
    fixture::played,
    nat::put_behind,
    network::{answers, dials, link},
};

/// The largest number of peers in a world.
pub const MOST: u64 = 1_024;
/// The largest number of peers in a group, including the caller.
const GROUP: u64 = 6;
/// The time from the first dial to the last, in milliseconds.
const DIALED_WITHIN_MS: u64 = 2_000;
/// The bound on packets per call: three times what the dearest of them sends.
const PACKETS_PER_CALL: u64 = 3_000;

/// Returns the scenarios of the family.
pub fn family() -> Vec<Scenario> {
    vec![
        scale("pairs", Policy::FIXED.bare(), |seed| pairs(seed, peers(seed) / 2))
            .about("One caller, one callee, many times over: every call connects, with bare ICE agents."),
        scale("pairs-full", Policy::FIXED.full(), |seed| {
            pairs(seed, (peers(seed) / 2).min(128))
        })
        .about("As pairs, with peer connections, up to 256 of them."),
        scale("groups", Policy::FIXED.bare(), |seed| groups(seed, peers(seed))).about(
            "Groups of up to six: one dials all others of the group at once, and every call connects.",
        ),
        scale("relayed", Policy::FIXED.bare(), |seed| {
            relayed(seed, (peers(seed) / 2).min(128))
        })
        .about("As pairs, with callers and callees behind NATs, and one TURN server for all of them."),
    ]
}

fn scale(name: &str, app: impl Into<Make>, network: fn(Seed) -> Plan) -> Scenario {
    played(Kind::Promise, &format!("scale/{name}"), network, app)
        .from("docs/performance.md#many-calls-in-one-world")
        .holds(&[&CONN_01_CONNECTS, &TEAR_01_CLOSES, &TEAR_02_NOTHING_LEFT])
}

/// Returns the number of peers in the world of `seed`: an even number from 2 to [`MOST`].
fn peers(seed: Seed) -> u64 {
    match seed.0 % 1_000 {
        999 => MOST,
        899 => MOST / 2,
        799 => MOST / 4,
        699 => MOST / 8,
        n if n % 100 == 99 => MOST / 16,
        n if n % 25 == 24 => MOST / 32,
        n => 2 * (1 + n % 5),
    }
}

/// Returns a plan with `calls` calls at once, each between two peers of its own.
pub fn pairs(seed: Seed, calls: u64) -> Plan {
    let mut draws = seed.stream("plan/scale");
    let mut plan = world(seed, calls * 2, &mut draws);
    for call in 0..calls {
        let (caller, callee) = (name(2 * call), name(2 * call + 1));
        let at_ms = 200 + draws.between(0, DIALED_WITHIN_MS);
        plan.script
            .push(dials(&caller, &callee, &format!("c{call}"), at_ms));
        plan.script.push(answers(&callee, draws.between(200, 1_000)));
    }
    plan.max_packets = PACKETS_PER_CALL * calls;
    plan
}

/// Returns a plan with `peers` peers in groups, each dialed by its first peer.
pub fn groups(seed: Seed, peers: u64) -> Plan {
    let mut draws = seed.stream("plan/scale");
    let mut plan = world(seed, peers, &mut draws);
    let (mut first, mut group) = (0, 0);
    while first + 1 < peers {
        let size = draws.between(2, GROUP).min(peers - first);
        let others: Vec<String> = (first + 1..first + size).map(name).collect();
        let at_ms = 200 + draws.between(0, DIALED_WITHIN_MS);
        for other in &others {
            plan.script.push(answers(other, draws.between(200, 1_000)));
        }
        plan.script.push(Scripted {
            host: name(first),
            when: When::At { ms: at_ms },
            act: Act::DialGroup {
                group: format!("g{group}"),
                to: others,
            },
        });
        (first, group) = (first + size, group + 1);
    }
    plan.max_packets = PACKETS_PER_CALL * peers;
    plan
}

/// Same as [`pairs`], with every peer behind a NAT of its own, or none.
pub fn relayed(seed: Seed, calls: u64) -> Plan {
    let mut plan = pairs(seed, calls);
    plan.topology
        .hosts
        .push(HostSpec::new("relay", "192.0.2.34", link(5)));
    plan.ice_servers = vec![IceServerSpec {
        host: "relay".into(),
        turn: true,
    }];
    let mut draws = seed.stream("plan/scale-nats");
    for peer in 0..2 * calls {
        let spec = match draws.below(3) {
            0 => continue,
            1 => NatSpec::cone(),
            _ => NatSpec::symmetric(),
        };
        let external = format!("203.0.{}.{}", peer / 250, peer % 250 + 1);
        put_behind(&mut plan, &name(peer), &external, spec);
    }
    plan
}

/// Returns a world with `peers` peers on good links and a server that keeps order, without dials.
fn world(seed: Seed, peers: u64, draws: &mut Stream) -> Plan {
    let quick = Latency::uniform_ms(1, 10);
    let mut hosts: Vec<HostSpec> = (0..peers)
        .map(|peer| {
            let address = format!("10.{}.{}.1", 1 + peer / 250, peer % 250);
            HostSpec::new(&name(peer), &address, link(draws.between(8, 40)))
        })
        .collect();
    let near = LinkProfile::good(Latency::constant_ms(2));
    hosts.push(HostSpec::new("server", "192.0.2.80", near));
    let mut plan = crate::network::story_a(seed);
    plan.signaling = Some(SignalingSpec {
        ordering: Ordering::InOrder,
        descriptions: quick.clone(),
        others: quick,
        acknowledged: true,
        ..SignalingSpec::PROMPT
    });
    Plan {
        topology: Topology::new(hosts),
        script: Vec::new(),
        ..plan
    }
}

/// Returns the name of a peer.
fn name(peer: u64) -> String {
    format!("peer{peer}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thousand_seeds_have_one_of_the_largest_worlds_and_a_hundred_are_small() {
        let sizes: Vec<u64> = (0..1_000).map(|n| peers(Seed(n))).collect();
        assert_eq!(sizes.iter().filter(|n| **n == MOST).count(), 1);
        assert_eq!(sizes[..100].iter().max(), Some(&64));
        assert!(sizes.iter().all(|n| n % 2 == 0 && (2..=MOST).contains(n)));
        assert!(
            sizes[..100].iter().sum::<u64>() < 1_000,
            "a quick suite stays quick"
        );
    }

    #[test]
    fn the_largest_worlds_are_valid() {
        for plan in [
            pairs(Seed(1), MOST / 2),
            groups(Seed(1), MOST),
            relayed(Seed(1), 128),
        ] {
            assert_eq!(plan.check(), Ok(()));
        }
        assert_eq!(groups(Seed(3), 7).topology.hosts.len(), 8);
    }
}
