//! Which port a mapping gets (RFC 4787, REQ-3 and REQ-4).

use std::collections::BTreeSet;

use super::*;

const DST: &str = "192.0.2.1:1000";

fn port(nat: &mut Nat, src: &str) -> u16 {
    nat.outbound(T0, udp(src, DST)).unwrap().src.port()
}

fn spec(port_preservation: bool, port_parity: bool) -> NatSpec {
    NatSpec {
        port_preservation,
        port_parity,
        ..NatSpec::cone()
    }
}

#[test]
fn req_3_a_collision_of_preserved_ports_ends_at_another_port() {
    let mut nat = nat(spec(true, false));
    assert_eq!(port(&mut nat, "10.0.0.1:5000"), 5000);
    let second = port(&mut nat, "10.0.0.2:5000");
    assert_ne!(second, 5000, "no port overloading");
    assert_eq!(
        port(&mut nat, "10.0.0.1:5000"),
        5000,
        "the first one keeps its port"
    );
    assert_eq!(port(&mut nat, "10.0.0.2:5000"), second);
}

#[test]
fn req_3a_the_range_of_the_internal_port_is_kept() {
    for parity in [false, true] {
        let mut nat = nat(spec(false, parity));
        for i in 1..=100 {
            let well_known = port(&mut nat, &format!("10.0.0.{i}:{i}"));
            assert!((1..1024).contains(&well_known), "{well_known}");
            let registered = port(&mut nat, &format!("10.0.0.{i}:{}", 1024 + i));
            assert!(registered >= 1024, "{registered}");
        }
    }
}

#[test]
fn req_4_parity_is_preserved_with_and_without_port_preservation() {
    for preservation in [false, true] {
        let mut nat = nat(spec(preservation, true));
        for internal in [5000_u16, 5001, 1, 1023, 1024, 65535] {
            for host in 1..=20 {
                let got = port(&mut nat, &format!("10.0.0.{host}:{internal}"));
                assert_eq!(got % 2, internal % 2, "{internal} became {got}");
            }
        }
    }
}

#[test]
fn without_parity_both_kinds_of_ports_occur() {
    let mut nat = nat(spec(false, false));
    let odd = (1..=100).filter(|i| port(&mut nat, &format!("10.0.0.{i}:5000")) % 2 == 1);
    assert!((20..=80).contains(&odd.count()));
}

#[test]
fn port_0_is_never_given_away() {
    let mut nat = nat(spec(true, true));
    for host in 1..=250 {
        assert_ne!(port(&mut nat, &format!("10.0.0.{host}:0")), 0);
    }
}

#[test]
fn exhaustion_is_refused_and_ends_with_the_mappings() {
    for (parity, room) in [(false, 1023), (true, 511)] {
        let mut nat = nat(spec(true, parity));
        let out = |i: u32| udp(&format!("10.0.{}.{}:500", i / 256, i % 256), DST);
        let ports: BTreeSet<u16> = (0..room)
            .map(|i| nat.outbound(T0, out(i)).unwrap().src.port())
            .collect();
        assert_eq!(ports.len(), room as usize, "each port once");
        assert_eq!(nat.outbound(T0, out(room)), Err(Refusal::Exhausted));
        assert!(nat.outbound(T0, out(0)).is_ok(), "those that are mapped go on");
        assert!(
            nat.outbound(T0, tcp("10.0.0.1:500", DST)).is_ok(),
            "TCP has ports of its own"
        );
        let later = SimTime::from_millis(300_000);
        assert!(nat.outbound(later, out(room)).is_ok());
    }
}

#[test]
fn all_registered_ports_can_be_in_use() {
    let mut nat = nat(spec(true, true));
    for i in 1024..=u16::MAX {
        assert_eq!(port(&mut nat, &format!("10.0.0.1:{i}")), i);
    }
    let other = udp("10.0.0.2:5000", DST);
    assert_eq!(nat.outbound(T0, other), Err(Refusal::Exhausted));
}

#[test]
fn ports_depend_on_the_seed_and_the_name_alone() {
    let draw = |seed, name| {
        let mut nat = Nat::new(Seed(seed), name, spec(false, false), EXTERNAL.parse().unwrap());
        [1, 2, 3].map(|i| port(&mut nat, &format!("10.0.0.{i}:5000")))
    };
    assert_eq!(draw(1, "home"), draw(1, "home"));
    assert_ne!(draw(1, "home"), draw(2, "home"));
    assert_ne!(draw(1, "home"), draw(1, "office"));
}
