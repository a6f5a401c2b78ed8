//! A wire that treats packets as the links of a plan do: what a TUN device takes comes out of it again later, twice or never.
//!
//! It runs as a process of its own in the core of a network. Which host has which link comes as lines of JSON ([`Order`]). The links are
//! the simulation's own state machines, told the real time; but TCP segments are treated as datagrams are, because a kernel
//! retransmits for itself. It damages no packets: a kernel would drop them by their checksums.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
    io::BufRead,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::Context;
use serde::{Deserialize, Serialize};
use sleet::{
    net::{
        conditions::{Condition, Directions},
        link::{Fate, Link, LinkEnd, LinkProfile},
    },
    seed::Seed,
    time::SimTime,
    trace::{Direction, FaultId, Flow, Proto},
};

use crate::clock::Clock;

/// The name of the device.
pub const DEVICE: &str = "wire0";
/// The IPv4 and UDP headers of a packet, in bytes.
const HEADERS: usize = 28;

/// What the wire is told: the links of a call, from now on. What another lane has stays.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Order {
    /// Which of the calls that take place side by side; the addresses of its clients carry the number.
    pub lane: u8,
    /// The seed of the run, from which the links draw.
    pub seed: u64,
    /// The links.
    pub links: Vec<Access>,
    /// Partitions, counted from now on.
    pub faults: Vec<Cut>,
}

/// A host's link, as the core sees it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Access {
    /// The host.
    pub host: String,
    /// Where its packets come from: outside of its NAT, if it has one.
    pub address: Ipv4Addr,
    /// From the host.
    pub up: LinkProfile,
    /// To the host.
    pub down: LinkProfile,
}

/// A partition of a link.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Cut {
    /// Whose link.
    pub host: String,
    /// In which directions.
    pub directions: Directions,
    /// When it begins, in milliseconds.
    pub from_ms: u64,
    /// When it ends, in milliseconds.
    pub until_ms: u64,
}

/// The links of one lane.
struct Lane {
    began: SimTime,
    links: BTreeMap<(Ipv4Addr, bool), (String, Link)>,
    cuts: Vec<Cut>,
}

/// A packet that waits: when it is due, its number, and its bytes.
type Waiting = Reverse<(SimTime, u64, Vec<u8>)>;

/// What the threads share.
struct Wire {
    clock: Clock,
    lanes: Mutex<BTreeMap<u8, Lane>>,
    queue: Mutex<(u64, BinaryHeap<Waiting>)>,
    more: Condvar,
}

/// The lane of an address of a client or of its NAT: the second or third byte of it. Servers have none.
pub fn lane_of(address: Ipv4Addr) -> Option<u8> {
    match address.octets() {
        [10, lane, ..] | [198, 18 | 19, lane, _] => Some(lane),
        _ => None,
    }
}

