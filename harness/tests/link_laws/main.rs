//! Laws that hold for every link, every fault and all traffic.
//!
//! Here the link decides about packets of whatever traffic; [`world`] checks that what it decided happens.

mod world;

use std::{collections::BTreeMap, time::Duration};

use proptest::prelude::*;
use sleet::{
    net::{
        conditions::Condition,
        latency::Latency,
        link::{Fate, Link, LinkEnd, LinkProfile, TCP_PATIENCE},
        loss::GilbertElliott,
        queue::QueueLimit,
    },
    seed::{Ppm, Seed},
    time::SimTime,
    trace::{Cause, Direction, Effect, FaultId, Flow, Proto},
};

/// A packet that enters a link.
#[derive(Clone, Copy, Debug)]
struct Packet {
    at: SimTime,
    flow: Flow,
    len: u32,
}

fn latencies(most_ms: u64) -> impl Strategy<Value = Latency> {
    (0..=most_ms, 0..=most_ms).prop_map(|(a, b)| Latency::uniform_ms(a.min(b), a.max(b)))
}

/// Half of the time never, otherwise anything.
fn chances() -> impl Strategy<Value = Ppm> {
    prop_oneof![Just(Ppm::ZERO), (0..=1_000_000u32).prop_map(Ppm::new)]
}

fn bursts() -> impl Strategy<Value = Option<GilbertElliott>> {
    let model = (1..50u32, 1..10u32, chances(), chances());
    proptest::option::of(model.prop_map(
        |(good_packets, bad_packets, good_loss, bad_loss)| GilbertElliott {
            good_packets,
            bad_packets,
            good_loss,
            bad_loss,
        },
    ))
}

fn queues() -> impl Strategy<Value = Option<QueueLimit>> {
    proptest::option::of(prop_oneof![
        (0..20u32).prop_map(QueueLimit::Packets),
        (0..20_000u64).prop_map(QueueLimit::Bytes),
        (0..200u64).prop_map(QueueLimit::Ms),
    ])
}

fn profiles() -> impl Strategy<Value = LinkProfile> {
    let times = (latencies(100), latencies(50), chances(), latencies(80));
    let faults = (chances(), bursts(), chances(), chances(), chances());
    let size = (
        proptest::option::of(50..5_000u64),
        queues(),
        proptest::option::of(68..1_500u32),
    );
    (times, faults, size).prop_map(|(times, faults, size)| LinkProfile {
        latency: times.0,
        jitter: times.1,
        reorder: times.2,
        reorder_by: times.3,
        loss: faults.0,
        bursts: faults.1,
        duplicate: faults.2,
        corrupt: faults.3,
        truncate: faults.4,
        bandwidth_kbps: size.0,
        queue: size.1,
        mtu: size.2,
    })
}

/// Up to 150 packets of three flows each of UDP and TCP, over IPv4 and IPv6.
fn traffic() -> impl Strategy<Value = Vec<Packet>> {
    let packet = (0..20_000u64, 0..1_500u32, 0..3u16, any::<bool>(), any::<bool>());
    proptest::collection::vec(packet, 1..150).prop_map(|packets| {
        let mut at = SimTime::ZERO;
        let packets = packets.into_iter().map(|(gap_us, len, flow, tcp, v6)| {
            at = at + Duration::from_micros(gap_us);
            let proto = if tcp { Proto::Tcp } else { Proto::Udp };
            let (src, dst) = if v6 {
                (format!("[fd00::1]:{}", 5000 + flow), "[fd00::2]:9")
            } else {
                (format!("10.0.0.1:{}", 5000 + flow), "10.0.0.2:9")
            };
            let (src, dst) = (src.parse().unwrap(), dst.parse().unwrap());
            let flow = Flow { proto, src, dst };
            Packet { at, flow, len }
        });
        packets.collect()
    })
}

/// What happens to `packets` on a link over which `condition` lies.
fn carry(seed: u64, profile: &LinkProfile, packets: &[Packet], condition: Option<Condition>) -> Vec<Fate> {
    profile.check().unwrap_or_else(|e| panic!("{e}"));
    let mut link = link(seed, profile.clone());
    if let Some(condition) = condition {
        link.lay(FaultId(1), condition);
    }
    let fates = packets.iter().map(|p| link.carry(p.at, p.flow, p.len));
    fates.collect()
}

