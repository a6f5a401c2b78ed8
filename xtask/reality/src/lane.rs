//! A lane of the wire: the links of one call, told the real time.
//!
//! What becomes of a packet is decided by the simulation's own links; nothing here may decide it by itself.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::Path,
    time::Duration,
};

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

use crate::{
    capture::Recent,
    damage::{self, Damage},
};

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
pub struct Lane {
    began: SimTime,
    links: BTreeMap<(Ipv4Addr, bool), (String, Link)>,
    cuts: Vec<Cut>,
    recent: Recent,
}

/// A copy of a packet on its way.
#[derive(Clone)]
struct Copy {
    at: SimTime,
    damage: Vec<Damage>,
}

/// The lane of an address of a client or of its NAT: the second or third byte of it. Servers have none.
pub fn lane_of(address: Ipv4Addr) -> Option<u8> {
    match address.octets() {
        [10, lane, ..] | [198, 18 | 19, lane, _] => Some(lane),
        _ => None,
    }
}

impl Lane {
    /// A lane whose call `began` at that time of the wire.
    pub fn new(began: SimTime, order: &Order) -> Self {
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
            recent: Recent::default(),
        }
    }

    /// What arrives of a packet, and when: up the link of the sender, and at once, with the time that it takes, down that of the receiver.
    pub fn carry(
        &mut self,
        now: SimTime,
        from: Ipv4Addr,
        to: Ipv4Addr,
        packet: &[u8],
    ) -> Vec<(SimTime, Vec<u8>)> {
        let copies = self.copies(now, from, to, packet.len());
        let arrives = copies
            .iter()
            .map(|copy| (copy.at - now, copy.damage.clone()))
            .collect();
        self.recent.add(now - self.began, packet, arrives);
        let copies = copies.into_iter();
        copies
            .map(|copy| (copy.at, damage::done(packet, &copy.damage)))
            .collect()
    }

    /// Keeps a capture of what it has carried in `file`; `about` says of what.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn keep(&self, file: &Path, about: &str) -> anyhow::Result<()> {
        self.recent.keep(file, about)
    }

    fn copies(&mut self, now: SimTime, from: Ipv4Addr, to: Ipv4Addr, len: usize) -> Vec<Copy> {
        let flow = Flow {
            proto: Proto::Udp,
            src: SocketAddr::new(IpAddr::V4(from), 0),
            dst: SocketAddr::new(IpAddr::V4(to), 0),
        };
        let payload = u32::try_from(len.saturating_sub(HEADERS)).unwrap_or(u32::MAX);
        let sent = Copy {
            at: now,
            damage: Vec::new(),
        };
        let up = self.over((from, true), sent, flow, payload);
        let down = up
            .into_iter()
            .flat_map(|copy| self.over((to, false), copy, flow, payload));
        down.collect()
    }

    fn over(&mut self, end: (Ipv4Addr, bool), copy: Copy, flow: Flow, payload: u32) -> Vec<Copy> {
        let at = copy.at;
        let Some((host, link)) = self.links.get_mut(&end) else {
            return vec![copy];
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
                let harm = Damage {
                    bit: first.corrupted.map(|(_, bit)| bit),
                    len: first.truncated.map(|(_, len)| len),
                };
                let more = (harm != Damage::default()).then_some(harm);
                let again = second.map(|(_, at)| Copy { at, ..copy.clone() });
                let damage = copy.damage.iter().copied().chain(more).collect();
                let first = Copy { at: first.at, damage };
                std::iter::once(first).chain(again).collect()
            }
        }
    }
}

/// Source and destination of an IPv4 packet.
pub fn ends(packet: &[u8]) -> Option<(Ipv4Addr, Ipv4Addr)> {
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
        let packet = vec![0x45; 128];
        let due = lane(Vec::new()).carry(at, ALICE, OFFICE, &packet);
        assert_eq!(due, [(SimTime::from_millis(1_017), packet)]);
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
            let due = lane.carry(SimTime::from_millis(ms), from, to, &[0x45; 128]);
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
