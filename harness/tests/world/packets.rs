//! Faults of single packets: each strikes the packet that it names, and no other.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use sleet::{
    fault::{Directions, Fault, PacketVerdict, Target, kinds::Packet},
    net::link::TCP_RTO,
    world::Ending,
};

use super::{THE_FAULT, alice_and_bob, run_with, step, tcp_exchange, two_hosts};

/// What bob receives of two datagrams of four bytes, the second of which meets `verdict`, and when.
fn second_meets(verdict: PacketVerdict) -> (Ending, Vec<(u64, Vec<u8>)>) {
    let target = Target::ends("alice/eth0", Directions::Up);
    let fault = Fault::new(target, Packet { ordinal: 1, verdict }, 0, None);
    let received = Arc::new(Mutex::new(Vec::new()));
    let receives = received.clone();
    let ending = run_with(two_hosts(), fault, |sim| async move {
        let (alice, bob) = alice_and_bob(&sim).await;
        for payload in [b"zero", b"once"] {
            alice.send_to(payload, bob.local_addr()).await.expect("sent");
        }
        let mut buf = [0; 8];
        let second = Duration::from_secs(1);
        while let Ok(received) = tokio::time::timeout(second, bob.recv_from(&mut buf)).await {
            let (len, _) = received.expect("received");
            let at = sim.now().as_millis();
            receives.lock().expect("no panic").push((at, buf[..len].to_vec()));
        }
    });
    let received = received.lock().expect("no panic").clone();
    (ending, received)
}

#[test]
fn a_fault_of_a_single_packet_strikes_it_and_no_other() {
    let zero = (20, b"zero".to_vec());
    let plain = |at, payload: &[u8]| (at, payload.to_vec());
    for (verdict, arrives) in [
        (PacketVerdict::Drop, vec![]),
        (
            PacketVerdict::Duplicate,
            vec![plain(20, b"once"), plain(20, b"once")],
        ),
        (PacketVerdict::Delay { ms: 300 }, vec![plain(320, b"once")]),
        (PacketVerdict::Truncate { bytes: 2 }, vec![plain(20, b"on")]),
        (PacketVerdict::Truncate { bytes: 9 }, vec![plain(20, b"once")]),
        (PacketVerdict::Flip { bit: 0 }, vec![plain(20, b"nnce")]),
        (PacketVerdict::Flip { bit: 99 }, vec![plain(20, b"once")]),
    ] {
        let (ending, received) = second_meets(verdict);
        assert_eq!(received[0], zero, "{verdict:?}");
        assert_eq!(received[1..], arrives, "{verdict:?}");
        let struck = ending.trace.events.iter().filter_map(|e| e.kind.cause());
        let in_vain = matches!(
            verdict,
            PacketVerdict::Truncate { bytes: 9 } | PacketVerdict::Flip { bit: 99 }
        );
        let expected = if in_vain { vec![] } else { vec![&THE_FAULT] };
        assert_eq!(struck.collect::<Vec<_>>(), expected, "{verdict:?}");
    }
}

#[test]
fn tcp_sends_a_segment_again_that_a_fault_loses() {
    let target = Target::ends("alice/eth0", Directions::Up);
    // The first two packets open the connection.
    let packet = Packet {
        ordinal: 2,
        verdict: PacketVerdict::Drop,
    };
    let arrives = |fault| step(&tcp_exchange(two_hosts(), fault, Duration::from_millis(200)));
    let plain = arrives(None);
    let again = arrives(Some(Fault::new(target, packet, 0, None)));
    let round_trip = Duration::from_millis(2 * 10);
    assert_eq!(
        again,
        (plain.0 + TCP_RTO + round_trip, "received".into()),
        "as far as alice's link knows"
    );
}
