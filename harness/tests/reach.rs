//! The reachability model against libwebrtc's table and RFC 4787's terms.

use sleet::{
    fault::{PLAN_VERSION, Plan},
    net::{
        firewall::FirewallSpec,
        latency::Latency,
        link::LinkProfile,
        nat::NatSpec,
        topology::{HostSpec, Topology},
    },
    reach::{Reach, expected},
    servers::IceServerSpec,
    signaling::{Ordering, SignalingSpec},
};

fn plan(topology: Topology, turn: Option<bool>) -> Plan {
    Plan {
        v: PLAN_VERSION,
        topology,
        signaling: SignalingSpec {
            ordering: Ordering::InOrder,
            descriptions: Latency::NONE,
            others: Latency::NONE,
            push: None,
            acknowledged: false,
        },
        ice_servers: Vec::from_iter(turn.map(|turn| IceServerSpec {
            host: "relay".into(),
            turn,
        })),
        ice_timeouts: None,
        signal_faults: Vec::new(),
        service_faults: Vec::new(),
        order: None,
        stretch: Vec::new(),
        script: Vec::new(),
        faults: Vec::new(),
        heal_at_ms: 0,
        talk_ms: 1,
        budget_ms: 1,
        horizon_ms: 1,
        max_packets: 1,
    }
}

fn hosts() -> Topology {
    let host = |name, address| HostSpec::new(name, address, LinkProfile::default());
    Topology::new([
        host("alice", "10.1.0.1"),
        host("bob", "10.2.0.1"),
        host("relay", "192.0.2.34"),
    ])
}

fn behind(alice: Option<NatSpec>, bob: Option<NatSpec>) -> Topology {
    let mut topology = hosts();
    for (i, name, external, spec) in [(0, "a", "203.0.113.1", alice), (1, "b", "198.51.100.1", bob)] {
        if let Some(spec) = spec {
            topology = topology.with_nat(name, external, spec);
            topology.hosts[i].nat = Some(name.to_owned());
        }
    }
    topology
}

/// The 10 × 10 matrix of libwebrtc's p2p_transport_channel_unittest.cc, by the kinds of NAT that it tells apart.
#[test]
fn stun_alone_reaches_whom_libwebrtcs_table_says() {
    let sides = [
        None,
        Some(NatSpec::cone()),
        Some(NatSpec::restricted()),
        Some(NatSpec::port_restricted()),
        Some(NatSpec::symmetric()),
    ];
    const CONNECTS: [[bool; 5]; 5] = [
        [true, true, true, true, true],
        [true, true, true, true, true],
        [true, true, true, true, true],
        [true, true, true, true, false],
        [true, true, true, false, false],
    ];
    for (a, alice) in sides.into_iter().enumerate() {
        for (b, bob) in sides.into_iter().enumerate() {
            let direct = expected(&plan(behind(alice, bob), Some(false)), "alice", "bob") == Reach::Direct;
            assert_eq!(direct, CONNECTS[a][b], "{alice:?} to {bob:?}");
        }
    }
}

#[test]
fn a_relay_serves_where_nothing_else_does_and_not_where_udp_is_blocked() {
    let symmetric = Some(NatSpec::symmetric());
    let reach = |alice, bob, turn| expected(&plan(behind(alice, bob), turn), "alice", "bob");
    assert_eq!(reach(symmetric, symmetric, None), Reach::Impossible);
    assert_eq!(reach(symmetric, symmetric, Some(false)), Reach::Impossible);
    assert_eq!(reach(symmetric, symmetric, Some(true)), Reach::Relay);
    let blocked = symmetric.map(|spec| NatSpec {
        blocks_udp: true,
        ..spec
    });
    assert_eq!(reach(blocked, None, Some(true)), Reach::Impossible);
}

#[test]
fn without_a_server_only_an_open_side_is_reached() {
    let reach = |alice, bob| expected(&plan(behind(alice, bob), None), "alice", "bob");
    assert_eq!(reach(Some(NatSpec::symmetric()), None), Reach::Direct);
    assert_eq!(
        reach(Some(NatSpec::cone()), Some(NatSpec::cone())),
        Reach::Impossible
    );
}

#[test]
fn two_firewalls_open_for_each_other() {
    let mut topology = hosts();
    for host in &mut topology.hosts[..2] {
        host.firewall = Some(FirewallSpec::STRICT);
    }
    assert_eq!(expected(&plan(topology, None), "alice", "bob"), Reach::Direct);
}

#[test]
fn neighbours_reach_each_other_inside_and_across_a_carrier_only_by_hairpin() {
    let mut same = hosts().with_nat("home", "203.0.113.1", NatSpec::symmetric());
    for host in &mut same.hosts[..2] {
        host.nat = Some("home".into());
    }
    assert_eq!(expected(&plan(same, None), "alice", "bob"), Reach::Direct);

    for hairpinning in [true, false] {
        let carrier = NatSpec {
            hairpinning,
            ..NatSpec::cone()
        };
        let mut nested = hosts().with_nat("carrier", "203.0.113.1", carrier);
        for (i, name, external) in [(0, "a", "100.64.0.1"), (1, "b", "100.64.0.2")] {
            nested = nested
                .with_nat(name, external, NatSpec::cone())
                .nested_in("carrier");
            nested.hosts[i].nat = Some(name.to_owned());
        }
        let must = if hairpinning {
            Reach::Direct
        } else {
            Reach::Impossible
        };
        assert_eq!(
            expected(&plan(nested, Some(false)), "alice", "bob"),
            must,
            "hairpinning {hairpinning}"
        );
    }
}
