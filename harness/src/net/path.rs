//! The packet path: departure, transit and arrival of a packet, put together.

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use super::{
    conditions::{Condition, Directions},
    firewall::Firewall,
    link::{Fate, Link, LinkEnd},
    nat::{Nat, Refusal},
    topology::Topology,
};
use crate::{
    seed::Seed,
    time::SimTime,
    trace::{Cause, Direction, FaultId, Flow, Proto},
};

/// One end of an access link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The index of the host in the topology.
    pub host: usize,
    /// The index of the interface on the host.
    pub interface: usize,
}

struct Access {
    up: Link,
    down: Link,
}

/// The network between the hosts.
pub struct Path {
    places: BTreeMap<IpAddr, Place>,
    access: Vec<Vec<Access>>,
    firewalls: Vec<Option<(String, Firewall)>>,
    processors: Vec<Processor>,
    nats: Vec<Translator>,
    // The NAT that each host is behind.
    realms: Vec<Realm>,
}

/// The processor of a host, which takes time over each packet.
#[derive(Clone, Copy)]
struct Processor {
    takes: Duration,
    // The time at which all packets that have reached the host are processed.
    free_at: SimTime,
}

impl Processor {
    /// Returns when a packet that reaches the host at `at` has been processed.
    fn done(&mut self, at: SimTime) -> SimTime {
        if self.takes.is_zero() {
            return at;
        }
        self.free_at = self.free_at.max(at) + self.takes;
        self.free_at
    }
}

/// The address realm of a host: behind the NAT of that index, or on the open network.
type Realm = Option<usize>;

struct Translator {
    name: String,
    nat: Nat,
    outside: Realm,
    // The external endpoints of the mappings that faults removed, and the fault.
    forgotten: BTreeMap<(Proto, SocketAddr), FaultId>,
}

/// The most NATs that a packet may cross, there and back: more would be a loop.
const MAX_HOPS: usize = 16;

impl Path {
    /// Creates the network of `topology` for the run of `seed`.
    pub fn new(seed: Seed, topology: &Topology) -> Self {
        let mut places = BTreeMap::new();
        let mut access = Vec::new();
        let mut firewalls = Vec::new();
        for (h, host) in topology.hosts.iter().enumerate() {
            let links = host.interfaces.iter().enumerate().map(|(i, spec)| {
                places.insert(
                    spec.address,
                    Place {
                        host: h,
                        interface: i,
                    },
                );
                let end = |direction| LinkEnd {
                    link: host.link_base(i),
                    direction,
                };
                Access {
                    up: Link::new(seed, end(Direction::Up), spec.up.clone()),
                    down: Link::new(seed, end(Direction::Down), spec.down.clone()),
                }
            });
            access.push(links.collect());
            firewalls.push(host.firewall.map(|spec| (host.name.clone(), Firewall::new(spec))));
        }
        let processors = topology.hosts.iter().map(|host| Processor {
            takes: Duration::from_micros(host.packet_us),
            free_at: SimTime::ZERO,
        });
        let nat_index = |name: &String| topology.nats.iter().position(|n| n.name == *name);
        let nats = topology.nats.iter().map(|n| Translator {
            name: n.name.clone(),
            nat: Nat::new(seed, &n.name, n.spec, n.external),
            outside: n.behind.as_ref().and_then(nat_index),
            forgotten: BTreeMap::new(),
        });
        Self {
            places,
            access,
            firewalls,
            processors: processors.collect(),
            nats: nats.collect(),
            realms: topology
                .hosts
                .iter()
                .map(|h| h.nat.as_ref().and_then(nat_index))
                .collect(),
        }
    }

    /// Returns the interface that has `address`.
    pub fn place(&self, address: IpAddr) -> Option<Place> {
        self.places.get(&address).copied()
    }

    /// Returns the direction of the link at `address`, and the number of the last packet that entered it, from 0.
    pub fn last_entered(&self, address: IpAddr, direction: Direction) -> Option<(&LinkEnd, u64)> {
        let place = self.place(address)?;
        let access = &self.access[place.host][place.interface];
        let link = match direction {
            Direction::Up => &access.up,
            Direction::Down => &access.down,
        };
        Some((link.end(), link.entered().checked_sub(1)?))
    }

    /// Sends a packet from its host into the access link.
    pub fn depart(&mut self, now: SimTime, flow: Flow, len: u32) -> Fate {
        let Some(place) = self.place(flow.src.ip()) else {
            return Fate::Dropped(unroutable(flow.src.ip()));
        };
        if let Some((_, firewall)) = &mut self.firewalls[place.host] {
            firewall.sent(now, flow);
        }
        self.access[place.host][place.interface].up.carry(now, flow, len)
    }

    /// Carries a packet across the core, through the NATs on its way, into the access link of its destination. Returns
    /// its addresses as they are from here on.
    pub fn transit(&mut self, now: SimTime, flow: Flow, len: u32) -> (Flow, Fate) {
        match self.route(now, flow) {
            Err(by) => (flow, Fate::Dropped(by)),
            Ok((flow, place)) => {
                let link = &mut self.access[place.host][place.interface].down;
                let mut fate = link.carry(now, flow, len);
                if let Fate::Carried { first, second } = &mut fate {
                    let processor = &mut self.processors[place.host];
                    first.at = processor.done(first.at);
                    if let Some((_, at)) = second {
                        *at = processor.done(*at);
                    }
                }
                (flow, fate)
            }
        }
    }

