//! Who is let in (RFC 4787, REQ-8).

use super::*;

#[test]
fn req_8_filtering_admits_whom_it_says_whatever_the_mapping() {
    for mapping in MAPPINGS {
        for (filtering, other_port, other_host) in [
            (Filtering::EndpointIndependent, true, true),
            (Filtering::AddressDependent, true, false),
            (Filtering::AddressAndPortDependent, false, false),
        ] {
            let mut nat = nat(NatSpec::of(mapping, filtering));
            let out = udp("10.0.0.1:5000", "192.0.2.1:1000");
            let back = nat.outbound(T0, out).unwrap().reversed();
            let mut verdict = |src| {
                let result = nat.inbound(T0, from(src, back));
                assert!(matches!(result, Ok(_) | Err(Refusal::Filtered)), "{result:?}");
                result
                    .map(|flow| assert_eq!(flow, from(src, out.reversed())))
                    .is_ok()
            };
            let at = format!("{mapping:?}, {filtering:?}");
            assert!(verdict("192.0.2.1:1000"), "{at}: the destination itself");
            assert_eq!(verdict("192.0.2.1:1001"), other_port, "{at}: another port");
            assert_eq!(verdict("192.0.2.2:1000"), other_host, "{at}: another host");
        }
    }
}

#[test]
fn req_8_every_destination_of_a_shared_mapping_may_answer() {
    let mut nat = nat(NatSpec::port_restricted());
    for dst in ["192.0.2.1:1000", "192.0.2.2:2000"] {
        nat.outbound(T0, udp("10.0.0.1:5000", dst)).unwrap();
    }
    for src in ["192.0.2.1:1000", "192.0.2.2:2000"] {
        assert!(nat.inbound(T0, udp(src, "203.0.113.1:5000")).is_ok());
    }
    assert_eq!(
        nat.inbound(T0, udp("192.0.2.1:2000", "203.0.113.1:5000")),
        Err(Refusal::Filtered),
        "the address of one destination and the port of the other"
    );
}

#[test]
fn what_was_sent_through_one_mapping_opens_no_other() {
    let mut nat = nat(NatSpec::symmetric());
    let one = nat.outbound(T0, udp("10.0.0.1:5000", "192.0.2.1:1000")).unwrap();
    let two = nat.outbound(T0, udp("10.0.0.1:5000", "192.0.2.2:1000")).unwrap();
    let crossed = Flow {
        dst: two.src,
        ..one.reversed()
    };
    assert_eq!(nat.inbound(T0, crossed), Err(Refusal::Filtered));
}

#[test]
fn nobody_comes_in_where_there_is_no_mapping() {
    let mut nat = nat(NatSpec::cone());
    let stranger = udp("192.0.2.1:1000", "203.0.113.1:5000");
    assert_eq!(nat.inbound(T0, stranger), Err(Refusal::NoMapping));
    nat.outbound(T0, udp("10.0.0.1:5000", "192.0.2.1:1000")).unwrap();
    let elsewhere = udp("192.0.2.1:1000", "203.0.113.9:5000");
    assert_eq!(
        nat.inbound(T0, elsewhere),
        Err(Refusal::NoMapping),
        "another address"
    );
    let other_transport = tcp("192.0.2.1:1000", "203.0.113.1:5000");
    assert_eq!(nat.inbound(T0, other_transport), Err(Refusal::NoMapping));
}