fn link(seed: u64, profile: LinkProfile) -> Link {
    let end = LinkEnd {
        link: "a".into(),
        direction: Direction::Up,
    };
    Link::new(Seed(seed), end, profile)
}

/// A queue without a bandwidth is refused by `check`.
fn sound(mut profile: LinkProfile) -> LinkProfile {
    profile.queue = profile.queue.filter(|_| profile.bandwidth_kbps.is_some());
    profile
}

/// What the fault that lies over the link does.
const THE_FAULT: Cause = Cause::Fault { fault: FaultId(1) };

/// What the link dropped a packet by.
fn dropped(fate: &Fate) -> Option<Effect> {
    match fate {
        Fate::Dropped(by) => by.effect(),
        _ => None,
    }
}

fn is_udp(packet: &Packet) -> bool {
    packet.flow.proto == Proto::Udp
}

/// Which fault [`without`] takes out of a profile.
const FAULTS: usize = 6;

fn without(profile: &LinkProfile, fault: usize) -> LinkProfile {
    let mut profile = profile.clone();
    match fault {
        0 => profile.loss = Ppm::ZERO,
        1 => profile.bursts = None,
        2 => profile.duplicate = Ppm::ZERO,
        3 => profile.corrupt = Ppm::ZERO,
        4 => profile.truncate = Ppm::ZERO,
        _ => profile.reorder = Ppm::ZERO,
    }
    profile
}

