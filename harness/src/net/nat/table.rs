//! The live mappings of a NAT: looked up from inside and from outside, removed when they expire.

use std::{collections::BTreeMap, fmt, net::SocketAddr};

use super::spec::Remotes;
use crate::{time::SimTime, trace::Proto};

/// A live mapping of an internal endpoint to an external one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The transport; UDP and TCP have ports of their own.
    pub proto: Proto,
    /// The address and port of the host behind the NAT.
    pub internal: SocketAddr,
    /// The address and port that the outside sees, unique for each transport.
    pub external: SocketAddr,
    /// The destinations that the mapping is used for.
    pub remotes: Remotes,
    /// The time of expiry unless a packet refreshes the mapping.
    pub expires: SimTime,
}

impl fmt::Display for Binding {
    /// Writes `udp 10.0.0.1:5000 as 203.0.113.1:5000 for any until 300.000`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let proto = match self.proto {
            Proto::Udp => "udp",
            Proto::Tcp => "tcp",
        };
        write!(
            f,
            "{proto} {} as {} for {} until {}",
            self.internal, self.external, self.remotes, self.expires
        )
    }
}

/// The lookup key of a mapping from inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub proto: Proto,
    pub internal: SocketAddr,
    pub remotes: Remotes,
}

/// A mapping. It lives as long as it lets any sender in.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub key: Key,
    // The senders that are let in, and until when.
    permits: BTreeMap<Remotes, SimTime>,
}

impl Entry {
    pub fn admits(&self, sources: Remotes) -> bool {
        self.permits.contains_key(&sources)
    }

    pub fn expires(&self) -> SimTime {
        self.permits.values().copied().max().unwrap_or_default()
    }
}

/// The mappings by external port, and the index from inside.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    entries: BTreeMap<(Proto, u16), Entry>,
    ports: BTreeMap<Key, u16>,
    // A lower bound of the next expiry, which saves most packets a look at every mapping.
    next_expiry: Option<SimTime>,
}

impl Table {
    /// Removes expired mappings.
    pub fn expire(&mut self, now: SimTime) {
        if self.next_expiry.is_none_or(|at| now < at) {
            return;
        }
        let ports = &mut self.ports;
        self.entries.retain(|_, entry| {
            entry.permits.retain(|_, until| now < *until);
            if entry.permits.is_empty() {
                ports.remove(&entry.key);
            }
            !entry.permits.is_empty()
        });
        let permits = self.entries.values().flat_map(|e| e.permits.values());
        self.next_expiry = permits.min().copied();
    }

    /// Returns the external port of `key`.
    pub fn port(&self, key: &Key) -> Option<u16> {
        self.ports.get(key).copied()
    }

    pub fn is_taken(&self, proto: Proto, port: u16) -> bool {
        self.entries.contains_key(&(proto, port))
    }

    pub fn entry(&self, proto: Proto, port: u16) -> Option<&Entry> {
        self.entries.get(&(proto, port))
    }

    /// Adds a mapping that lets no sender in yet.
    pub fn insert(&mut self, key: Key, port: u16) {
        self.ports.insert(key, port);
        let permits = BTreeMap::new();
        self.entries.insert((key.proto, port), Entry { key, permits });
    }

    /// Lets `sources` in through a mapping until `until`.
    pub fn permit(&mut self, proto: Proto, port: u16, sources: Remotes, until: SimTime) {
        if let Some(entry) = self.entries.get_mut(&(proto, port)) {
            entry.permits.insert(sources, until);
            self.next_expiry = Some(self.next_expiry.map_or(until, |at| at.min(until)));
        }
    }

    /// Iterates over the external ports in use.
    pub fn taken(&self) -> impl Iterator<Item = (Proto, u16)> {
        self.entries.keys().copied()
    }

    /// Iterates over the mappings with their external ports, by transport and port.
    pub fn iter(&self) -> impl Iterator<Item = (u16, &Entry)> {
        self.entries.iter().map(|((_, port), entry)| (*port, entry))
    }

    #[cfg(test)]
    pub fn sizes(&self) -> (usize, usize) {
        (self.entries.len(), self.ports.len())
    }
}
