//! Connects the stack's virtual network with the ports of the host.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex as StdMutex, MutexGuard, Weak},
    time::Duration,
};

use async_trait::async_trait;
use ipnet::IpNet;
use tokio::{sync::Mutex, task::JoinHandle};
use webrtc_util::vnet::{
    chunk::Chunk,
    interface::Interface,
    net::Net,
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
    net: Weak<Net>,
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
    pub(super) fn new(host: Host, net: &Arc<Net>, stack: &Arc<StackNic>) -> Self {
        Self {
            host,
            net: Arc::downgrade(net),
            stack: Arc::downgrade(stack),
            state: StdMutex::new(State::Resting),
        }
    }

    /// Holds `ports` of each of `addresses`; returns whether they were released before. A gateway that is closed stays so.
    pub(super) fn open(&self, ports: &PortRange, addresses: &[IpAddr]) -> bool {
        let mut state = self.state();
        match &mut *state {
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
        if let State::Open(open) = &mut *self.state() {
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

    async fn send(&self, chunk: &(dyn Chunk + Send + Sync)) {
        let (mut from, to) = (chunk.source_addr(), chunk.destination_addr());
        let led = self.host.leads_over(from.ip());
        if led != from.ip() && self.is_bound_to_any(from.port()).await {
            from.set_ip(led);
        }
        if let State::Open(open) = &mut *self.state() {
            open.held.send(from, to, chunk.user_data());
        }
    }

    /// Reports whether the stack has a socket on `port` that is bound to no address: the virtual network gives what such a socket
    /// sends its first address forever (webrtc-util 0.17.2, src/vnet/net.rs:89 to 116), where a system looks which way leads there.
    ///
    /// It does not tell, but it lets nobody bind the port on any address then.
    async fn is_bound_to_any(&self, port: u16) -> bool {
        let Some(net) = self.net.upgrade() else {
            return false;
        };
        match net.bind(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port)).await {
            Ok(tried) => {
                // Nobody else has it: it cannot be closed already.
                let _ = tried.close().await;
                false
            }
            Err(error) => error == webrtc_util::Error::ErrAddressAlreadyInUse,
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
        self.gateway.send(chunk.as_ref()).await;
    }

    async fn get_static_ips(&self) -> Vec<IpAddr> {
        self.addresses.clone()
    }

    async fn set_router(&self, _router: Arc<Mutex<Router>>) -> Result<(), webrtc_util::Error> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        fault::{Timeline, network_switch},
        net::{
            latency::Latency,
            link::LinkProfile,
            topology::{HostSpec, Topology},
        },
        nic,
        seed::Seed,
        socket::UdpSocket,
        trace::EventKind,
        world::{self, Sim, WorldSpec},
    };

    #[test]
    fn a_socket_that_is_bound_to_no_address_goes_on_after_a_network_switch() {
        let link = LinkProfile::good(Latency::constant_ms(10));
        let topology = Topology::new([
            HostSpec::new("alice", "10.0.0.1", link.clone()).interface("eth1", "10.1.0.1", link.clone()),
            HostSpec::new("bob", "10.0.0.2", link),
        ]);
        let switch = Timeline::new(vec![network_switch("alice", "eth0", "eth1", 100)], None);
        let story = async |sim: Sim| {
            let to: SocketAddr = "10.0.0.2:9".parse().expect("an address");
            let bob = UdpSocket::bind(&sim.host("bob"), to).await.expect("free");
            let nic = nic::Nic::up(&sim.host("alice")).await.expect("up");
            let (net, (first, last)) = (nic.net(), nic.ports());
            let bind = async |ip: &str, port| {
                let at = SocketAddr::new(ip.parse().expect("an address"), port);
                net.bind(at).await.expect("free")
            };
            let (any, old) = (bind("0.0.0.0", first).await, bind("10.0.0.1", last).await);
            let mut buf = [0; 16];
            any.send_to(b"any before", to).await.expect("sent");
            let (_, from) = bob.recv_from(&mut buf).await.expect("received");
            assert_eq!(
                from,
                SocketAddr::new("10.0.0.1".parse().expect("an address"), first)
            );
            tokio::time::sleep(Duration::from_millis(100)).await;

            old.send_to(b"old after", to).await.expect("sent");
            any.send_to(b"any after", to).await.expect("sent");
            let (len, from) = bob.recv_from(&mut buf).await.expect("received");
            assert_eq!(
                &buf[..len],
                b"any after",
                "what is bound to the address that is gone stays there"
            );
            assert_eq!(
                from,
                SocketAddr::new("10.1.0.1".parse().expect("an address"), first)
            );
            bob.send_to(b"back", from).await.expect("sent");
            let (len, _) = any.recv_from(&mut buf).await.expect("received");
            assert_eq!(&buf[..len], b"back");
            sim.step("received", "");
        };
        let spec = WorldSpec::new(Seed(1), topology);
        let ending = world::run_under(spec, switch, Arc::default(), story).expect("a run");
        let steps = ending
            .trace
            .events
            .iter()
            .filter(|e| matches!(e.kind, EventKind::Step { .. }));
        assert_eq!(steps.count(), 1);
    }
}
