//! Which STUN and TURN servers are down now: the executed state of faults.
//!
//! There is one of these in a world, whatever becomes of the servers' hosts. A server that dies says no goodbye: its sockets
//! close and its allocations are gone, and so is what their clients still send there. One that comes back knows nothing of
//! them.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard},
};

use tokio::sync::mpsc;

use crate::{trace::FaultId, world::Sim};

/// What a server is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// Die.
    Die,
    /// Come back.
    ComeBack,
}

/// Every server that is down, and how those that run are told.
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
    /// `fault` takes the server on `host` down.
    pub fn begin(&self, sim: &Sim, host: &str, fault: FaultId) {
        sim.silence(host, Some(fault));
        let mut hosts = self.hosts();
        let server = hosts.entry(host.to_owned()).or_default();
        server.down = Some(fault);
        server.tell(Order::Die);
    }

    /// The server on `host` comes back.
    pub fn end(&self, sim: &Sim, host: &str) {
        sim.silence(host, None);
        let mut hosts = self.hosts();
        let server = hosts.entry(host.to_owned()).or_default();
        server.down = None;
        server.tell(Order::ComeBack);
    }

    /// A server starts on `host`: how it is told, and whether it may run.
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
            // One that has gone with its host needs no telling.
            let _ = server.send(order);
        }
    }
}
