//! How long a mapping lasts, and what refreshes it (RFC 4787, REQ-5 and REQ-6).

use super::*;

fn after_s(s: u64) -> SimTime {
    SimTime::from_millis(s * 1_000)
}

fn hostile(inbound_refresh: bool) -> NatSpec {
    NatSpec {
        timeout_s: 30,
        inbound_refresh,
        ..NatSpec::port_restricted()
    }
}

#[test]
fn req_5_a_mapping_ends_with_its_lifetime_and_leaves_nothing() {
    for timeout_s in [30, 120, 300] {
        let mut nat = nat(NatSpec {
            timeout_s,
            ..NatSpec::cone()
        });
        let back = nat
            .outbound(T0, udp("10.0.0.1:5000", "192.0.2.1:1000"))
            .unwrap()
            .reversed();
        let end = after_s(timeout_s);
        let before = SimTime::from_nanos(end.as_nanos() - 1);
        assert_eq!(nat.mappings(before)[0].expires, end);
        assert!(nat.inbound(before, back).is_ok());
        assert!(nat.mappings(end).is_empty());
        assert_eq!(nat.inbound(end, back), Err(Refusal::NoMapping));
        assert_eq!(nat.table.sizes(), (0, 0));
    }
}

#[test]
fn req_5_an_expired_mapping_gives_its_port_to_whoever_comes_next() {
    let mut nat = nat(hostile(false));
    nat.outbound(T0, udp("10.0.0.1:5000", "192.0.2.1:1000")).unwrap();
    let other = udp("10.0.0.2:5000", "192.0.2.1:1000");
    assert_ne!(nat.outbound(after_s(29), other).unwrap().src, external(5000));
    assert_eq!(nat.outbound(after_s(59), other).unwrap().src, external(5000));
    assert_eq!(nat.table.sizes(), (1, 1));
}

#[test]
fn req_6_outbound_packets_refresh() {
    let mut nat = nat(hostile(false));
    let out = udp("10.0.0.1:5000", "192.0.2.1:1000");
    let back = nat.outbound(T0, out).unwrap().reversed();
    nat.outbound(after_s(29), out).unwrap();
    assert!(nat.inbound(after_s(58), back).is_ok());
    assert_eq!(nat.inbound(after_s(59), back), Err(Refusal::NoMapping));
}

#[test]
fn req_6a_inbound_packets_refresh_only_where_the_specification_says_so() {
    for (inbound_refresh, expected) in [(false, false), (true, true)] {
        let mut nat = nat(hostile(inbound_refresh));
        let out = udp("10.0.0.1:5000", "192.0.2.1:1000");
        let back = nat.outbound(T0, out).unwrap().reversed();
        assert!(nat.inbound(after_s(20), back).is_ok());
        assert_eq!(nat.inbound(after_s(40), back).is_ok(), expected);
    }
}

#[test]
fn req_6a_a_filtered_packet_refreshes_nothing() {
    let mut nat = nat(hostile(true));
    let out = udp("10.0.0.1:5000", "192.0.2.1:1000");
    let back = nat.outbound(T0, out).unwrap().reversed();
    assert_eq!(
        nat.inbound(after_s(20), from("192.0.2.9:9", back)),
        Err(Refusal::Filtered)
    );
    assert_eq!(nat.inbound(after_s(30), back), Err(Refusal::NoMapping));
}

#[test]
fn a_destination_loses_its_permit_while_the_mapping_lives_on_for_others() {
    let mut nat = nat(hostile(false));
    let old = nat.outbound(T0, udp("10.0.0.1:5000", "192.0.2.1:1000")).unwrap();
    let new = nat
        .outbound(after_s(20), udp("10.0.0.1:5000", "192.0.2.2:1000"))
        .unwrap();
    assert_eq!(old.src, new.src);
    assert_eq!(nat.inbound(after_s(30), old.reversed()), Err(Refusal::Filtered));
    assert!(nat.inbound(after_s(30), new.reversed()).is_ok());
}

#[test]
fn a_lifetime_beyond_the_end_of_the_clock_is_forever() {
    let mut nat = nat(NatSpec {
        timeout_s: u64::MAX,
        ..NatSpec::cone()
    });
    nat.outbound(after_s(1), udp("10.0.0.1:5000", "192.0.2.1:1000"))
        .unwrap();
    assert_eq!(nat.mappings(after_s(1_000_000_000)).len(), 1);
}