    /// Finds the destination host of a packet, and translates its addresses on the way.
    ///
    /// # Errors
    /// Returns the cause that stops the packet.
    pub fn route(&mut self, now: SimTime, mut flow: Flow) -> Result<(Flow, Place), Cause> {
        let mut realm = self.place(flow.src.ip()).and_then(|p| self.realms[p.host]);
        for _ in 0..MAX_HOPS {
            if let Some(place) = self.place(flow.dst.ip()).filter(|p| self.realms[p.host] == realm) {
                return Ok((flow, place));
            }
            let inward = self
                .nats
                .iter()
                .position(|t| t.outside == realm && t.nat.external() == flow.dst.ip());
            let (crossed, translated) = match (inward, realm) {
                (Some(inner), _) => {
                    realm = Some(inner);
                    (inner, self.nats[inner].nat.inbound(now, flow))
                }
                (None, Some(own)) if self.nats[own].nat.external() == flow.dst.ip() => {
                    (own, self.nats[own].nat.hairpin(now, flow))
                }
                (None, Some(own)) => {
                    realm = self.nats[own].outside;
                    (own, self.nats[own].nat.outbound(now, flow))
                }
                (None, None) => break,
            };
            let nat = &mut self.nats[crossed];
            flow = translated.map_err(|refusal| nat.refuses(refusal, flow))?;
            // An endpoint that is in use again is no longer a forgotten one.
            nat.forgotten.remove(&(flow.proto, flow.src));
        }
        let forgotten = |t: &Translator| t.forgotten.get(&(flow.proto, flow.dst)).copied();
        Err(Cause::Unroutable {
            address: flow.dst.ip(),
            fault: self.nats.iter().find_map(forgotten),
        })
    }

    /// Passes a packet from host to host in no time, through firewalls and NATs but over no links.
    ///
    /// # Errors
    /// Returns the cause that stops the packet.
    pub fn pass(&mut self, now: SimTime, flow: Flow) -> Result<Flow, Cause> {
        if let Some(place) = self.place(flow.src.ip())
            && let Some((_, firewall)) = &mut self.firewalls[place.host]
        {
            firewall.sent(now, flow);
        }
        let (flow, _) = self.route(now, flow)?;
        self.arrive(now, flow).map(|_| flow)
    }

    /// Lets a packet into its destination host.
    ///
    /// # Errors
    /// Returns the cause that keeps the packet out.
    pub fn arrive(&mut self, now: SimTime, flow: Flow) -> Result<Place, Cause> {
        let place = self
            .place(flow.dst.ip())
            .ok_or_else(|| unroutable(flow.dst.ip()))?;
        match &self.firewalls[place.host] {
            Some((name, firewall)) if !firewall.admits(now, flow) => {
                Err(Cause::Firewall { host: name.clone() })
            }
            _ => Ok(place),
        }
    }

    /// Applies `act` of `fault` to the NAT called `name`, which loses its mappings by it.
    pub fn befall_nat(&mut self, now: SimTime, name: &str, fault: FaultId, act: impl FnOnce(&mut Nat)) {
        if let Some(t) = self.nats.iter_mut().find(|t| t.name == name) {
            let live = t.nat.mappings(now);
            t.forgotten
                .extend(live.into_iter().map(|m| ((m.proto, m.external), fault)));
            act(&mut t.nat);
        }
    }

    /// Applies `condition` to the link called `link` on behalf of `fault`.
    pub fn lay(&mut self, link: &str, directions: Directions, fault: FaultId, condition: &Condition) {
        for end in self.links_mut().filter(|l| l.end().link == link) {
            if directions.covers(end.end().direction) {
                end.lay(fault, condition.clone());
            }
        }
    }

    /// Removes the conditions of `fault` from all links.
    pub fn lift(&mut self, fault: FaultId) {
        self.links_mut().for_each(|link| link.lift(fault));
    }

    /// Marks the interface of the link called `link` as dark because of a fault, until a time; `None` marks it as up.
    pub fn set_dark(&mut self, link: &str, dark: Option<(FaultId, SimTime)>) {
        for end in self.links_mut().filter(|l| l.end().link == link) {
            end.set_dark(dark);
        }
    }

    fn links_mut(&mut self) -> impl Iterator<Item = &mut Link> {
        let access = self.access.iter_mut().flatten();
        access.flat_map(|a| [&mut a.up, &mut a.down])
    }

    /// Ends the chaos phase: every link is good from now on.
    pub fn heal(&mut self) {
        self.links_mut().for_each(Link::heal);
    }
}

impl Translator {
    /// Returns the cause of a refused packet that was sent along `flow`.
    fn refuses(&self, refusal: Refusal, flow: Flow) -> Cause {
        let forgotten = || self.forgotten.get(&(flow.proto, flow.dst)).copied();
        Cause::Nat {
            nat: self.name.clone(),
            refusal,
            fault: (refusal == Refusal::NoMapping).then(forgotten).flatten(),
        }
    }
}

fn unroutable(address: IpAddr) -> Cause {
    Cause::Unroutable { address, fault: None }
}
