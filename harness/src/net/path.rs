//! The three stages of a packet's way, put together.

use std::{collections::BTreeMap, net::IpAddr};

use super::{
    firewall::Firewall,
    link::{Fate, Link},
    nat::{Nat, Refusal},
    topology::Topology,
    weather::{Direction, Weather},
};
use crate::{
    seed::Seed,
    time::SimTime,
    trace::{Cause, CauseKind, Flow},
};

/// One end of an access link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Index of the host in the topology.
    pub host: usize,
    /// Index of the interface on the host.
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
    nats: Vec<Translator>,
    // The NAT that each host is behind.
    realms: Vec<Realm>,
}

/// Which side of which NAT an address lies on: inside the NAT of that index, or on the open network.
type Realm = Option<usize>;

struct Translator {
    name: String,
    nat: Nat,
    outside: Realm,
}

/// NATs that a packet may cross, there and back: more would be a circle.
const MAX_HOPS: usize = 16;

impl Path {
    /// The network of `topology` in the run of `seed`.
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
                let base = host.link_base(i);
                Access {
                    up: Link::new(seed, format!("{base}->net"), spec.up.clone()),
                    down: Link::new(seed, format!("net->{base}"), spec.down.clone()),
                }
            });
            access.push(links.collect());
            firewalls.push(host.firewall.map(|spec| (host.name.clone(), Firewall::new(spec))));
        }
        let nat_index = |name: &String| topology.nats.iter().position(|n| n.name == *name);
        let nats = topology.nats.iter().map(|n| Translator {
            name: n.name.clone(),
            nat: Nat::new(seed, &n.name, n.spec, n.external),
            outside: n.behind.as_ref().and_then(nat_index),
        });
        Self {
            places,
            access,
            firewalls,
            nats: nats.collect(),
            realms: topology
                .hosts
                .iter()
                .map(|h| h.nat.as_ref().and_then(nat_index))
                .collect(),
        }
    }

    /// Who has `address`.
    pub fn place(&self, address: IpAddr) -> Option<Place> {
        self.places.get(&address).copied()
    }

    /// A packet leaves its host and enters the access link.
    pub fn depart(
        &mut self,
        now: SimTime,
        flow: Flow,
        len: u32,
        weather: impl Fn(Place, Direction) -> Weather,
    ) -> Fate {
        let Some(place) = self.place(flow.src.ip()) else {
            return Fate::Dropped(unroutable(flow.src.ip()));
        };
        if let Some((_, firewall)) = &mut self.firewalls[place.host] {
            firewall.sent(now, flow);
        }
        let weather = weather(place, Direction::Up);
        self.access[place.host][place.interface]
            .up
            .carry(now, flow, len, &weather)
    }

    /// A packet crosses the core, through the NATs on its way, and enters the access link of its
    /// destination. Returns its addresses as they are from here on.
    pub fn transit(
        &mut self,
        now: SimTime,
        flow: Flow,
        len: u32,
        weather: impl Fn(Place, Direction) -> Weather,
    ) -> (Flow, Fate) {
        match self.route(now, flow) {
            Err(by) => (flow, Fate::Dropped(by)),
            Ok((flow, place)) => {
                let weather = weather(place, Direction::Down);
                let link = &mut self.access[place.host][place.interface].down;
                (flow, link.carry(now, flow, len, &weather))
            }
        }
    }

    /// Finds the host that a packet is for, and translates its addresses on the way.
    ///
    /// # Errors
    /// What keeps it from getting there.
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
            flow = translated.map_err(|refusal| self.nats[crossed].refuses(refusal))?;
        }
        Err(unroutable(flow.dst.ip()))
    }

    /// Passes a packet from host to host in no time: firewalls and NATs, no links.
    ///
    /// # Errors
    /// What keeps it from getting there.
    pub fn pass(&mut self, now: SimTime, flow: Flow) -> Result<Flow, Cause> {
        if let Some(place) = self.place(flow.src.ip())
            && let Some((_, firewall)) = &mut self.firewalls[place.host]
        {
            firewall.sent(now, flow);
        }
        let (flow, _) = self.route(now, flow)?;
        self.arrive(now, flow).map(|_| flow)
    }

    /// A packet reaches its host.
    ///
    /// # Errors
    /// What keeps it out.
    pub fn arrive(&mut self, now: SimTime, flow: Flow) -> Result<Place, Cause> {
        let place = self
            .place(flow.dst.ip())
            .ok_or_else(|| unroutable(flow.dst.ip()))?;
        match &self.firewalls[place.host] {
            Some((name, firewall)) if !firewall.admits(now, flow) => Err(Cause {
                kind: CauseKind::Firewall,
                place: name.clone(),
            }),
            _ => Ok(place),
        }
    }

    /// The NAT called `name`.
    pub fn nat_mut(&mut self, name: &str) -> Option<&mut Nat> {
        let found = self.nats.iter_mut().find(|t| t.name == name);
        found.map(|t| &mut t.nat)
    }

    /// The chaos phase is over: every link is good from now on.
    pub fn heal(&mut self) {
        for access in self.access.iter_mut().flatten() {
            access.up.heal();
            access.down.heal();
        }
    }
}

impl Translator {
    fn refuses(&self, refusal: Refusal) -> Cause {
        Cause {
            kind: CauseKind::Nat,
            place: format!("{}: {refusal}", self.name),
        }
    }
}

fn unroutable(address: IpAddr) -> Cause {
    Cause {
        kind: CauseKind::Unroutable,
        place: address.to_string(),
    }
}
