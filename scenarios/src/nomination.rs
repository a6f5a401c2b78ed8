//! Story C's open question: with several working paths, which pair is used?
//!
//! Alice is on Wi-Fi and on cellular, there are no firewalls, and bob has one interface: two pairs work.

use std::time::Duration;

use sleet::{fault::partition, prelude::*, socket::UdpSocket, trace::Candidate, trace::EventKind};

use crate::{
    client::{Make, Policy, policy::ReceivePolicy},
    fixture::played,
    network::alice_on,
};

/// Alice's address on Wi-Fi.
const WIFI: &str = "10.1.0.1";
/// Her address on cellular.
const CELLULAR: &str = "10.1.1.1";

/// Returns the scenarios of the family.
pub fn family() -> Vec<Scenario> {
    let full = Policy::NAIVE.receiving(ReceivePolicy::Buffer);
    let bare = full.bare();
    vec![
        promise("nomination", full, two_paths).about(
            "Two paths work: both sides select the same pair, and none that works has a higher priority.",
        ),
        promise("nomination-bare", bare, two_paths).about("As nomination, with bare ICE agents."),
        promise("better-path-later", full, wifi_later)
            .about("Wi-Fi comes up after five seconds: the call connects over cellular."),
        promise("better-path-later-bare", bare, wifi_later)
            .about("As better-path-later, with bare ICE agents."),
        finding("equal-priorities", full, two_paths, &PAIR_03_RANKED)
            .about("A host with two addresses gives both candidates the same priority.")
            .from("docs/findings/0004-equal-priorities.md"),
        finding("equal-priorities-bare", bare, two_paths, &PAIR_03_RANKED)
            .about("As equal-priorities, with bare ICE agents.")
            .from("docs/findings/0004-equal-priorities.md"),
        finding("chosen-path-dies", full, wifi_dies, &PAIR_04_LAST_PAIR)
            .about("The selected path goes dark and another works: ICE fails without trying it.")
            .from("docs/findings/0005-no-fallback.md"),
        finding("chosen-path-dies-bare", bare, wifi_dies, &PAIR_04_LAST_PAIR)
            .about("The selected path goes dark and another works: ICE fails without trying it.")
            .from("docs/findings/0005-no-fallback.md"),
        chooser(
            "crossed-pairs",
            &PAIR_01_MIRRORED,
            &[("10.1.0.1", 9)],
            &[("10.1.0.1", 10)],
        )
        .about("A broken pair of reporters that each select a pair of their own."),
        chooser("second-best", &PAIR_02_BEST, &[("10.1.1.1", 9)], &[])
            .about("A broken reporter that selects the pair of lower priority although both work."),
    ]
}

fn promise(name: &str, app: impl Into<Make>, network: fn(Seed) -> Plan) -> Scenario {
    call(Kind::Promise, &format!("state/{name}"), app, network).holds(&[&PAIR_01_MIRRORED, &PAIR_02_BEST])
}

fn finding(name: &str, app: impl Into<Make>, network: fn(Seed) -> Plan, breaks: &'static Oracle) -> Scenario {
    let name = format!("findings/{name}");
    call(Kind::Finding, &name, app, network)
        .holds(&[&PAIR_01_MIRRORED, &PAIR_02_BEST])
        .expects(Expectation::broken(breaks, 1))
}

fn call(kind: Kind, name: &str, app: impl Into<Make>, network: fn(Seed) -> Plan) -> Scenario {
    played(kind, name, network, app)
        .from("docs/stories.md#c-connection-state")
        .holds(&[&CAND_01_APPLIED, &CONN_01_CONNECTS, &STATE_01_EDGES])
}

/// The story network without firewalls, where alice has Wi-Fi and a slower cellular link.
fn two_paths(seed: Seed) -> Plan {
    let mut draws = seed.stream("plan/two-paths");
    let (wifi, cellular) = (draws.between(8, 25), draws.between(30, 60));
    alice_on(seed, [("wlan0", WIFI, wifi), ("rmnet0", CELLULAR, cellular)])
}

