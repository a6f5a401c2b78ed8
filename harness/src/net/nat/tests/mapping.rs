//! Which destinations share a mapping (RFC 4787, REQ-1).

use super::*;

#[test]
fn req_1_the_external_port_is_reused_for_the_destinations_that_the_mapping_says() {
    let cases = [
        // mapping, another port of the same host, another host
        (Mapping::EndpointIndependent, true, true),
        (Mapping::AddressDependent, true, false),
        (Mapping::AddressAndPortDependent, false, false),
    ];
    for (mapping, other_port, other_host) in cases {
        for filtering in FILTERINGS {
            let mut nat = nat(NatSpec::of(mapping, filtering));
            let mut port = |dst| nat.outbound(T0, udp("10.0.0.1:5000", dst)).unwrap().src.port();
            let first = port("192.0.2.1:1000");
            assert_eq!(port("192.0.2.1:1000"), first, "{mapping:?}: the same destination");
            assert_eq!(port("192.0.2.1:1001") == first, other_port, "{mapping:?}");
            assert_eq!(port("192.0.2.2:1000") == first, other_host, "{mapping:?}");
        }
    }
}

#[test]
fn req_1_each_internal_endpoint_has_a_mapping_of_its_own() {
    let mut nat = nat(NatSpec::cone());
    let dst = "192.0.2.1:1000";
    let ports: Vec<u16> = ["10.0.0.1:5000", "10.0.0.1:5001", "10.0.0.2:5000"]
        .iter()
        .map(|src| nat.outbound(T0, udp(src, dst)).unwrap().src.port())
        .collect();
    assert_eq!(ports[..2], [5000, 5001]);
    assert!(!ports[..2].contains(&ports[2]));
}

#[test]
fn a_packet_keeps_its_far_end_and_its_transport() {
    let mut nat = nat(NatSpec::symmetric());
    let out = udp("10.0.0.1:5000", "192.0.2.1:1000");
    let seen = nat.outbound(T0, out).unwrap();
    assert_eq!(seen, from("203.0.113.1:5000", out));
    assert_eq!(nat.inbound(T0, seen.reversed()), Ok(out.reversed()));
}

#[test]
fn a_nat_that_blocks_udp_lets_tcp_through() {
    let mut nat = nat(NatSpec {
        blocks_udp: true,
        ..NatSpec::cone()
    });
    let out = udp("10.0.0.1:5000", "192.0.2.1:443");
    assert_eq!(nat.outbound(T0, out), Err(Refusal::UdpBlocked));
    assert_eq!(
        nat.inbound(T0, udp("192.0.2.1:443", "203.0.113.1:5000")),
        Err(Refusal::UdpBlocked)
    );
    assert_eq!(
        nat.hairpin(T0, udp("10.0.0.1:5000", "203.0.113.1:1")),
        Err(Refusal::UdpBlocked)
    );
    assert!(nat.mappings(T0).is_empty());
    assert!(nat.outbound(T0, tcp("10.0.0.1:5000", "192.0.2.1:443")).is_ok());
}

#[test]
fn mappings_are_listed_by_transport_and_external_port() {
    let mut nat = nat(NatSpec::cone());
    for out in [
        tcp("10.0.0.1:4000", "192.0.2.1:80"),
        udp("10.0.0.1:5001", "192.0.2.1:1000"),
        udp("10.0.0.1:5000", "192.0.2.1:1000"),
    ] {
        nat.outbound(T0, out).unwrap();
    }
    let listed: Vec<String> = nat.mappings(T0).iter().map(Binding::to_string).collect();
    assert_eq!(
        listed,
        [
            "udp 10.0.0.1:5000 as 203.0.113.1:5000 for any until 300.000",
            "udp 10.0.0.1:5001 as 203.0.113.1:5001 for any until 300.000",
            "tcp 10.0.0.1:4000 as 203.0.113.1:4000 for 192.0.2.1:80 until 7440.000",
        ]
    );
}

#[test]
fn a_specification_is_written_in_the_terms_of_the_rfc() {
    let json = serde_json::to_value(NatSpec::symmetric()).unwrap();
    assert_eq!(json["mapping"], "address-and-port-dependent");
    assert_eq!(
        serde_json::from_value::<NatSpec>(json.clone()).unwrap(),
        NatSpec::symmetric()
    );
    let mut unknown = json;
    unknown["colour"] = "blue".into();
    assert!(serde_json::from_value::<NatSpec>(unknown).is_err());
    let expired = NatSpec {
        timeout_s: 0,
        ..NatSpec::cone()
    };
    assert!(expired.check().is_err() && NatSpec::cone().check().is_ok());
}