/// Runs the wire until its input ends.
///
/// # Errors
/// Without the right to make a device; an order that cannot be read.
pub fn run() -> anyhow::Result<()> {
    let device = tun_rs::DeviceBuilder::new()
        .name(DEVICE)
        .build_sync()
        .context("the TUN device")?;
    let wire = Wire {
        clock: Clock::start(),
        lanes: Mutex::default(),
        queue: Mutex::default(),
        more: Condvar::new(),
    };
    let (wire, device) = (&*Box::leak(Box::new(wire)), &*Box::leak(Box::new(device)));
    std::thread::spawn(move || {
        let mut buffer = vec![0; 65_536];
        while let Ok(len) = device.recv(&mut buffer) {
            wire.enter(&buffer[..len]);
        }
    });
    std::thread::spawn(move || {
        loop {
            // A packet that the kernel does not take is lost, as on any link.
            let _ = device.send(&wire.next_due());
        }
    });
    for line in std::io::stdin().lock().lines() {
        wire.obey(serde_json::from_str(&line?).context("an order of the wire")?);
    }
    Ok(())
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Wire {
    fn obey(&self, order: Order) {
        let lane = Lane::new(self.clock.now(), &order);
        locked(&self.lanes).insert(order.lane, lane);
    }

    /// A packet comes in.
    fn enter(&self, packet: &[u8]) {
        let now = self.clock.now();
        let due = match ends(packet) {
            Some((from, to)) => self.due(now, from, to, packet.len()),
            // Nothing but IPv4 is here on purpose.
            None => return,
        };
        let mut queue = locked(&self.queue);
        for at in due {
            queue.0 += 1;
            let number = queue.0;
            queue.1.push(Reverse((at, number, packet.to_vec())));
        }
        drop(queue);
        self.more.notify_one();
    }

    /// When it arrives: once, twice or never.
    fn due(&self, now: SimTime, from: Ipv4Addr, to: Ipv4Addr, len: usize) -> Vec<SimTime> {
        let mut lanes = locked(&self.lanes);
        let lane = lane_of(from).or(lane_of(to));
        match lane.and_then(|lane| lanes.get_mut(&lane)) {
            None => vec![now],
            Some(lane) => lane.carry(now, from, to, len),
        }
    }

    /// Waits for the next packet that is due, and takes it.
    fn next_due(&self) -> Vec<u8> {
        let mut queue = locked(&self.queue);
        loop {
            let wait = queue.1.peek().map(|Reverse((at, ..))| {
                let now = self.clock.now();
                if *at <= now { Duration::ZERO } else { *at - now }
            });
            queue = match wait {
                Some(Duration::ZERO) => match queue.1.pop() {
                    Some(Reverse((.., packet))) => return packet,
                    None => continue,
                },
                Some(wait) => {
                    let woken = self.more.wait_timeout(queue, wait);
                    woken.unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.more.wait(queue).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }
}

impl Lane {
    fn new(began: SimTime, order: &Order) -> Self {
        let mut links = BTreeMap::new();
        for access in &order.links {
            for (up, profile) in [(true, &access.up), (false, &access.down)] {
                let end = LinkEnd {
                    link: access.host.clone(),
                    direction: if up { Direction::Up } else { Direction::Down },
                };
                let link = Link::new(Seed(order.seed), end, profile.clone());
                links.insert((access.address, up), (access.host.clone(), link));
            }
        }
        Self {
            began,
            links,
            cuts: order.faults.clone(),
        }
    }

    /// Up the link of the sender, and at once, with the time that it takes, down that of the receiver.
    fn carry(&mut self, now: SimTime, from: Ipv4Addr, to: Ipv4Addr, len: usize) -> Vec<SimTime> {
        let flow = Flow {
            proto: Proto::Udp,
            src: SocketAddr::new(IpAddr::V4(from), 0),
            dst: SocketAddr::new(IpAddr::V4(to), 0),
        };
        let payload = u32::try_from(len.saturating_sub(HEADERS)).unwrap_or(u32::MAX);
        let up = self.over((from, true), now, flow, payload);
        let down = up
            .into_iter()
            .flat_map(|at| self.over((to, false), at, flow, payload));
        down.collect()
    }

    fn over(&mut self, end: (Ipv4Addr, bool), at: SimTime, flow: Flow, payload: u32) -> Vec<SimTime> {
        let Some((host, link)) = self.links.get_mut(&end) else {
            return vec![at];
        };
        let direction = link.end().direction;
        let since = Duration::from_nanos(at.as_nanos().saturating_sub(self.began.as_nanos()));
        for (number, cut) in (1..).zip(&self.cuts) {
            let (from, until) = (
                Duration::from_millis(cut.from_ms),
                Duration::from_millis(cut.until_ms),
            );
            link.lift(FaultId(number));
            if cut.host == *host && cut.directions.covers(direction) && (from..until).contains(&since) {
                let until = self.began + until;
                link.lay(FaultId(number), Condition::Blocked { until });
            }
        }
        match link.carry(at, flow, payload) {
            Fate::Dropped(_) | Fate::Reset(..) => Vec::new(),
            Fate::Carried { first, second } => {
                let second = second.map(|(_, at)| at);
                std::iter::once(first.at).chain(second).collect()
            }
        }
    }
}

/// Source and destination of an IPv4 packet.
fn ends(packet: &[u8]) -> Option<(Ipv4Addr, Ipv4Addr)> {
    let header = packet.first_chunk::<20>().filter(|h| h[0] >> 4 == 4)?;
    let address = |at: usize| Ipv4Addr::new(header[at], header[at + 1], header[at + 2], header[at + 3]);
    Some((address(12), address(16)))
}

#[cfg(test)]
mod tests {
    use sleet::net::latency::Latency;

    use super::*;

    const ALICE: Ipv4Addr = Ipv4Addr::new(198, 18, 3, 1);
    const OFFICE: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 80);

    fn lane(faults: Vec<Cut>) -> Lane {
        let access = |host: &str, address, ms| Access {
            host: host.to_owned(),
            address,
            up: LinkProfile::good(Latency::constant_ms(ms)),
            down: LinkProfile::good(Latency::constant_ms(ms)),
        };
        let order = Order {
            lane: 3,
            seed: 1,
            links: vec![access("alice", ALICE, 10), access("office", OFFICE, 2)],
            faults,
        };
        Lane::new(SimTime::from_millis(1_000), &order)
    }

    #[test]
    fn a_packet_takes_the_time_of_both_links() {
        let at = SimTime::from_millis(1_005);
        let due = lane(Vec::new()).carry(at, ALICE, OFFICE, 128);
        assert_eq!(due, [SimTime::from_millis(1_017)]);
    }

    #[test]
    fn a_partition_begins_and_ends_by_the_clock_of_the_call() {
        let cut = Cut {
            host: "alice".to_owned(),
            directions: Directions::Up,
            from_ms: 100,
            until_ms: 200,
        };
        let mut lane = lane(vec![cut]);
        let mut passes = |ms, from, to| {
            let due = lane.carry(SimTime::from_millis(ms), from, to, 128);
            !due.is_empty()
        };
        assert!(passes(1_099, ALICE, OFFICE));
        assert!(!passes(1_100, ALICE, OFFICE), "cut");
        assert!(passes(1_150, OFFICE, ALICE), "only up");
        assert!(passes(1_200, ALICE, OFFICE), "over");
    }

    #[test]
    fn lanes_are_told_apart_by_addresses_of_clients() {
        assert_eq!(lane_of(ALICE), Some(3));
        assert_eq!(lane_of(Ipv4Addr::new(10, 7, 2, 1)), Some(7));
        assert_eq!(lane_of(OFFICE), None);
    }
}
