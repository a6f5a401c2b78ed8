//! Connects the stack's virtual network with the sockets of the host.

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
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

use super::{NicError, chunk::Datagram};
use crate::{socket::UdpSocket, world::Host};

type StackNic = Mutex<dyn Nic + Send + Sync>;

/// The largest datagram that a host may receive, in bytes.
const MAX_DATAGRAM: usize = 2_048;

/// The time that a datagram may wait for room in the stack's receive queue. The virtual network waits there with its
/// lock held (webrtc-util 0.17.2, src/vnet/net.rs:156 to 167), which a stack that is answering needs too: where a real
/// socket drops, the two would deadlock.
const PATIENCE: Duration = Duration::from_millis(1);

struct Port {
    socket: Arc<UdpSocket>,
    reader: JoinHandle<()>,
}

impl Drop for Port {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

/// The sockets of one network interface.
pub(super) struct Gateway {
    host: Host,
    stack: Weak<StackNic>,
    // `None` once closed: datagrams that the stack still sends are then discarded.
    open: StdMutex<Option<BTreeMap<SocketAddr, Port>>>,
}

impl Gateway {
    pub(super) fn new(host: Host, stack: &Arc<StackNic>) -> Self {
        Self {
            host,
            stack: Arc::downgrade(stack),
            open: StdMutex::new(Some(BTreeMap::new())),
        }
    }

    /// Returns the socket bound to `address`, and binds it first if necessary.
    pub(super) async fn open(&self, address: SocketAddr) -> Result<Arc<UdpSocket>, NicError> {
        match self.ports().as_ref() {
            None => return Err(NicError::Down),
            Some(ports) => {
                if let Some(port) = ports.get(&address) {
                    return Ok(port.socket.clone());
                }
            }
        }
        let bound = UdpSocket::bind(&self.host, address).await;
        let socket = Arc::new(bound.map_err(|e| NicError::Bind(e, address))?);
        let reader = self
            .host
            .spawn("nic", receive(socket.clone(), self.stack.clone()));
        let port = Port {
            socket: socket.clone(),
            reader,
        };
        let mut ports = self.ports();
        ports.as_mut().ok_or(NicError::Down)?.insert(address, port);
        Ok(socket)
    }

    /// Binds `ports` of each of `addresses`.
    pub(super) async fn open_all(&self, addresses: &[IpAddr], ports: (u16, u16)) -> Result<(), NicError> {
        for address in addresses {
            for port in ports.0..=ports.1 {
                self.open(SocketAddr::new(*address, port)).await?;
            }
        }
        Ok(())
    }

    /// Closes every socket; the gateway can open them again.
    pub(super) fn rest(&self) {
        if let Some(ports) = self.ports().as_mut() {
            ports.clear();
        }
    }

    /// Closes every socket for good.
    pub(super) fn close(&self) {
        self.ports().take();
    }

    fn ports(&self) -> MutexGuard<'_, Option<BTreeMap<SocketAddr, Port>>> {
        self.open.lock().expect("no panic while it is held")
    }

    async fn send(&self, chunk: &(dyn Chunk + Send + Sync)) {
        // TURN clients bind ports outside the range that is open from the beginning.
        let Ok(socket) = self.open(chunk.source_addr()).await else {
            return;
        };
        // A datagram that the interface refuses is lost, as on a real one.
        let _ = socket.send_to(&chunk.user_data(), chunk.destination_addr()).await;
    }
}

/// Passes datagrams from `socket` to the stack for as long as the stack exists.
async fn receive(socket: Arc<UdpSocket>, stack: Weak<StackNic>) {
    let mut buf = vec![0; MAX_DATAGRAM];
    while let Ok((len, from)) = socket.recv_from(&mut buf).await {
        let Some(stack) = stack.upgrade() else { return };
        let datagram = Datagram::new(from, socket.local_addr(), buf[..len].to_vec());
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
