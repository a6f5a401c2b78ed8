//! Packets from inside to inside, by the address outside (RFC 4787, REQ-9).

use super::*;

#[test]
fn req_9_a_hairpinned_packet_has_the_external_source() {
    let mut nat = nat(NatSpec::cone());
    nat.outbound(T0, udp("10.0.0.2:6000", "192.0.2.1:1000")).unwrap();
    let seen = nat.hairpin(T0, udp("10.0.0.1:5000", "203.0.113.1:6000")).unwrap();
    assert_eq!(seen, udp("203.0.113.1:5000", "10.0.0.2:6000"));
    let answer = nat.hairpin(T0, seen.reversed()).unwrap();
    assert_eq!(answer, udp("203.0.113.1:6000", "10.0.0.1:5000"));
}

#[test]
fn req_9_hairpinned_packets_are_filtered_by_their_external_source() {
    let cases = [
        (NatSpec::cone(), true),
        (NatSpec::restricted(), false),
        (NatSpec::port_restricted(), false),
    ];
    for (spec, at_once) in cases {
        let mut nat = nat(spec);
        for src in ["10.0.0.1:5000", "10.0.0.2:6000"] {
            nat.outbound(T0, udp(src, "192.0.2.1:1000")).unwrap();
        }
        let there = udp("10.0.0.1:5000", "203.0.113.1:6000");
        let back = udp("10.0.0.2:6000", "203.0.113.1:5000");
        let first = nat.hairpin(T0, there);
        assert_eq!(first.is_ok(), at_once, "{first:?}");
        assert!(
            nat.hairpin(T0, back).is_ok(),
            "the first packet opened the way back"
        );
        assert!(nat.hairpin(T0, there).is_ok());
    }
}

#[test]
fn req_9_an_address_dependent_filter_takes_all_internal_hosts_for_one() {
    let mut nat = nat(NatSpec::restricted());
    for src in ["10.0.0.1:5000", "10.0.0.3:7000"] {
        nat.outbound(T0, udp(src, "192.0.2.1:1000")).unwrap();
    }
    let opened = nat.hairpin(T0, udp("10.0.0.2:6000", "203.0.113.1:5000"));
    assert_eq!(opened, Err(Refusal::Filtered));
    assert!(nat.hairpin(T0, udp("10.0.0.3:7000", "203.0.113.1:6000")).is_ok());
}

#[test]
fn hairpinning_can_be_off_and_then_leaves_no_mapping() {
    let mut nat = nat(NatSpec {
        hairpinning: false,
        ..NatSpec::cone()
    });
    nat.outbound(T0, udp("10.0.0.2:6000", "192.0.2.1:1000")).unwrap();
    let out = udp("10.0.0.1:5000", "203.0.113.1:6000");
    assert_eq!(nat.hairpin(T0, out), Err(Refusal::NoHairpin));
    assert_eq!(nat.mappings(T0).len(), 1);
}

#[test]
fn hairpinning_to_a_port_without_a_mapping_is_refused() {
    let mut nat = nat(NatSpec::cone());
    let out = udp("10.0.0.1:5000", "203.0.113.1:6000");
    assert_eq!(nat.hairpin(T0, out), Err(Refusal::NoMapping));
}

#[test]
fn a_host_reaches_itself_at_its_external_address() {
    let mut nat = nat(NatSpec::cone());
    let out = udp("10.0.0.1:5000", "203.0.113.1:5000");
    assert_eq!(nat.hairpin(T0, out), Ok(udp("203.0.113.1:5000", "10.0.0.1:5000")));
}
