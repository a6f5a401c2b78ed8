//! The network interface of a WebRTC peer: joins the stack's own virtual network to our sockets.
//!
//! `webrtc-ice`, `webrtc` and `turn` run unmodified. They are given a virtual network of
//! `webrtc-util` with a single router, on which [`Gateway`] answers for every address that is not the
//! peer's: what the stack sends leaves through a simulated UDP socket bound to the same address and port,
//! and what that socket receives is handed to the stack. So the stack gathers, checks and relays by its own
//! code, over the packet path of the run.

mod chunk;
mod gateway;

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use gateway::Gateway;
use thiserror::Error;
use tokio::sync::Mutex;
use webrtc_util::vnet::{
    net::{Net, NetConfig},
    router::{Nic as VnetNic, Router, RouterConfig},
};

use crate::world::{Host, NoHost};

/// The number of ports that one peer may bind for its candidates: the stack takes one of them at random per address and
/// candidate, as from the ephemeral range of a real machine.
pub const PORTS: u16 = 8;

/// The time that the interface stays up for datagrams that are still queued.
const DRAIN: Duration = Duration::from_millis(1);

/// The error of a network interface that could not be brought up.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum NicError {
    /// A socket of the host could not be bound.
    #[error("the network interface could not bind {1}: {0}")]
    Bind(io::Error, SocketAddr),
    /// The interface was taken down.
    #[error("the network interface is down")]
    Down,
    /// The host has no ports left.
    #[error(transparent)]
    Ports(#[from] io::Error),
    /// The task belongs to no host.
    #[error(transparent)]
    NoHost(#[from] NoHost),
    /// The stack refused its configuration.
    #[error("the stack: {0}")]
    Stack(String),
    /// The stack's virtual network returned an error.
    #[error("the virtual network of the stack: {0}")]
    Vnet(#[from] webrtc_util::Error),
}

/// The network interface of one peer. Close it when the peer is closed.
pub struct Nic {
    net: Arc<Net>,
    addresses: Vec<IpAddr>,
    ports: (u16, u16),
    gateway: Arc<Gateway>,
    router: Arc<Mutex<Router>>,
    // Keeps the interface alive: the router has only a weak reference.
    _foreign: Arc<Mutex<dyn VnetNic + Send + Sync>>,
}

impl Nic {
    /// Brings up an interface with the addresses of `host` that are up and ports of its own. Their sockets are bound at
    /// once, so that a check that arrives before the stack has sent anything finds one.
    ///
    /// # Errors
    /// [`NicError`]
    pub async fn up(host: &Host) -> Result<Self, NicError> {
        let (first, addresses) = (host.port_range(PORTS)?, host.addresses_up());
        let ports = (first, first + PORTS - 1);
        let net = Arc::new(Net::new(Some(NetConfig {
            static_ips: addresses.iter().map(ToString::to_string).collect(),
            ..NetConfig::default()
        })));
        let stack = net.get_nic()?;
        let gateway = Arc::new(Gateway::new(host.clone(), &stack));
        let dying = Arc::downgrade(&gateway);
        host.at_crash(move |_| {
            if let Some(gateway) = dying.upgrade() {
                gateway.close();
            }
        });
        gateway.open_all(&addresses, ports).await?;

        let mut router = Router::new(RouterConfig {
            // Every address is on this router: packets leave it only through the gateway.
            cidr: "0.0.0.0/0".to_owned(),
            // The stack's default name counts routers across the process.
            name: host.name().to_owned(),
            ..RouterConfig::default()
        })?;
        let foreign: Arc<Mutex<dyn VnetNic + Send + Sync>> = Arc::new(Mutex::new(gateway::Foreign::new(
            gateway.clone(),
            host.foreign_addresses(),
        )));
        for (name, address) in host.sim().names() {
            router.add_host(name, address.to_string()).await?;
        }
        router.add_net(stack.clone()).await?;
        router.add_net(foreign.clone()).await?;
        // Starting and stopping happen in the call; the returned future only waits for child routers, and there are
        // none.
        drop(router.start());
        let router = Arc::new(Mutex::new(router));
        stack.lock().await.set_router(router.clone()).await?;
        Ok(Self {
            net,
            addresses,
            ports,
            gateway,
            router,
            _foreign: foreign,
        })
    }

    /// Returns the virtual network for the stack's configuration.
    pub fn net(&self) -> Arc<Net> {
        self.net.clone()
    }

    /// Returns the first and the last port that the stack may bind.
    pub fn ports(&self) -> (u16, u16) {
        self.ports
    }

    /// Takes the interface down and closes its sockets. Datagrams that the stack has sent by then still leave, as from
    /// the buffers of a real socket.
    pub async fn down(&self) {
        Self::drain().await;
        self.gateway.close();
        drop(self.router.lock().await.stop());
    }

    /// Waits until everything that stacks have sent by now has left.
    pub(crate) async fn drain() {
        // Simulated time moves only when nothing is left to do: then the router's queue is empty.
        tokio::time::sleep(DRAIN).await;
    }

    /// Closes the sockets at once, until [`Nic::wake`]: nothing of the interface is left meanwhile.
    pub(crate) fn rest(&self) {
        self.gateway.rest();
        // A locked router is sending; it then ends with the interface.
        if let Ok(mut router) = self.router.try_lock() {
            drop(router.stop());
        }
    }

    /// Brings the interface up again after [`Nic::rest`].
    ///
    /// # Errors
    /// [`NicError`]
    pub(crate) async fn wake(&self) -> Result<(), NicError> {
        self.gateway.open_all(&self.addresses, self.ports).await?;
        drop(self.router.lock().await.start());
        Ok(())
    }
}
