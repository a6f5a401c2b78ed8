//! Connections that a NAT considers its own: packets to itself that it accepted without a request from inside.
//!
//! Linux tracks such a packet like any other. Until the entry expires, no mapping can use its port towards its sender:
//! the answers would be taken for answers to that connection.

use std::{collections::BTreeMap, net::SocketAddr};

use crate::time::SimTime;

/// The UDP connections that a NAT considers its own.
#[derive(Clone, Debug, Default)]
pub(super) struct Claims {
    // By external port and sender: the time of expiry.
    held: BTreeMap<(u16, SocketAddr), SimTime>,
}

impl Claims {
    /// Records that a packet from `sender` to `port` was accepted; the entry expires at `until`.
    pub fn add(&mut self, port: u16, sender: SocketAddr, until: SimTime) {
        self.held.insert((port, sender), until);
    }

    /// Removes expired entries.
    pub fn expire(&mut self, now: SimTime) {
        self.held.retain(|_, until| now < *until);
    }

    /// Reports whether an entry keeps mappings towards `remote` from using `port`.
    pub fn hold(&self, port: u16, remote: SocketAddr) -> bool {
        self.held.contains_key(&(port, remote))
    }
}
