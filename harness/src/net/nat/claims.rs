//! What a NAT takes for connections of its own: packets to itself that it accepted, though nobody inside had asked for them.
//!
//! Linux tracks such a packet like any other. While it is remembered, no mapping can use its port towards its sender: the answers
//! would be taken for answers to that connection.

use std::{collections::BTreeMap, net::SocketAddr};

use crate::time::SimTime;

/// The connections that a NAT takes for its own, all of UDP.
#[derive(Clone, Debug, Default)]
pub(super) struct Claims {
    // By the port outside and the sender: until when.
    held: BTreeMap<(u16, SocketAddr), SimTime>,
}

impl Claims {
    /// A packet from `sender` to `port` was accepted, and is remembered until `until`.
    pub fn add(&mut self, port: u16, sender: SocketAddr, until: SimTime) {
        self.held.insert((port, sender), until);
    }

    /// Forgets what is over.
    pub fn expire(&mut self, now: SimTime) {
        self.held.retain(|_, until| now < *until);
    }

    /// Whether `port` is held against `remote`.
    pub fn hold(&self, port: u16, remote: SocketAddr) -> bool {
        self.held.contains_key(&(port, remote))
    }
}
