//! The network interface of a WebRTC peer: joins the stack's own virtual network to our sockets.
//!
//! `webrtc-ice`, `webrtc` and `turn` run unmodified. They are given a virtual network of
//! `webrtc-util` with a single router, on which [`Gateway`] answers for every address that is not the
//! peer's: what the stack sends leaves from the same address and port of the host, and what arrives there is handed
//! to the stack. So the stack gathers, checks and relays by its own code, over the packet path of the run.

mod chunk;
mod gateway;

use std::{
    io,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use gateway::Gateway;
use thiserror::Error;
use tokio::sync::Mutex;
use webrtc_util::vnet::{
    net::{Net, NetConfig},
    router::{Nic as VnetNic, Router, RouterConfig},
};

pub use crate::world::PORTS;
use crate::world::{Host, NoHost, PortRange};

/// The time for which an interface goes on after its peer was closed: longer than anything that a stack which forgot to
/// stop would still wait for, the answer to a request that was sent seven times (RFC 8489 section 6.2.1) and the end of
/// consent (RFC 7675 section 5.1). A real socket stays for as long as somebody holds it, which the stack's virtual network
/// does not tell.
const LINGERS: Duration = Duration::from_secs(40);

/// The error of a network interface that could not be brought up.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum NicError {
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

/// The network interface of one peer. Take it down when the peer is closed.
pub struct Nic {
    up: Arc<Up>,
}

struct Up {
    host: Host,
    net: Arc<Net>,
    addresses: Vec<IpAddr>,
    ports: PortRange,
    gateway: Arc<Gateway>,
    router: Arc<Mutex<Router>>,
    // Keeps the interface alive: the router has only a weak reference.
    _foreign: Arc<Mutex<dyn VnetNic + Send + Sync>>,
    // How often the interface went down and came up again.
    turns: AtomicU64,
}

impl Nic {
    /// Brings up an interface with the addresses of `host` that are up and ports of its own. It holds them at once, so
    /// that a check that arrives before the stack has sent anything finds it.
    ///
    /// # Errors
    /// [`NicError`]
    pub async fn up(host: &Host) -> Result<Self, NicError> {
        let (ports, addresses) = (host.hand_out_ports()?, host.addresses_up());
        let net = Arc::new(Net::new(Some(NetConfig {
            static_ips: addresses.iter().map(ToString::to_string).collect(),
            ..NetConfig::default()
        })));
        let stack = net.get_nic()?;
        let gateway = Arc::new(Gateway::new(host.clone(), &net, &stack));
        let dying = Arc::downgrade(&gateway);
        host.at_crash(move |_| {
            if let Some(gateway) = dying.upgrade() {
                gateway.close();
            }
        });
        gateway.open(&ports, &addresses);

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
        start(host, &mut router);
        let router = Arc::new(Mutex::new(router));
        stack.lock().await.set_router(router.clone()).await?;
        let up = Arc::new(Up {
            host: host.clone(),
            net,
            addresses,
            ports,
            gateway,
            router,
            _foreign: foreign,
            turns: AtomicU64::default(),
        });
        Ok(Self { up })
    }

    /// Returns the virtual network for the stack's configuration.
    pub fn net(&self) -> Arc<Net> {
        self.up.net.clone()
    }

    /// Returns the first and the last port that the stack may bind.
    pub fn ports(&self) -> (u16, u16) {
        self.up.ports.ports()
    }

    /// Takes the interface down, because nothing uses it any more. Its ports count as closed from now on; but for a while
    /// what the stack sends all the same still leaves, and what arrives still reaches it, as from a socket that somebody
    /// forgot to close.
    pub fn down(&self) {
        let turn = self.up.turns.fetch_add(1, Relaxed) + 1;
        self.up.gateway.lingers();
        if tokio::runtime::Handle::try_current().is_err() {
            // The run is over.
            return self.up.gateway.rest();
        }
        let up = self.up.clone();
        self.up.host.sim().spawn_outside("nic", async move {
            tokio::time::sleep(LINGERS).await;
            if up.turns.load(Relaxed) == turn {
                up.gateway.rest();
                drop(up.router.lock().await.stop());
            }
        });
    }

    /// Brings the interface up again after [`Nic::down`].
    pub(crate) async fn wake(&self) {
        self.up.turns.fetch_add(1, Relaxed);
        if self.up.gateway.open(&self.up.ports, &self.up.addresses) {
            start(&self.up.host, &mut *self.up.router.lock().await);
        }
    }
}

fn start(host: &Host, router: &mut Router) {
    // It happens in the call; the returned future only waits for child routers, and there are none.
    drop(host.sim().as_nobody(|| router.start()));
}
