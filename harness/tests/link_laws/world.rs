//! Whether datagrams between sockets meet what the link decided, as the trace tells it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use sleet::{
    net::{
        latency::Latency,
        link::LinkProfile,
        loss::GilbertElliott,
        queue::QueueLimit,
        topology::{HostSpec, Topology},
    },
    seed::{Ppm, Seed},
    socket::UdpSocket,
    trace::{Event, EventKind, PacketId, Trace},
    world::{self, Bounds, WorldSpec},
};

/// What a run of [`N`] datagrams over a link with every fault looks like: its trace and what arrived.
fn run_with_every_fault(seed: u64) -> (Trace, Vec<Vec<u8>>) {
    let some = Ppm::percent(20);
    let mut alice = HostSpec::new("alice", "10.0.0.1", LinkProfile::default());
    alice.interfaces[0].up = LinkProfile {
        jitter: Latency::uniform_ms(0, 20),
        reorder: some,
        reorder_by: Latency::uniform_ms(1, 30),
        loss: Ppm::percent(5),
        bursts: Some(GilbertElliott::bursts(20, 3)),
        duplicate: some,
        corrupt: some,
        truncate: some,
        bandwidth_kbps: Some(200),
        queue: Some(QueueLimit::Packets(3)),
        mtu: Some(200),
        ..LinkProfile::default()
    };
    let bob = HostSpec::new("bob", "10.0.0.2", LinkProfile::default());
    let spec = WorldSpec {
        seed: Seed(seed),
        topology: Topology::new([alice, bob]),
        faults: Vec::new(),
        nat_faults: Vec::new(),
        switches: Vec::new(),
        heal_at: None,
        bounds: Bounds::default(),
    };
    let arrived = Arc::new(Mutex::new(Vec::new()));
    let arrivals = arrived.clone();
    let ending = world::run(spec, |sim| async move {
        let (alice, bob) = (sim.host("alice"), sim.host("bob"));
        let to = UdpSocket::bind(&bob, "10.0.0.2:9".parse().unwrap())
            .await
            .unwrap();
        let from = UdpSocket::bind(&alice, "10.0.0.1:9".parse().unwrap())
            .await
            .unwrap();
        for n in 0..N {
            from.send_to(&payload(n), to.local_addr()).await.unwrap();
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let mut buf = [0; 2_048];
        while let Ok(received) = tokio::time::timeout(Duration::from_secs(5), to.recv_from(&mut buf)).await {
            let (len, _) = received.unwrap();
            arrivals.lock().unwrap().push(buf[..len].to_vec());
        }
    });
    let arrived = arrived.lock().unwrap().clone();
    (ending.unwrap().trace, arrived)
}

const N: usize = 60;

/// What the `n`th datagram says; every tenth is larger than the MTU.
fn payload(n: usize) -> Vec<u8> {
    vec![n as u8; if n.is_multiple_of(10) { 180 } else { 100 + n }]
}

#[test]
fn what_arrives_is_what_the_trace_says() {
    for seed in 0..8 {
        let (trace, arrived) = run_with_every_fault(seed);
        let mut expected = BTreeMap::<PacketId, Vec<Vec<u8>>>::new();
        let mut got = BTreeMap::<PacketId, Vec<Vec<u8>>>::new();
        let mut arrivals = arrived.iter();
        let (mut drops, mut doubles) = (0, 0);
        for event in &trace.events {
            match &event.kind {
                EventKind::PacketSent { packet, .. } => {
                    let sent = payload(expected.len());
                    expected.insert(*packet, vec![sent]);
                }
                EventKind::PacketDropped { packet, .. } => {
                    expected.get_mut(packet).unwrap().remove(0);
                    drops += 1;
                }
                // The double is made before its original is damaged.
                EventKind::PacketDuplicated { packet, .. } => {
                    let copies = expected.get_mut(packet).unwrap();
                    copies.push(copies[0].clone());
                    doubles += 1;
                }
                EventKind::PacketCorrupted { packet, bit, .. } => {
                    expected.get_mut(packet).unwrap()[0][*bit as usize / 8] ^= 1 << (bit % 8);
                }
                EventKind::PacketTruncated { packet, len, .. } => {
                    expected.get_mut(packet).unwrap()[0].truncate(*len as usize);
                }
                EventKind::PacketDelivered { packet } => {
                    let bytes = arrivals.next().expect("delivered, but not received");
                    got.entry(*packet).or_default().push(bytes.clone());
                }
                _ => {}
            }
        }
        assert_eq!(expected.len(), N);
        assert_eq!(arrived.len(), N - drops + doubles, "conservation at seed {seed}");
        assert!(drops > 0 && doubles > 0);
        for (packet, mut copies) in expected {
            let mut received = got.remove(&packet).unwrap_or_default();
            received.sort();
            copies.sort();
            assert_eq!(received, copies, "packet {packet} of seed {seed}");
        }
    }
}

#[test]
fn a_corrupt_copy_differs_in_exactly_one_bit() {
    let (trace, arrived) = run_with_every_fault(1);
    let corrupt = trace.events.iter().filter_map(|e| match &e.kind {
        EventKind::PacketCorrupted { packet, .. } => Some(*packet),
        _ => None,
    });
    let sent: Vec<PacketId> = trace.events.iter().filter_map(sent_packet).collect();
    let delivered: Vec<PacketId> = trace.events.iter().filter_map(delivered_packet).collect();
    let mut seen = 0;
    for packet in corrupt {
        let original = payload(sent.iter().position(|p| *p == packet).unwrap());
        let copies = delivered.iter().zip(&arrived).filter(|(p, _)| **p == packet);
        let flipped: u32 = copies
            .map(|(_, bytes)| {
                let pairs = bytes.iter().zip(&original);
                pairs.map(|(a, b)| (a ^ b).count_ones()).sum::<u32>()
            })
            .sum();
        assert_eq!(flipped, 1, "packet {packet}: its double, if it has one, is whole");
        seen += 1;
    }
    assert!(seen > 0);
}

fn sent_packet(event: &Event) -> Option<PacketId> {
    match &event.kind {
        EventKind::PacketSent { packet, .. } => Some(*packet),
        _ => None,
    }
}

fn delivered_packet(event: &Event) -> Option<PacketId> {
    match &event.kind {
        EventKind::PacketDelivered { packet } => Some(*packet),
        _ => None,
    }
}
