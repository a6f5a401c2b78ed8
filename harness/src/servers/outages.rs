//! The STUN and TURN servers that are down because of faults.
//!
//! A world has one of these, which outlives the servers' hosts. A server that stops says no goodbye: its sockets close,
//! its allocations are gone, and packets that clients still send there are lost. After a restart it knows nothing of
//! them.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard},
};

use tokio::sync::mpsc;

use crate::{trace::FaultId, world::Sim};

/// An order to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// Stop.
    Die,
    /// Start again.
    ComeBack,
}

/// The servers that are down, and the channels to those that run.
#[derive(Default)]
pub struct Outages {
    hosts: Mutex<BTreeMap<String, ServerState>>,
}

#[derive(Default)]
struct ServerState {
    down: Option<FaultId>,
    server: Option<mpsc::UnboundedSender<Order>>,
}

impl Outages {
    /// Takes the server on `host` down because of `fault`.
    pub fn begin(&self, sim: &Sim, host: &str, fault: FaultId) {
        sim.silence(host, Some(fault));
        let mut hosts = self.hosts();
        let server = hosts.entry(host.to_owned()).or_default();
        server.down = Some(fault);
        server.tell(Order::Die);
    }

    /// Lets the server on `host` come up again.
    pub fn end(&self, sim: &Sim, host: &str) {
        sim.silence(host, None);
        let mut hosts = self.hosts();
        let server = hosts.entry(host.to_owned()).or_default();
        server.down = None;
        server.tell(Order::ComeBack);
    }

    /// Registers a server that starts on `host`; returns its orders, and whether it may run.
    pub(super) fn started(&self, host: &str) -> (mpsc::UnboundedReceiver<Order>, bool) {
        let (sender, receiver) = mpsc::unbounded_channel();
        let mut hosts = self.hosts();
        let server = hosts.entry(host.to_owned()).or_default();
        server.server = Some(sender);
        (receiver, server.down.is_none())
    }

    fn hosts(&self) -> MutexGuard<'_, BTreeMap<String, ServerState>> {
        self.hosts.lock().expect("no panic while it is held")
    }
}

impl ServerState {
    fn tell(&self, order: Order) {
        if let Some(server) = &self.server {
            // An error means that the server is gone with its host.
            let _ = server.send(order);
        }
    }
}
