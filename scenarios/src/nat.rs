//! Reachability: every NAT against every other, with STUN alone and with TURN.
//!
//! One seed is one cell: seeds 0 to 99 fill a matrix, and a suite that covers them must have reached every one. A table
//! from RFC 4787's rules (`sleet::reach::written`) says what must happen, cell by cell.

use std::sync::Arc;

use sleet::{
    driver, fault::partition, net::firewall::Filtering, net::nat::Mapping, prelude::*, reach, scenario::Cell,
    servers::IceServerSpec, signaling::Ordering,
};

use crate::{
    client::{Make, Policy, policy::ReceivePolicy},
    fixture::{self, played},
    network::{answers, story_a},
};

/// Filterings, by the letters of the matrix.
const MAPPINGS: [(&str, Mapping); 3] = [
    ("EI", Mapping::EndpointIndependent),
    ("AD", Mapping::AddressDependent),
    ("APD", Mapping::AddressAndPortDependent),
];
const FILTERINGS: [(&str, Filtering); 3] = [
    ("EI", Filtering::EndpointIndependent),
    ("AD", Filtering::AddressDependent),
    ("APD", Filtering::AddressAndPortDependent),
];
/// The number of kinds of NAT for a side: none, or one of each mapping and filtering.
const SIDES: u64 = 1 + (MAPPINGS.len() * FILTERINGS.len()) as u64;
const CELLS: u64 = SIDES * SIDES;

/// Candidates are buffered, so that only the network decides; bare agents, because only ICE decides.
const CLIENT: Make = Policy::NAIVE.receiving(ReceivePolicy::Buffer).bare();

/// Returns the scenarios of the family.
pub fn family() -> Vec<Scenario> {
    vec![
        matrix(
            "matrix-stun",
            "STUN alone: every NAT against every other connects where the rules allow it.",
            |seed| behind_nats(seed, false),
        ),
        matrix(
            "matrix-turn",
            "With TURN every pair connects, through the relay only where it must.",
            |seed| behind_nats(seed, true),
        ),
        full(
            "full-peers",
            "Peer connections, one cell of the matrix a seed, with TURN.",
        ),
        carrier(
            "carrier",
            "Each side behind a home NAT behind the same carrier's NAT: it must hairpin.",
        ),
        blocked(
            "udp-blocked",
            "A network that blocks UDP leaves no way at all: STUN and TURN run over UDP here.",
        ),
        cut_off(),
    ]
}

fn promise(name: &str, about: &str, app: impl Into<Make>, network: fn(Seed) -> Plan) -> Scenario {
    let deployment = Arc::new(fixture::deployment(app));
    let story = move |sim: Sim, plan: Arc<Plan>| {
        let Cell { row, column, .. } = cell(&plan);
        sim.mark(&cell_mark(row, column));
        driver::play(sim, plan, deployment.clone())
    };
    Scenario::new(Kind::Promise, &format!("nat/{name}"), network, story)
        .about(about)
        .from("RFC 4787 sections 4 and 5")
        .from("docs/nats.md#who-must-reach-whom")
        .holds(&[
            &CAND_01_APPLIED,
            &TEAR_01_CLOSES,
            &TEAR_02_NOTHING_LEFT,
            &TEAR_05_STACK_ENDS,
            &REACH_01_AS_COMPUTED,
        ])
        .expects(Expectation::known_defect(&PACE_01_PACED, storms))
        .fills(Row::Matrix(cell))
}

fn matrix(name: &str, about: &str, network: fn(Seed) -> Plan) -> Scenario {
    let cells: Vec<String> = (0..CELLS)
        .map(|c| cell_mark(side(c / SIDES).0, side(c % SIDES).0))
        .collect();
    promise(name, about, CLIENT, network).reaches(&cells, CELLS)
}

fn full(name: &str, about: &str) -> Scenario {
    let app = Policy::NAIVE.receiving(ReceivePolicy::Buffer);
    promise(name, about, app, |seed| behind_nats(seed, true))
}

fn carrier(name: &str, about: &str) -> Scenario {
    promise(name, about, CLIENT, behind_carrier)
}

fn blocked(name: &str, about: &str) -> Scenario {
    promise(name, about, CLIENT, |seed| {
        let mut plan = behind_nats(seed, true);
        for nat in &mut plan.topology.nats {
            nat.spec.blocks_udp = true;
        }
        plan
    })
}

/// A network that does not behave as its NATs promise.
fn cut_off() -> Scenario {
    let network = |seed| {
        let mut plan = behind_nats(seed, true);
        plan.heal_at_ms = 50_000;
        plan.inject(partition("alice", Directions::Down, 400, 50_000));
        plan.budget_ms = 100;
        plan
    };
    played(Kind::Demonstration, "nat/cut-off", network, CLIENT)
        .about("A link that loses what the NATs would let through: the call does not go the way that was computed.")
        .from("docs/nats.md#who-must-reach-whom")
        .expects(Expectation::broken(&REACH_01_AS_COMPUTED, 1))
}

/// Where two symmetric NATs let strangers in, every check that arrives comes from a new port, every new port is
/// checked in turn, and the stack keeps neither RFC 8445's pace nor its limit of pairs (docs/findings/0007).
fn storms(plan: &Plan) -> Option<KnownDefect> {
    let Cell { row, column, .. } = cell(plan);
    let blocked = plan.topology.nats.iter().any(|n| n.spec.blocks_udp);
    let nested = plan.topology.nats.iter().any(|n| n.behind.is_some());
    // A relay is found before the slower of the storms has grown, but for 1 of 1,000 seeds, and now and then before any has. Behind a
    // carrier's NAT it grows to the limit on 4 of 1,000 seeds.
    let turn = plan.ice_servers.iter().any(|s| s.turn);
    let stormy = matches!(
        (row.as_str(), column.as_str()),
        ("APD/EI", "APD/EI" | "APD/AD") | ("APD/AD", "APD/EI")
    );
    (stormy && !blocked).then_some(KnownDefect {
        always: !turn && !nested,
        explains: |_| true,
        // It reaches the bound of the run, and everything is still there then; or it is under way when the peers are closed.
        with: &[
            &RUN_02_BOUNDED,
            &TEAR_01_CLOSES,
            &TEAR_02_NOTHING_LEFT,
            &TEAR_05_STACK_ENDS,
        ],
    })
}

