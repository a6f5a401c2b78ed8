//! STUN and TURN servers as simulated hosts.
//!
//! One process of the `turn` crate answers both: binding requests from anybody, allocations from who knows the
//! password. A STUN server is one that refuses every allocation.

mod conn;

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use thiserror::Error;
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
/// Who may allocate on the simulated TURN servers.
pub const USERNAME: &str = "sleet";
/// With which password.
pub const PASSWORD: &str = "weather";

/// A server that clients use to gather candidates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IceServerSpec {
    /// The host that it runs on.
    pub host: String,
    /// Whether it relays.
    pub turn: bool,
}

/// A server as a client is told of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IceServer {
    /// Its URL (RFC 7064, RFC 7065).
    pub url: String,
    /// Whether it relays; then it wants [`USERNAME`] and [`PASSWORD`].
    pub turn: bool,
}

/// A server that could not be started.
#[derive(Debug, Error)]
pub enum ServerError {
    /// Its port.
    #[error("port {PORT} of the server: {0}")]
    Bind(#[from] io::Error),
    /// What the `turn` crate says.
    #[error("the TURN server: {0}")]
    Turn(#[from] turn::Error),
}

/// A running server. It ends when it is dropped.
pub struct RunningServer {
    server: Server,
}

impl RunningServer {
    /// Starts the server of `spec` on `host`.
    ///
    /// # Errors
    /// [`ServerError`]
    pub async fn start(host: &Host, turn: bool) -> Result<Self, ServerError> {
        let address = host.addresses()[0];
        let socket = UdpSocket::bind(host, SocketAddr::new(address, PORT)).await?;
        let config = ServerConfig {
            conn_configs: vec![ConnConfig {
                conn: Arc::new(socket),
                relay_addr_generator: Box::new(Relays {
                    host: host.clone(),
                    address,
                }),
            }],
            realm: "sleet".to_owned(),
            auth_handler: Arc::new(Passwords { allocate: turn }),
            channel_bind_timeout: Duration::ZERO,
            alloc_close_notify: None,
        };
        Ok(Self {
            server: Server::new(config).await?,
        })
    }

    /// How many allocations are live.
    ///
    /// # Errors
    /// [`ServerError::Turn`] when it is closed.
    pub async fn allocations(&self) -> Result<usize, ServerError> {
        Ok(self.server.get_allocations_info(None).await?.len())
    }

    /// Ends it and every allocation.
    ///
    /// # Errors
    /// [`ServerError::Turn`] when it is closed already.
    pub async fn close(&self) -> Result<(), ServerError> {
        Ok(self.server.close().await?)
    }
}

/// What the server on `host` is called by its clients.
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

/// Relayed transport addresses: ephemeral ports of the server's host.
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
