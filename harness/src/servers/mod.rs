//! STUN and TURN servers as simulated hosts.
//!
//! One process of the `turn` crate serves both: binding requests from any client, allocations from clients that know
//! the password. A STUN server is one that refuses every allocation.

mod conn;
mod outages;

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use outages::Order;
pub use outages::Outages;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio::{
    sync::{Mutex, mpsc},
    task::JoinHandle,
};
use turn::{
    auth::{AuthHandler, generate_auth_key},
    relay::RelayAddressGenerator,
    server::{
        Server,
        config::{ConnConfig, ServerConfig},
    },
};
use webrtc_util::Conn;

use crate::{socket::UdpSocket, world::Host};

/// The port of STUN and TURN (RFC 8489, section 8.1).
pub const PORT: u16 = 3_478;
/// The user name for allocations on the simulated TURN servers.
pub const USERNAME: &str = "sleet";
/// The password for allocations.
pub const PASSWORD: &str = "weather";

/// A STUN or TURN server that clients use to gather candidates.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IceServerSpec {
    /// The host of the server.
    pub host: String,
    /// Whether the server relays (TURN).
    pub turn: bool,
}

/// The configuration of a server at a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IceServer {
    /// The URL (RFC 7064, RFC 7065).
    pub url: String,
    /// Whether the server relays; then it requires [`USERNAME`] and [`PASSWORD`].
    pub turn: bool,
}

/// The error of a server that could not be started.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ServerError {
    /// The port could not be bound.
    #[error("port {PORT} of the server: {0}")]
    Bind(#[from] io::Error),
    /// The `turn` crate returned an error.
    #[error("the TURN server: {0}")]
    Turn(#[from] turn::Error),
}

/// The time that a server takes to release its port after it ends: time moves only when nothing is left to do.
const LETS_GO: Duration = Duration::from_millis(1);

/// A running server.
pub struct RunningServer {
    process: Process,
    obeys: JoinHandle<()>,
}

/// The server process on a host, which faults stop and start.
#[derive(Clone)]
struct Process {
    host: Host,
    turn: bool,
    // `None` while the server is down.
    life: Arc<Mutex<Option<Server>>>,
}

impl RunningServer {
    /// Starts a server on `host`; if a fault keeps it down, it comes up when that fault ends. Its tasks belong to the
    /// host whose task calls this.
    ///
    /// # Errors
    /// [`ServerError`]
    pub async fn start(host: &Host, turn: bool) -> Result<Self, ServerError> {
        let process = Process {
            host: host.clone(),
            turn,
            life: Arc::default(),
        };
        let (orders, may_run) = host.sim().part::<Outages>().started(host.name());
        if may_run {
            process.begin_life().await?;
        }
        let dying = Arc::downgrade(&process.life);
        host.at_crash(move |host| {
            if let Some(life) = dying.upgrade() {
                host.bury("undertaker", end(life));
            }
        });
        let obeys = host.spawn("ice server faults", process.clone().obey(orders));
        Ok(Self { process, obeys })
    }

    /// Ends the server. Its sockets are gone a millisecond later.
    pub async fn retire(&self) {
        self.obeys.abort();
        self.process.end_life().await;
    }

    /// Returns the number of live allocations; 0 while the server is down.
    ///
    /// # Errors
    /// Returns the error of the `turn` crate.
    pub async fn allocations(&self) -> Result<u64, String> {
        match self.process.life.lock().await.as_ref() {
            Some(server) => {
                let live = server.get_allocations_info(None).await;
                live.map(|live| live.len() as u64).map_err(|e| e.to_string())
            }
            None => Ok(0),
        }
    }
}

impl Process {
    async fn begin_life(&self) -> Result<(), ServerError> {
        let address = self.host.addresses()[0];
        let socket = UdpSocket::bind(&self.host, SocketAddr::new(address, PORT)).await?;
        let config = ServerConfig {
            conn_configs: vec![ConnConfig {
                conn: Arc::new(socket),
                relay_addr_generator: Box::new(Relays {
                    host: self.host.clone(),
                    address,
                }),
            }],
            realm: "sleet".to_owned(),
            auth_handler: Arc::new(Passwords { allocate: self.turn }),
            channel_bind_timeout: Duration::ZERO,
            alloc_close_notify: None,
        };
        *self.life.lock().await = Some(Server::new(config).await?);
        Ok(())
    }

    /// Stops and starts the server as ordered. A host that is paused meanwhile obeys late.
    async fn obey(self, mut orders: mpsc::UnboundedReceiver<Order>) {
        while let Some(order) = orders.recv().await {
            match order {
                Order::Die => self.end_life().await,
                Order::ComeBack if self.life.lock().await.is_some() => {}
                Order::ComeBack => {
                    // The port is free once the previous life has released it.
                    self.host.sim().sleep(LETS_GO).await;
                    if let Err(error) = self.begin_life().await {
                        let sim = self.host.sim();
                        return sim.step("a server did not come back", error.to_string());
                    }
                }
            }
        }
    }

    async fn end_life(&self) {
        end(self.life.clone()).await;
    }
}

/// Stops a server.
async fn end(life: Arc<Mutex<Option<Server>>>) {
    let server = life.lock().await.take();
    if let Some(server) = server {
        // Closing fails only for a server that is closed already.
        let _ = server.close().await;
    }
}

/// Returns the configuration of the server on `host` for its clients.
pub fn address_of(host: &Host, turn: bool) -> IceServer {
    let address = host.addresses()[0];
    IceServer {
        url: if turn {
            format!("turn:{address}:{PORT}?transport=udp")
        } else {
            format!("stun:{address}:{PORT}")
        },
        turn,
    }
}

struct Passwords {
    allocate: bool,
}

impl AuthHandler for Passwords {
    fn auth_handle(&self, username: &str, realm: &str, _from: SocketAddr) -> Result<Vec<u8>, turn::Error> {
        if self.allocate && username == USERNAME {
            Ok(generate_auth_key(username, realm, PASSWORD))
        } else {
            Err(turn::Error::ErrNoSuchUser)
        }
    }
}

/// The generator of relayed transport addresses: ephemeral ports of the server's host.
struct Relays {
    host: Host,
    address: IpAddr,
}

#[async_trait]
impl RelayAddressGenerator for Relays {
    fn validate(&self) -> Result<(), turn::Error> {
        Ok(())
    }

    async fn allocate_conn(
        &self,
        _ipv4: bool,
        port: u16,
    ) -> Result<(Arc<dyn Conn + Send + Sync>, SocketAddr), turn::Error> {
        let bound = UdpSocket::bind(&self.host, SocketAddr::new(self.address, port)).await;
        let socket = bound.map_err(|e| turn::Error::Other(e.to_string()))?;
        let address = socket.local_addr();
        Ok((Arc::new(socket), address))
    }
}
