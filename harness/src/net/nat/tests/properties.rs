//! What holds for every NAT, whatever is sent through it.

use std::{collections::BTreeSet, time::Duration};

use proptest::{collection::vec, prelude::*};

use super::*;

#[derive(Clone, Debug)]
enum Op {
    Outbound(Flow),
    Inbound(Flow),
    Hairpin(Flow),
    Wait(u64),
    Rebind,
    Reboot,
    ChangeAddress(u8),
}

fn specs() -> impl Strategy<Value = NatSpec> {
    let flags = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>());
    (0..3_usize, 0..3_usize, flags, 1..100_u64).prop_map(|(mapping, filtering, flags, timeout_s)| NatSpec {
        port_preservation: flags.0,
        port_parity: flags.1,
        hairpinning: flags.2,
        inbound_refresh: flags.3,
        timeout_s,
        ..NatSpec::of(MAPPINGS[mapping], FILTERINGS[filtering])
    })
}

/// Few hosts and ports, so that they meet.
fn endpoints(network: [u8; 3]) -> impl Strategy<Value = SocketAddr> {
    let ports = prop_oneof![Just(7), Just(500), Just(5000), Just(5001)];
    (1..5_u8, ports).prop_map(move |(host, port)| {
        let [a, b, c] = network;
        SocketAddr::from(([a, b, c, host], port))
    })
}

fn flows(src: [u8; 3], dst: [u8; 3]) -> impl Strategy<Value = Flow> {
    let protos = prop_oneof![3 => Just(Proto::Udp), 1 => Just(Proto::Tcp)];
    (protos, endpoints(src), endpoints(dst)).prop_map(|(proto, src, dst)| Flow { proto, src, dst })
}

fn ops() -> impl Strategy<Value = Op> {
    let (inside, outside, nats) = ([10, 0, 0], [192, 0, 2], [203, 0, 113]);
    prop_oneof![
        8 => flows(inside, outside).prop_map(Op::Outbound),
        4 => flows(outside, nats).prop_map(Op::Inbound),
        4 => flows(inside, nats).prop_map(Op::Hairpin),
        4 => (0..60_000_u64).prop_map(Op::Wait),
        1 => Just(Op::Rebind),
        1 => Just(Op::Reboot),
        1 => (1..5_u8).prop_map(Op::ChangeAddress),
    ]
}

/// Does one thing, and sees to it that what goes out can be answered.
fn apply(nat: &mut Nat, now: &mut SimTime, op: Op) {
    match op {
        Op::Outbound(flow) => {
            let seen = nat.outbound(*now, flow).expect("there are ports enough");
            assert_eq!((seen.dst, seen.src.ip()), (flow.dst, nat.external()));
            assert_eq!(nat.inbound(*now, seen.reversed()), Ok(flow.reversed()));
        }
        Op::Inbound(flow) => {
            if let Ok(seen) = nat.inbound(*now, flow) {
                assert_eq!(seen.src, flow.src);
                let answer = nat.outbound(*now, seen.reversed()).unwrap();
                if answers_come_from_where_they_were_asked(nat, flow.proto) {
                    assert_eq!(answer, flow.reversed());
                }
            }
        }
        Op::Hairpin(flow) => {
            if let Ok(seen) = nat.hairpin(*now, flow) {
                assert_eq!(seen.src.ip(), nat.external());
                let answer = nat.hairpin(*now, seen.reversed());
                if answers_come_from_where_they_were_asked(nat, flow.proto) {
                    assert_eq!(answer, Ok(flow.reversed()));
                }
            }
        }
        Op::Wait(ms) => *now = *now + Duration::from_millis(ms),
        Op::Rebind => nat.rebind(),
        Op::Reboot => nat.reboot(),
        Op::ChangeAddress(host) => nat.change_address(IpAddr::from([203, 0, 113, host])),
    }
}

/// A mapping that depends on the destination can let in a source that it is not used for.
fn answers_come_from_where_they_were_asked(nat: &Nat, proto: Proto) -> bool {
    proto == Proto::Tcp || nat.spec.mapping == Mapping::EndpointIndependent
}

fn check_uniqueness(nat: &Nat, now: SimTime) {
    let live = nat.mappings(now);
    let outside: BTreeSet<_> = live.iter().map(|b| (b.proto, b.external)).collect();
    let inside: BTreeSet<_> = live.iter().map(|b| (b.proto, b.internal, b.remotes)).collect();
    assert_eq!(outside.len(), live.len(), "an external port serves two: {live:?}");
    assert_eq!(
        inside.len(),
        live.len(),
        "an internal endpoint has two ports: {live:?}"
    );
    let (entries, ports) = nat.table.sizes();
    assert_eq!(entries, ports);
}

proptest! {
    #[test]
    fn external_ports_are_unique_and_answers_find_their_sender(
        spec in specs(),
        ops in vec(ops(), 1..120),
    ) {
        let mut nat = nat(spec);
        let mut now = T0;
        for op in ops {
            apply(&mut nat, &mut now, op);
            check_uniqueness(&nat, now);
        }
        let end = now + TCP_IDLE;
        prop_assert!(nat.mappings(end).is_empty());
        let stranger = udp("192.0.2.9:9", "203.0.113.1:9");
        prop_assert_eq!(nat.inbound(end, stranger), Err(Refusal::NoMapping));
        prop_assert_eq!(nat.table.sizes(), (0, 0));
    }
}
