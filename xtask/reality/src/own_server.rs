//! A STUN and TURN server for machines without coturn: that of the stack, on kernel sockets. It is no independent witness.
//!
//! It is a process of its own, so that it can be killed, and says of its allocations what the log of coturn says of its own.

use std::{
    collections::BTreeSet,
    io::Write as _,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use sleet::servers::{PASSWORD, PORT, USERNAME};
use tokio::net::UdpSocket;
use turn::{
    auth::{AuthHandler, generate_auth_key},
    relay::relay_static::RelayAddressGeneratorStatic,
    server::{
        Server,
        config::{ConnConfig, ServerConfig},
    },
};
use webrtc_util::vnet::net::Net;

/// How often it looks which allocations there are.
const LOOKS_EVERY: Duration = Duration::from_millis(20);

struct Passwords;

impl AuthHandler for Passwords {
    fn auth_handle(&self, username: &str, realm: &str, _from: SocketAddr) -> Result<Vec<u8>, turn::Error> {
        match username {
            USERNAME => Ok(generate_auth_key(username, realm, PASSWORD)),
            _ => Err(turn::Error::ErrNoSuchUser),
        }
    }
}

/// Serves on `address` until it is killed.
///
/// # Errors
/// When the port is taken, or nobody reads its log.
pub fn run(address: Ipv4Addr) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(serve(address))
}

async fn serve(address: Ipv4Addr) -> anyhow::Result<()> {
    let server = Server::new(ServerConfig {
        conn_configs: vec![ConnConfig {
            conn: Arc::new(UdpSocket::bind((address, PORT)).await?),
            relay_addr_generator: Box::new(RelayAddressGeneratorStatic {
                relay_address: IpAddr::V4(address),
                address: address.to_string(),
                net: Arc::new(Net::new(None)),
            }),
        }],
        realm: "sleet".to_owned(),
        auth_handler: Arc::new(Passwords),
        channel_bind_timeout: Duration::ZERO,
        alloc_close_notify: None,
    });
    let server = server.await?;
    let mut before = BTreeSet::new();
    loop {
        let live = server.get_allocations_info(None).await?;
        let live: BTreeSet<SocketAddr> = live.values().map(|info| info.relay_addr).collect();
        let mut log = std::io::stdout().lock();
        for (sessions, what) in [
            (live.difference(&before), "new, by the stack's own server"),
            (before.difference(&live), "closed"),
        ] {
            for relayed in sessions {
                writeln!(log, "own: session {relayed}: {what}")?;
            }
        }
        drop(log);
        before = live;
        tokio::time::sleep(LOOKS_EVERY).await;
    }
}
