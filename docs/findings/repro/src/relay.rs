//! The stack's own TURN server on loopback, and what a client needs to know of it. It answers STUN as well.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
};

use tokio::net::UdpSocket;
use turn::{
    auth::{AuthHandler, generate_auth_key},
    client::{Client, ClientConfig},
    relay::relay_static::RelayAddressGeneratorStatic,
    server::{
        Server,
        config::{ConnConfig, ServerConfig},
    },
};
use webrtc_ice::url::{ProtoType, SchemeType, Url};
use webrtc_util::vnet::net::Net;

use crate::wire::local_socket;

/// Who may use the server.
const USER: &str = "user";
/// With which password.
const PASSWORD: &str = "pass";
/// What it calls itself.
const REALM: &str = "repro";

/// A TURN server.
pub struct Relay {
    server: Server,
    /// Its address.
    pub addr: SocketAddr,
}

struct OneUser;

impl AuthHandler for OneUser {
    fn auth_handle(&self, username: &str, realm: &str, _from: SocketAddr) -> Result<Vec<u8>, turn::Error> {
        Ok(generate_auth_key(username, realm, PASSWORD))
    }
}

impl Relay {
    /// Starts it.
    pub async fn start() -> anyhow::Result<Self> {
        let socket = local_socket().await?;
        let addr = socket.local_addr()?;
        let server = Server::new(ServerConfig {
            conn_configs: vec![ConnConfig {
                conn: Arc::new(socket),
                relay_addr_generator: Box::new(RelayAddressGeneratorStatic {
                    relay_address: IpAddr::V4(Ipv4Addr::LOCALHOST),
                    address: Ipv4Addr::LOCALHOST.to_string(),
                    net: Arc::new(Net::new(None)),
                }),
            }],
            realm: REALM.into(),
            auth_handler: Arc::new(OneUser),
            channel_bind_timeout: std::time::Duration::ZERO,
            alloc_close_notify: None,
        })
        .await?;
        Ok(Self { server, addr })
    }

    /// How many allocations it holds.
    pub async fn allocations(&self) -> anyhow::Result<usize> {
        Ok(self.server.get_allocations_info(None).await?.len())
    }
}

/// The URL of the TURN server at `addr`.
pub fn turn_url(addr: SocketAddr) -> Url {
    Url {
        scheme: SchemeType::Turn,
        host: addr.ip().to_string(),
        port: addr.port(),
        username: USER.into(),
        password: PASSWORD.into(),
        proto: ProtoType::Udp,
    }
}

/// The URL of the STUN server at `addr`.
pub fn stun_url(addr: SocketAddr) -> Url {
    Url {
        scheme: SchemeType::Stun,
        host: addr.ip().to_string(),
        port: addr.port(),
        username: String::new(),
        password: String::new(),
        proto: ProtoType::Udp,
    }
}

/// A client of the TURN server at `addr`, which listens; and the address of its socket.
pub async fn client(addr: SocketAddr) -> anyhow::Result<(Client, SocketAddr)> {
    let socket: UdpSocket = local_socket().await?;
    let own = socket.local_addr()?;
    let client = Client::new(ClientConfig {
        stun_serv_addr: String::new(),
        turn_serv_addr: addr.to_string(),
        username: USER.into(),
        password: PASSWORD.into(),
        realm: REALM.into(),
        software: String::new(),
        rto_in_ms: 0,
        conn: Arc::new(socket),
        vnet: None,
    })
    .await?;
    client.listen().await?;
    Ok((client, own))
}