/// Wi-Fi is dark for the first five seconds; by then the call is connected.
fn wifi_later(seed: Seed) -> Plan {
    Plan {
        faults: vec![wifi_dark(0, 5_000)],
        heal_at_ms: 5_000,
        talk_ms: 10_000,
        ..alice_on(seed, [("rmnet0", CELLULAR, 45), ("wlan0", WIFI, 12)])
    }
}

/// Wi-Fi goes dark for a minute while they talk. Cellular works, but answers too late to be selected first.
fn wifi_dies(seed: Seed) -> Plan {
    let dies = seed.stream("plan/wifi-dies").between(8_000, 10_000);
    Plan {
        faults: vec![wifi_dark(dies, dies + 60_000)],
        heal_at_ms: dies + 60_000,
        talk_ms: dies + 50_000,
        horizon_ms: dies + 120_000,
        ..alice_on(seed, [("wlan0", WIFI, 12), ("rmnet0", CELLULAR, 900)])
    }
}

fn wifi_dark(from_ms: u64, until_ms: u64) -> Fault {
    partition("alice/wlan0", Directions::Both, from_ms, until_ms)
}

/// Reporters at alice and bob, on two paths that work: alice selects `alice` to bob's port 9, and bob the pairs `bob`,
/// named by alice's address and bob's own port.
fn chooser(
    name: &str,
    oracle: &'static Oracle,
    alice: &'static [(&'static str, u16)],
    bob: &'static [(&'static str, u16)],
) -> Scenario {
    let story = move |sim: Sim, _| async move {
        both_paths_work(&sim).await;
        let pair = |local, remote| EventKind::PairSelected {
            peer: "c1".into(),
            local: format!("host {local}"),
            remote: format!("host {remote}"),
        };
        for (own, port) in alice {
            let kind = pair(format!("{own}:9"), format!("10.2.0.1:{port}"));
            sim.host("alice").run(|| sim.record(kind));
        }
        for (other, port) in bob {
            let kind = pair(format!("10.2.0.1:{port}"), format!("{other}:9"));
            sim.host("bob").run(|| sim.record(kind));
        }
    };
    let nobody_calls = |seed| Plan {
        script: Vec::new(),
        ..two_paths(seed)
    };
    let others = [
        &PAIR_01_MIRRORED,
        &PAIR_02_BEST,
        &PAIR_03_RANKED,
        &PAIR_04_LAST_PAIR,
    ];
    let others: Vec<&'static Oracle> = others.into_iter().filter(|o| o.id != oracle.id).collect();
    Scenario::new(Kind::Demonstration, &format!("state/{name}"), nobody_calls, story)
        .from("docs/stories.md#c-connection-state")
        .holds(&others)
        .expects(Expectation::broken(oracle, 1))
}

/// Alice offers, both gather, and a datagram goes each way over both paths.
async fn both_paths_work(sim: &Sim) {
    let gathers = |host: &str, address: &str, priority: u64| {
        let candidate = Candidate {
            attribute: format!("1 1 udp {priority} {address} 9 typ host"),
            ufrag: host.into(),
        };
        let peer = "c1".into();
        sim.host(host).run(|| {
            sim.record(EventKind::Gathered {
                peer,
                candidate: Some(candidate),
            });
        });
    };
    sim.host("alice").run(|| {
        sim.record(EventKind::Described {
            peer: "c1".into(),
            remote: false,
            kind: "offer".into(),
            ufrag: "alice".into(),
        });
    });
    let (alice, bob) = (sim.host("alice"), sim.host("bob"));
    gathers("bob", "10.2.0.1", 2_130_706_431);
    let at = |address: &str| address.parse().expect("an address");
    let Ok(there) = UdpSocket::bind(&bob, at("10.2.0.1:9")).await else {
        return sim.step("bob has no socket", "");
    };
    for (address, priority) in [("10.1.0.1:9", 2_130_706_431), ("10.1.1.1:9", 2_130_706_175)] {
        gathers("alice", address.trim_end_matches(":9"), priority);
        let Ok(here) = UdpSocket::bind(&alice, at(address)).await else {
            return sim.step("alice has no socket", address);
        };
        let _ = here.send_to(b"check", at("10.2.0.1:9")).await;
        let _ = there.send_to(b"answer", at(address)).await;
        sim.sleep(Duration::from_millis(500)).await;
    }
}
