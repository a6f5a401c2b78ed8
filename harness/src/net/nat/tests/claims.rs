//! A NAT that accepts what nobody asked for, as Linux does where its input policy says so (finding 0019).

use super::*;

const INSIDE: &str = "10.0.0.1:5000";
const STUN: &str = "192.0.2.1:3478";
const PEER: &str = "198.51.100.1:6000";

fn accepting() -> Nat {
    nat(NatSpec {
        accepts_unsolicited: true,
        ..NatSpec::port_restricted()
    })
}

/// A packet of the peer to the port that STUN told of comes, is refused, and is remembered by a NAT that accepts such.
fn knocked(nat: &mut Nat) {
    let learned = nat.outbound(T0, udp(INSIDE, STUN)).unwrap().src;
    assert_eq!(learned, external(5000));
    let knock = udp(PEER, &learned.to_string());
    assert_eq!(nat.inbound(T0, knock), Err(Refusal::Filtered));
}

#[test]
fn a_knock_changes_the_port_towards_who_knocked_and_towards_nobody_else() {
    let mut nat = accepting();
    knocked(&mut nat);
    let towards = |nat: &mut Nat, at, to| nat.outbound(at, udp(INSIDE, to)).unwrap().src;
    let changed = towards(&mut nat, T0, PEER);
    assert_ne!(changed, external(5000));
    assert_eq!(towards(&mut nat, T0, STUN), external(5000));
    assert_eq!(towards(&mut nat, T0, "198.51.100.1:6001"), external(5000));
    let late = T0 + CLAIM * 2;
    assert_eq!(towards(&mut nat, late, PEER), changed, "it is in use");
    let answer = udp(PEER, &changed.to_string());
    assert_eq!(
        nat.inbound(late, answer).unwrap().dst,
        INSIDE.parse::<SocketAddr>().unwrap()
    );
}

#[test]
fn who_has_sent_first_is_answered_at_the_same_port() {
    let mut nat = accepting();
    let sent = nat.outbound(T0, udp(INSIDE, PEER)).unwrap();
    assert_eq!(sent.src, external(5000));
    assert!(nat.inbound(T0, sent.reversed()).is_ok());
    assert_eq!(nat.outbound(T0, udp(INSIDE, PEER)).unwrap().src, external(5000));
}

#[test]
fn what_was_accepted_is_forgotten() {
    let mut nat = accepting();
    knocked(&mut nat);
    let sent = nat.outbound(T0 + CLAIM, udp(INSIDE, PEER)).unwrap();
    assert_eq!(sent.src, external(5000));
}

#[test]
fn a_nat_that_drops_it_keeps_the_port() {
    let mut nat = nat(NatSpec::port_restricted());
    knocked(&mut nat);
    assert_eq!(nat.outbound(T0, udp(INSIDE, PEER)).unwrap().src, external(5000));
}
