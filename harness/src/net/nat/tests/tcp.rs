//! TCP through a NAT (RFC 5382).

use super::*;

#[test]
fn tcp_comes_in_only_where_it_was_opened_from_inside() {
    let mut nat = nat(NatSpec::cone());
    let out = tcp("10.0.0.1:5000", "192.0.2.1:443");
    assert_eq!(
        nat.inbound(T0, tcp("192.0.2.1:443", "203.0.113.1:5000")),
        Err(Refusal::NoMapping)
    );
    let back = nat.outbound(T0, out).unwrap().reversed();
    assert_eq!(nat.inbound(T0, back), Ok(out.reversed()));
    assert_eq!(
        nat.inbound(T0, from("192.0.2.1:444", back)),
        Err(Refusal::Filtered)
    );
}

#[test]
fn every_tcp_connection_has_a_mapping_of_its_own() {
    let mut nat = nat(NatSpec::cone());
    let one = nat.outbound(T0, tcp("10.0.0.1:5000", "192.0.2.1:443")).unwrap();
    let two = nat.outbound(T0, tcp("10.0.0.1:5000", "192.0.2.1:444")).unwrap();
    assert_ne!(one.src, two.src);
    assert_eq!(nat.mappings(T0).len(), 2);
}

#[test]
fn tcp_and_udp_do_not_compete_for_ports() {
    let mut nat = nat(NatSpec::cone());
    for out in [
        udp("10.0.0.1:5000", "192.0.2.1:443"),
        tcp("10.0.0.2:5000", "192.0.2.1:443"),
    ] {
        assert_eq!(nat.outbound(T0, out).unwrap().src, external(5000));
    }
}

#[test]
fn rfc_5382_req_5_a_connection_is_kept_for_2_h_4_min_after_either_end_spoke() {
    let mut nat = nat(NatSpec {
        timeout_s: 30,
        ..NatSpec::cone()
    });
    let out = tcp("10.0.0.1:5000", "192.0.2.1:443");
    let back = nat.outbound(T0, out).unwrap().reversed();
    let almost = TCP_IDLE - std::time::Duration::from_nanos(1);
    let spoke = T0 + almost;
    assert!(nat.inbound(spoke, back).is_ok());
    assert!(nat.inbound(spoke + almost, back).is_ok());
    let end = spoke + almost + TCP_IDLE;
    assert_eq!(nat.inbound(end, back), Err(Refusal::NoMapping));
    assert_eq!(nat.table.sizes(), (0, 0));
}

#[test]
fn tcp_is_hairpinned_between_ends_that_both_opened() {
    let mut nat = nat(NatSpec::cone());
    let there = tcp("10.0.0.1:5000", "203.0.113.1:6000");
    let back = tcp("10.0.0.2:6000", "203.0.113.1:5000");
    assert_eq!(nat.hairpin(T0, there), Err(Refusal::NoMapping));
    assert!(nat.hairpin(T0, back).is_ok());
    assert!(nat.hairpin(T0, there).is_ok());
}