/// Returns the name and the NAT of the side number `n`.
fn side(n: u64) -> (String, Option<NatSpec>) {
    match n.checked_sub(1) {
        None => ("open".to_owned(), None),
        Some(n) => {
            let (mapping, filtering) = (MAPPINGS[n as usize / 3], FILTERINGS[n as usize % 3]);
            (
                format!("{}/{}", mapping.0, filtering.0),
                Some(NatSpec::of(mapping.1, filtering.1)),
            )
        }
    }
}

fn cell_mark(row: String, column: String) -> String {
    format!("cell {row} to {column}")
}

/// Returns the NATs of the two sides of `plan`, and what must happen.
fn cell(plan: &Plan) -> Cell {
    let behind = |host: &str| {
        let nat = plan.topology.host(host).and_then(|h| h.nat.clone());
        let spec = nat
            .and_then(|nat| plan.topology.nats.iter().find(|n| n.name == nat))
            .map(|n| n.spec);
        spec.map_or_else(|| "open".to_owned(), |spec| name_of(&spec))
    };
    Cell {
        row: behind("alice"),
        column: behind("bob"),
        expected: reach::must(plan, "alice", "bob"),
    }
}

fn name_of(spec: &NatSpec) -> String {
    let named = (1..SIDES)
        .map(side)
        .find(|(_, s)| s.is_some_and(|s| s.mapping == spec.mapping && s.filtering == spec.filtering));
    named.map_or_else(String::new, |(name, _)| name)
}

/// Alice and bob behind the NATs of the seed's cell, quick signaling that keeps order, one server.
fn behind_nats(seed: Seed, turn: bool) -> Plan {
    in_cell(seed, seed.0 % CELLS, turn)
}

/// Both are behind NATs with address and port-dependent mapping and open filtering, with STUN alone.
pub fn stormy(seed: Seed) -> Plan {
    Plan {
        // Enough to show it: the storm grows until something stops it.
        max_packets: 2_000,
        ..in_cell(seed, 7 * SIDES + 7, false)
    }
}

fn in_cell(seed: Seed, cell: u64, turn: bool) -> Plan {
    let (alice, bob) = (side(cell / SIDES).1, side(cell % SIDES).1);
    let mut plan = quiet(seed, turn);
    for (host, external, spec) in [("alice", "203.0.113.1", alice), ("bob", "198.51.100.1", bob)] {
        let Some(spec) = spec else { continue };
        put_behind(&mut plan, host, external, spec);
    }
    plan
}

/// Both are behind home NATs of the seed's cell, which are behind one carrier-grade NAT (RFC 6888).
fn behind_carrier(seed: Seed) -> Plan {
    let mut plan = quiet(seed, true);
    let cell = seed.0 % CELLS;
    // A carrier's NAT has endpoint-independent mapping (RFC 6888, REQ-1).
    let filtering = FILTERINGS[(seed.0 / 7 % 3) as usize].1;
    let spec = NatSpec::of(Mapping::EndpointIndependent, filtering);
    plan.topology = plan.topology.with_nat("carrier", "192.0.2.1", spec);
    for (host, external, n) in [
        ("alice", "100.64.0.1", cell / SIDES),
        ("bob", "100.64.0.2", cell % SIDES),
    ] {
        let nat = format!("home of {host}");
        let spec = side(n.max(1)).1.unwrap_or(NatSpec::cone());
        plan.topology = plan.topology.with_nat(&nat, external, spec).nested_in("carrier");
        put_inside(&mut plan, host, &nat);
    }
    plan
}

/// Puts `host` behind a NAT of its own.
pub fn put_behind(plan: &mut Plan, host: &str, external: &str, spec: NatSpec) {
    let nat = format!("nat of {host}");
    plan.topology = std::mem::take(&mut plan.topology).with_nat(&nat, external, spec);
    put_inside(plan, host, &nat);
}

fn put_inside(plan: &mut Plan, host: &str, nat: &str) {
    for spec in plan.topology.hosts.iter_mut().filter(|h| h.name == host) {
        spec.nat = Some(nat.to_owned());
    }
}

/// Alice, bob, signaling that keeps order and a server for STUN, and for TURN too if `turn`.
pub fn quiet(seed: Seed, turn: bool) -> Plan {
    let link = |ms| LinkProfile::good(Latency::constant_ms(ms));
    let mut plan = story_a(seed);
    // The longest of these calls sends about 4,200; a storm is cut short.
    plan.max_packets = 9_000;
    plan.topology = Topology::new([
        HostSpec::new("alice", "10.1.0.1", link(10)),
        HostSpec::new("bob", "10.2.0.1", link(15)),
        HostSpec::new("server", "192.0.2.80", link(2)),
        HostSpec::new("relay", "192.0.2.34", link(5)),
    ]);
    plan.ice_servers = vec![IceServerSpec {
        host: "relay".into(),
        turn,
    }];
    plan.service().ordering = Ordering::InOrder;
    plan.service().descriptions = Latency::uniform_ms(1, 10);
    plan.service().others = Latency::uniform_ms(1, 10);
    plan.script[1] = answers("bob", 200);
    plan
}
