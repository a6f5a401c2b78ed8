//! The calls that `sweep --all` sweeps: each of their packets and messages is lost, doubled, late, cut and damaged
//! once.
//!
//! The links lose nothing and always take the same time, signaling is acknowledged, and the client keeps every call: so
//! a failure here is the effect of one packet.

use std::time::Duration;

use sleet::{
    fault::partition, net::firewall::FirewallSpec, prelude::*, signaling::Ordering, signaling::SignalingSpec,
    sweep::KnownBreak, sweep::Listed, trace::Point,
};

use crate::{
    client::{Make, Policy},
    fixture::played,
    nat::{put_behind, quiet},
};

/// The runs that are swept, by CI too.
pub const SWEPT: &[Listed] = &[
    listed("sweep/host", &[]),
    listed("sweep/srflx", &[]),
    listed("sweep/relay", RELAYED_BARE),
    listed("sweep/full", &[]),
    listed("sweep/full-relay", RELAYED),
    listed("sweep/restart", &[]),
    listed("sweep/hangup", &[]),
];

const ALLOCATED: KnownBreak = KnownBreak {
    page: "docs/findings/0016-allocate-sent-again.md",
    kind: "Allocate re",
    done: &["lost", "late", "cut"],
    oracle: TEAR_02_NOTHING_LEFT.id,
};
const GOODBYE: KnownBreak = KnownBreak {
    page: "docs/findings/0018-goodbye-said-once.md",
    kind: "Refresh request that ends it",
    done: &["lost", "late", "cut", "flipped"],
    oracle: TEAR_02_NOTHING_LEFT.id,
};

