//! A lane of the wire: the links of one call, told the real time.
//!
//! What becomes of a packet is decided by the simulation's own links, and by its own NATs where the kernel has none of the kind; nothing here
//! may decide it by itself.

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
        nat::{Nat, NatSpec},
    },
    seed::Seed,
    time::SimTime,
    trace::{Direction, FaultId, Flow, Proto},
};

use crate::{
    capture::Recent,
    damage::{self, Damage},
    packet::{IP, UDP, flow_of, readdressed},
};

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
    /// The NATs that the wire does.
    pub nats: Vec<Translator>,
}

/// A NAT that the wire does, for the client behind it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Translator {
    /// The client's address.
    pub inside: Ipv4Addr,
    /// Its own address.
    pub outside: Ipv4Addr,
    /// How it behaves.
    pub spec: NatSpec,
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
    // By the address inside.
    nats: BTreeMap<IpAddr, Nat>,
    recent: Recent,
}

/// A copy of a packet on its way.
#[derive(Clone)]
struct Copy {
    at: SimTime,
    damage: Vec<Damage>,
    // What a NAT has made of its addresses.
    flow: Option<Flow>,
}

impl Copy {
    fn of(&self, packet: &[u8]) -> Vec<u8> {
        let damaged = damage::done(packet, &self.damage);
        match self.flow {
            Some(flow) => readdressed(&damaged, flow),
            None => damaged,
        }
    }
}

impl Translator {
    fn made(&self, seed: u64) -> (IpAddr, Nat) {
        let [inside, outside] = [self.inside, self.outside].map(IpAddr::V4);
        (
            inside,
            Nat::new(Seed(seed), &self.outside.to_string(), self.spec, outside),
        )
    }
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
            nats: order.nats.iter().map(|nat| nat.made(order.seed)).collect(),
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
        let copies = self.copies(now, from, to, packet);
        let arrives = copies
            .iter()
            .map(|copy| (copy.at - now, copy.damage.clone()))
            .collect();
        self.recent.add(now - self.began, packet, arrives);
        let copies = copies.into_iter();
        copies.map(|copy| (copy.at, copy.of(packet))).collect()
    }

    /// Keeps a capture of what it has carried in `file`; `about` says of what.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn keep(&self, file: &Path, about: &str) -> anyhow::Result<()> {
        self.recent.keep(file, about)
    }

    fn copies(&mut self, now: SimTime, from: Ipv4Addr, to: Ipv4Addr, packet: &[u8]) -> Vec<Copy> {
        let flow = Flow {
            proto: Proto::Udp,
            src: SocketAddr::new(IpAddr::V4(from), 0),
            dst: SocketAddr::new(IpAddr::V4(to), 0),
        };
        let payload = u32::try_from(packet.len().saturating_sub(IP + UDP)).unwrap_or(u32::MAX);
        let sent = Copy {
            at: now,
            damage: Vec::new(),
            flow: None,
        };
        let up = self.over((from, true), sent, flow, payload);
        let crossed = up
            .into_iter()
            .filter_map(|copy| self.cross(copy, to, packet))
            .collect::<Vec<_>>();
        let down = crossed
            .into_iter()
            .flat_map(|(copy, to)| self.over((to, false), copy, flow, payload));
        down.collect()
    }

    /// What the NATs on its way make of a packet `to` an address, and where it goes then.
    fn cross(&mut self, copy: Copy, to: Ipv4Addr, packet: &[u8]) -> Option<(Copy, Ipv4Addr)> {
        if self.nats.is_empty() {
            return Some((copy, to));
        }
        // These NATs do not translate ICMP, and leave TCP as it is: the line to the app's server is older than the call.
        let mut flow = flow_of(packet)?;
        if flow.proto == Proto::Tcp {
            return Some((copy, to));
        }
        if let Some(own) = self.nats.get_mut(&flow.src.ip()) {
            flow = own.outbound(copy.at, flow).ok()?;
        }
        if self.nats.contains_key(&flow.dst.ip()) {
            // Nobody outside reaches an address inside.
            return None;
        }
        let theirs = self.nats.values_mut().find(|nat| nat.external() == flow.dst.ip());
        if let Some(theirs) = theirs {
            flow = theirs.inbound(copy.at, flow).ok()?;
        }
        let IpAddr::V4(to) = flow.dst.ip() else {
            return None;
        };
        let flow = Some(flow);
        Some((Copy { flow, ..copy }, to))
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
                let first = Copy {
                    at: first.at,
                    damage,
                    ..copy
                };
                std::iter::once(first).chain(again).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use sleet::net::{firewall::Filtering, latency::Latency, nat::Mapping};

    use super::*;
    use crate::packet::ends;

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
            nats: Vec::new(),
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

    #[test]
    fn a_nat_of_the_wire_translates_datagrams_and_lets_in_whom_its_client_has_spoken_to() {
        let inside = Ipv4Addr::new(10, 3, 1, 1);
        let nat = Translator {
            inside,
            outside: ALICE,
            spec: NatSpec::of(Mapping::EndpointIndependent, Filtering::AddressDependent),
        };
        let order = Order {
            lane: 3,
            seed: 1,
            links: Vec::new(),
            faults: Vec::new(),
            nats: vec![nat],
        };
        let mut lane = Lane::new(SimTime::ZERO, &order);
        let mut carry = |number: u8, src: &str, dst: &str| {
            let flow = Flow {
                proto: Proto::Udp,
                src: src.parse().expect("an address"),
                dst: dst.parse().expect("an address"),
            };
            let mut packet = vec![0; 48];
            (packet[0], packet[9]) = (0x45, number);
            let packet = readdressed(&packet, flow);
            let (from, to) = ends(&packet).expect("IPv4");
            let arrived = lane.carry(SimTime::ZERO, from, to, &packet).pop()?;
            flow_of(&arrived.1)
        };
        let (client, server) = ("10.3.1.1:5000", "192.0.2.103:3478");
        assert_eq!(carry(17, server, "198.18.3.1:5000"), None, "nobody was spoken to");
        let seen = carry(17, client, server).expect("it leaves").src.to_string();
        assert!(seen.starts_with("198.18.3.1:"), "{seen}");
        let back = carry(17, "192.0.2.103:9", &seen).expect("any port may answer");
        assert_eq!(back.dst.to_string(), client);
        assert_eq!(carry(17, "192.0.2.104:9", &seen), None, "another address");
        assert_eq!(carry(17, server, client), None, "nobody outside knows the inside");
        let tcp = carry(6, client, server).expect("it leaves");
        assert_eq!(tcp.src.to_string(), client);
    }
}
