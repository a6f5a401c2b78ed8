//! What NATs do when they rebind, reboot or change their address.

use super::*;

const OUT: (&str, &str) = ("10.0.0.1:5000", "192.0.2.1:1000");

fn send(nat: &mut Nat) -> Flow {
    nat.outbound(T0, udp(OUT.0, OUT.1)).unwrap()
}

#[test]
fn rebinding_gives_other_ports_and_closes_the_old_ones() {
    for port_preservation in [false, true] {
        let mut nat = nat(NatSpec {
            port_preservation,
            ..NatSpec::cone()
        });
        let mut old = send(&mut nat);
        for _ in 0..20 {
            nat.rebind();
            assert!(nat.mappings(T0).is_empty());
            assert_eq!(nat.inbound(T0, old.reversed()), Err(Refusal::NoMapping));
            let new = send(&mut nat);
            assert_ne!(new.src, old.src);
            assert_eq!(nat.inbound(T0, new.reversed()), Ok(udp(OUT.1, OUT.0)));
            old = new;
        }
    }
}

#[test]
fn rebinding_twice_without_traffic_in_between_does_not_bring_a_port_back() {
    let mut nat = nat(NatSpec::cone());
    let old = send(&mut nat);
    nat.rebind();
    nat.rebind();
    assert_ne!(send(&mut nat).src, old.src);
}

#[test]
fn rebinding_gives_old_ports_back_where_there_are_no_others() {
    let mut nat = nat(NatSpec::cone());
    let out = |i: u32| udp(&format!("10.0.{}.{}:500", i / 256, i % 256), OUT.1);
    for round in 0..2 {
        for i in 0..511 {
            assert!(nat.outbound(T0, out(i)).is_ok(), "round {round}, host {i}");
        }
        nat.rebind();
    }
}

#[test]
fn a_reboot_forgets_mappings_and_chooses_ports_as_in_the_beginning() {
    for port_preservation in [false, true] {
        let mut nat = nat(NatSpec {
            port_preservation,
            ..NatSpec::symmetric()
        });
        let old = send(&mut nat);
        nat.outbound(T0, udp(OUT.0, "192.0.2.2:1000")).unwrap();
        nat.rebind();
        nat.reboot();
        assert_eq!(nat.inbound(T0, old.reversed()), Err(Refusal::NoMapping));
        assert_eq!(nat.table.sizes(), (0, 0));
        assert_eq!(send(&mut nat), old);
    }
}

#[test]
fn another_address_ends_every_mapping_of_the_old_one() {
    let mut nat = nat(NatSpec::cone());
    let old = send(&mut nat);
    nat.rebind();
    nat.change_address("203.0.113.2".parse().unwrap());
    assert_eq!(nat.external(), "203.0.113.2".parse::<IpAddr>().unwrap());
    assert!(nat.mappings(T0).is_empty());
    let new = send(&mut nat);
    assert_eq!(new.src.to_string(), "203.0.113.2:5000");
    assert_eq!(nat.inbound(T0, old.reversed()), Err(Refusal::NoMapping));
    assert_eq!(nat.inbound(T0, new.reversed()), Ok(udp(OUT.1, OUT.0)));
}
