//! The three stages of a packet's way, put together.

use std::{collections::BTreeMap, net::IpAddr};

use super::{
    firewall::Firewall,
    link::{Fate, Link},
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
}

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
        Self {
            places,
            access,
            firewalls,
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

    /// A packet crosses the core and enters the access link of its destination.
    pub fn transit(
        &mut self,
        now: SimTime,
        flow: Flow,
        len: u32,
        weather: impl Fn(Place, Direction) -> Weather,
    ) -> Fate {
        let Some(place) = self.place(flow.dst.ip()) else {
            return Fate::Dropped(unroutable(flow.dst.ip()));
        };
        let weather = weather(place, Direction::Down);
        self.access[place.host][place.interface]
            .down
            .carry(now, flow, len, &weather)
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

    /// The chaos phase is over: every link is good from now on.
    pub fn heal(&mut self) {
        for access in self.access.iter_mut().flatten() {
            access.up.heal();
            access.down.heal();
        }
    }
}

fn unroutable(address: IpAddr) -> Cause {
    Cause {
        kind: CauseKind::Unroutable,
        place: address.to_string(),
    }
}