/// What breaks `oracle` because it makes a TURN client read no more.
const fn deafens(kind: &'static str, done: &'static [&'static str], oracle: &Oracle) -> KnownBreak {
    KnownBreak {
        page: "docs/findings/0017-turn-reads-no-more.md",
        kind,
        done,
        oracle: oracle.id,
    }
}

/// The known effects of one packet on a call of peer connections with a TURN server.
const RELAYED: &[KnownBreak] = &[
    ALLOCATED,
    deafens("CreatePermission response", &["cut", "flipped"], &TEAR_01_CLOSES),
    deafens("ChannelBind response", &["cut", "flipped"], &TEAR_01_CLOSES),
    deafens("Data indication", &["cut"], &TEAR_01_CLOSES),
    GOODBYE,
];

/// The same for bare agents: what a deaf client still asks when it is closed is sent again for seconds.
const RELAYED_BARE: &[KnownBreak] = &[
    ALLOCATED,
    deafens("CreatePermission response", &["cut", "flipped"], &TEAR_01_CLOSES),
    deafens("ChannelBind response", &["cut", "flipped"], &TEAR_01_CLOSES),
    deafens("ChannelBind response", &["cut", "flipped"], &TEAR_06_SILENT),
    deafens("Data indication", &["cut"], &TEAR_01_CLOSES),
    deafens("Data indication", &["cut"], &TEAR_06_SILENT),
    GOODBYE,
];

const fn listed(scenario: &'static str, known: &'static [KnownBreak]) -> Listed {
    Listed {
        scenario,
        seed: 1,
        known,
    }
}

/// The budget of a call in milliseconds, for an attempt that fails and one that connects.
const BUDGET_MS: u64 = 20_000;
/// The time that a caller waits for an answer, and then for the connection.
const PATIENCE: Duration = Duration::from_secs(6);
/// The time that a caller tolerates *disconnected* before it restarts ICE.
const BEARS: Duration = Duration::from_secs(1);

/// Returns the scenarios of the family.
pub fn family() -> Vec<Scenario> {
    let fixed = Policy::FIXED;
    vec![
        call("host", fixed.bare(), host)
            .about("Behind firewalls, without servers: bare agents connect from host to host."),
        call("srflx", fixed.bare(), |seed| {
            behind(quiet(seed, false), NatSpec::port_restricted())
        })
        .about("Behind NATs that keep a mapping, with a STUN server: bare agents connect from outside to outside."),
        call("relay", fixed.bare(), |seed| behind(quiet(seed, true), NatSpec::symmetric()))
            .about("Behind symmetric NATs, with a TURN server: bare agents connect through the relay."),
        call("full", fixed.full(), host).about("As host, with peer connections: DTLS, SCTP and a data channel."),
        call("full-relay", fixed.full(), |seed| {
            behind(quiet(seed, true), NatSpec::symmetric())
        })
        .about("As relay, with peer connections."),
        call("restart", fixed.restarting(PATIENCE, BEARS).bare(), wifi_dies)
            .about("Wi-Fi dies in a call while cellular works: the caller restarts ICE.")
            .holds(&[&BACK_01_COMES_BACK]),
        call("hangup", fixed.full(), hung_up)
            .about("The caller hangs up a call that they talk over, and dials again at once."),
    ]
}

fn call(name: &str, app: Make, network: impl Fn(Seed) -> Plan + Send + Sync + 'static) -> Scenario {
    let draw = move |seed| {
        let mut plan = steady(network(seed));
        plan.budget_ms = BUDGET_MS;
        plan.horizon_ms = plan.horizon_ms.max(plan.heal_at_ms + 90_000);
        plan
    };
    played(Kind::Promise, &format!("sweep/{name}"), draw, app)
        .from("docs/sweep.md")
        .holds(&[&CONN_01_CONNECTS, &TEAR_01_CLOSES, &TEAR_02_NOTHING_LEFT])
}

/// Makes signaling acknowledged, ordered and of constant delay, and removes all slow steps.
pub(crate) fn steady(mut plan: Plan) -> Plan {
    plan.slow_steps.clear();
    plan.signaling = Some(SignalingSpec {
        ordering: Ordering::InOrder,
        descriptions: Latency::constant_ms(5),
        others: Latency::constant_ms(2),
        push: None,
        acknowledged: true,
        ..SignalingSpec::PROMPT
    });
    plan
}

/// Alice and bob are behind firewalls, without STUN and TURN.
pub(crate) fn host(seed: Seed) -> Plan {
    let mut plan = quiet(seed, false);
    plan.ice_servers.clear();
    plan.topology.hosts.retain(|h| h.name != "relay");
    for host in plan.topology.hosts.iter_mut().filter(|h| h.name != "server") {
        host.firewall = Some(FirewallSpec::STRICT);
    }
    plan
}

/// Puts both behind NATs with the specification `nat`.
pub(crate) fn behind(mut plan: Plan, nat: NatSpec) -> Plan {
    put_behind(&mut plan, "alice", "203.0.113.1", nat);
    put_behind(&mut plan, "bob", "198.51.100.1", nat);
    plan
}

/// Alice is on cellular, over which her signaling goes, and on Wi-Fi, which goes dark while they talk.
fn wifi_dies(seed: Seed) -> Plan {
    let link = |ms| LinkProfile::good(Latency::constant_ms(ms));
    let mut plan = host(seed);
    let alice = HostSpec {
        interfaces: Vec::new(),
        firewall: None,
        ..plan.topology.hosts[0].clone()
    };
    plan.topology.hosts[0] =
        alice
            .interface("rmnet0", "10.1.1.1", link(45))
            .interface("wlan0", "10.1.0.1", link(12));
    plan.topology.hosts[1].firewall = None;
    Plan {
        faults: vec![partition("alice/wlan0", Directions::Both, 2_500, 30_000)],
        heal_at_ms: 30_000,
        talk_ms: 15_000,
        ..plan
    }
}

/// Alice hangs up soon after the call is connected, and dials again at once.
fn hung_up(seed: Seed) -> Plan {
    let mut plan = host(seed);
    let acts = |when, act| Scripted {
        host: "alice".into(),
        when,
        act,
    };
    let (call, again) = ("c1".to_owned(), "c2".to_owned());
    let talking = When::Reached {
        point: Point::Connected,
        after_ms: 500,
    };
    plan.script
        .push(acts(talking, Act::Hangup { call: call.clone() }));
    let over = When::Over { after_ms: 50 };
    plan.script.push(acts(over, Act::Redial { call, again }));
    plan
}
