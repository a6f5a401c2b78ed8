//! Connects the stack's virtual network with the ports of the host.

use std::{
    net::IpAddr,
    sync::{Arc, Mutex as StdMutex, MutexGuard, Weak},
    time::Duration,
};

use async_trait::async_trait;
use ipnet::IpNet;
use tokio::{sync::Mutex, task::JoinHandle};
use webrtc_util::vnet::{
    chunk::Chunk,
    interface::Interface,
    router::{Nic, Router},
};

use super::chunk::Datagram;
use crate::world::{Held, Host, Inbox, PortRange};

type StackNic = Mutex<dyn Nic + Send + Sync>;

/// The time that a datagram may wait for room in the stack's receive queue. The virtual network waits there with its
/// lock held (webrtc-util 0.17.2, src/vnet/net.rs:156 to 167), which a stack that is answering needs too: where a real
/// socket drops, the two would deadlock.
const PATIENCE: Duration = Duration::from_millis(1);

/// The ports of one network interface, between a host and a stack.
pub(super) struct Gateway {
    host: Host,
    stack: Weak<StackNic>,
    state: StdMutex<State>,
}

enum State {
    Open(Open),
    /// Datagrams that the stack still sends are discarded.
    Resting,
    /// The same, for good.
    Closed,
}

struct Open {
    held: Held,
    reader: JoinHandle<()>,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

impl Gateway {
    pub(super) fn new(host: Host, stack: &Arc<StackNic>) -> Self {
        Self {
            host,
            stack: Arc::downgrade(stack),
            state: StdMutex::new(State::Resting),
        }
    }

    /// Holds `ports` of each of `addresses`; returns whether they were released before. A gateway that is closed stays so.
    pub(super) fn open(&self, ports: &PortRange, addresses: &[IpAddr]) -> bool {
        let mut state = self.state();
        match &*state {
            State::Closed => false,
            State::Open(open) => {
                open.held.linger(false);
                false
            }
            State::Resting => {
                let (held, inbox) = ports.hold(addresses);
                let reader = self.host.spawn_unseen("nic", receive(inbox, self.stack.clone()));
                *state = State::Open(Open { held, reader });
                true
            }
        }
    }

    /// Makes the ports count as closed, while they are still held.
    pub(super) fn lingers(&self) {
        if let State::Open(open) = &*self.state() {
            open.held.linger(true);
        }
    }

    /// Releases every port; the gateway can open them again.
    pub(super) fn rest(&self) {
        let mut state = self.state();
        if matches!(*state, State::Open(_)) {
            *state = State::Resting;
        }
    }

    /// Releases every port for good.
    pub(super) fn close(&self) {
        *self.state() = State::Closed;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic while it is held")
    }

    fn send(&self, chunk: &(dyn Chunk + Send + Sync)) {
        if let State::Open(open) = &mut *self.state() {
            let (from, to) = (chunk.source_addr(), chunk.destination_addr());
            open.held.send(from, to, chunk.user_data());
        }
    }
}

/// Passes datagrams from `inbox` to the stack for as long as the stack exists.
async fn receive(mut inbox: Inbox, stack: Weak<StackNic>) {
    while let Some(arrived) = inbox.recv().await {
        let Some(stack) = stack.upgrade() else { return };
        let datagram = Datagram::new(arrived.from, arrived.to, arrived.payload.into());
        let taken = async { stack.lock().await.on_inbound_chunk(Box::new(datagram)).await };
        // Cancelling releases the virtual network's lock; the datagram is lost as in a full buffer.
        let _ = tokio::time::timeout(PATIENCE, taken).await;
    }
}

/// Answers on the stack's router for every address that is not the peer's own.
pub(super) struct Foreign {
    gateway: Arc<Gateway>,
    addresses: Vec<IpAddr>,
}

impl Foreign {
    pub(super) fn new(gateway: Arc<Gateway>, addresses: Vec<IpAddr>) -> Self {
        Self { gateway, addresses }
    }
}

#[async_trait]
impl Nic for Foreign {
    async fn get_interface(&self, _name: &str) -> Option<Interface> {
        None
    }

    async fn add_addrs_to_interface(
        &mut self,
        _name: &str,
        _addresses: &[IpNet],
    ) -> Result<(), webrtc_util::Error> {
        Ok(())
    }

    async fn on_inbound_chunk(&self, chunk: Box<dyn Chunk + Send + Sync>) {
        self.gateway.send(chunk.as_ref());
    }

    async fn get_static_ips(&self) -> Vec<IpAddr> {
        self.addresses.clone()
    }

    async fn set_router(&self, _router: Arc<Mutex<Router>>) -> Result<(), webrtc_util::Error> {
        Ok(())
    }
}