proptest! {
    #[test]
    fn a_datagram_arrives_once_or_twice_or_is_dropped_and_a_segment_is_never_harmed(
        seed: u64, profile in profiles(), packets in traffic(),
    ) {
        let profile = sound(profile);
        let (mut once, mut twice, mut gone, mut reset) = (0, 0, 0, 0);
        for (packet, fate) in packets.iter().zip(carry(seed, &profile, &packets, None)) {
            match &fate {
                Fate::Dropped(by) => {
                    prop_assert!(is_udp(packet), "a segment was dropped by {by:?}");
                    gone += 1;
                }
                Fate::Reset(at, _) => {
                    prop_assert!(!is_udp(packet) && *at >= packet.at);
                    reset += 1;
                }
                Fate::Carried { first, second } => {
                    let double_at = second.as_ref().map_or(first.at, |s| s.1);
                    prop_assert!(first.at >= packet.at && double_at >= packet.at);
                    let left = first.truncated.as_ref().map_or(packet.len, |t| t.1);
                    prop_assert!(first.truncated.is_none() || left < packet.len);
                    prop_assert!(first.corrupted.as_ref().is_none_or(|c| c.1 < u64::from(left) * 8));
                    let harmed = second.is_some() || first.corrupted.is_some() || first.truncated.is_some();
                    prop_assert!(is_udp(packet) || !harmed, "a segment was harmed: {fate:?}");
                    if second.is_some() { twice += 1 } else { once += 1 }
                }
            }
        }
        prop_assert_eq!(once + twice + gone + reset, packets.len());
        if profile.duplicate == Ppm::ZERO {
            prop_assert_eq!(twice, 0);
        }
        if [profile.loss, profile.corrupt, profile.truncate] == [Ppm::ZERO; 3]
            && profile.bursts.is_none() && profile.queue.is_none()
        {
            prop_assert_eq!(reset, 0);
        }
    }

    #[test]
    fn datagrams_keep_their_order_without_reordering_and_segments_always(
        seed: u64, profile in profiles(), packets in traffic(), reordering: bool,
    ) {
        let mut profile = sound(profile);
        if !reordering {
            profile.reorder = Ppm::ZERO;
        }
        let mut last = BTreeMap::<Option<Flow>, SimTime>::new();
        for (packet, fate) in packets.iter().zip(carry(seed, &profile, &packets, None)) {
            let Fate::Carried { first, second } = fate else { continue };
            if is_udp(packet) && reordering {
                continue;
            }
            // Datagrams keep the order of the whole link, segments that of their flow.
            let order = (!is_udp(packet)).then_some(packet.flow);
            let before = last.insert(order, first.at).unwrap_or(SimTime::ZERO);
            prop_assert!(first.at >= before);
            prop_assert!(second.is_none_or(|(_, double_at)| double_at >= first.at));
        }
    }

    #[test]
    fn a_partition_drops_datagrams_and_stalls_or_resets_connections(
        seed: u64, profile in profiles(), packets in traffic(), lasts_ms in 3_000..120_000u64,
    ) {
        let until = SimTime::from_millis(lasts_ms);
        let blocked = Some(Condition::Blocked { until });
        for (packet, fate) in packets.iter().zip(carry(seed, &sound(profile), &packets, blocked)) {
            match fate {
                Fate::Dropped(by) => prop_assert!(is_udp(packet) && by == THE_FAULT),
                Fate::Carried { first, .. } => {
                    prop_assert!(!is_udp(packet) && first.at >= until);
                    prop_assert!(until - packet.at < TCP_PATIENCE);
                }
                Fate::Reset(at, by) if by == THE_FAULT => {
                    // The next try would come too late: at most after twice as long.
                    prop_assert!(until - packet.at > TCP_PATIENCE / 2);
                    prop_assert_eq!(at, packet.at + TCP_PATIENCE);
                }
                Fate::Reset(at, _) => prop_assert!(at >= until, "lost too often after the partition"),
            }
        }
    }

    #[test]
    fn a_hold_loses_nothing_and_releases_in_order_at_its_end(
        seed: u64, profile in profiles(), packets in traffic(), held in 0..150usize,
    ) {
        let until = SimTime::from_millis(5_000);
        // A narrow link with a short queue, but without faults of its own.
        let profile = LinkProfile { mtu: None, ..sound(profile).healed() };
        let mut link = link(seed, profile);
        link.lay(FaultId(1), Condition::Held { until });
        let mut last = BTreeMap::<Option<Flow>, SimTime>::new();
        for (n, packet) in packets.iter().enumerate() {
            let now = if n < held {
                packet.at
            } else {
                link.lift(FaultId(1));
                until + (packet.at - SimTime::ZERO)
            };
            match link.carry(now, packet.flow, packet.len) {
                Fate::Carried { first, second: None } => {
                    prop_assert!(first.at >= until);
                    prop_assert!(n >= held || first.delayed == Some((THE_FAULT, until - now)));
                    let order = (!is_udp(packet)).then_some(packet.flow);
                    let before = last.insert(order, first.at).unwrap_or(SimTime::ZERO);
                    prop_assert!(first.at >= before);
                }
                fate => prop_assert!(n >= held && dropped(&fate) == Some(Effect::QueueFull), "{:?}", fate),
            }
        }
    }

    #[test]
    fn removing_a_fault_moves_no_other(
        seed: u64, profile in profiles(), packets in traffic(), fault in 0..FAULTS,
    ) {
        let profile = sound(profile);
        let before = carry(seed, &profile, &packets, None);
        let after = carry(seed, &without(&profile, fault), &packets, None);
        let loses = fault < 2;
        for (packet, (before, after)) in packets.iter().zip(before.iter().zip(&after)) {
            if !is_udp(packet) {
                continue;
            }
            let lost = |fate| matches!(dropped(fate), Some(Effect::Loss | Effect::Burst));
            if loses && lost(before) {
                prop_assert!(dropped(after).is_none() || lost(after));
                continue;
            }
            prop_assert_eq!(dropped(before), dropped(after));
            let (Fate::Carried { first: b, second: bd }, Fate::Carried { first: a, second: ad }) =
                (before, after)
            else {
                continue;
            };
            prop_assert!(fault == 2 || bd.is_some() == ad.is_some(), "doubles moved");
            // What truncation cut off, a flipped bit with it, is there again without it.
            let damage = fault == 3 || fault == 4 || a.corrupted == b.corrupted;
            prop_assert!(damage, "flipped bits moved");
            prop_assert!(fault == 4 || a.truncated == b.truncated, "cuts moved");
        }
    }

    #[test]
    fn the_mtu_stops_exactly_the_datagrams_that_are_larger(
        seed: u64, profile in profiles(), packets in traffic(),
    ) {
        let profile = sound(profile);
        for (packet, fate) in packets.iter().zip(carry(seed, &profile, &packets, None)) {
            let headers = if packet.flow.src.is_ipv4() { 28 } else { 48 };
            let larger = profile.mtu.is_some_and(|mtu| packet.len + headers > mtu);
            let stopped = dropped(&fate) == Some(Effect::TooLarge);
            prop_assert_eq!(stopped, larger && is_udp(packet));
        }
    }
}
