//! A DTLS handshake over a wire: the client is on the left.

use std::{net::SocketAddr, sync::Arc};

use tokio::{net::UdpSocket, task::JoinHandle};
use webrtc::dtls::{self, config::Config, conn::DTLSConn, crypto::Certificate};

use crate::wire::{Rule, Wire, local_socket};

/// One end of a handshake, under way.
pub type Handshake = JoinHandle<Result<DTLSConn, dtls::Error>>;

/// Begins a handshake: the wire, the client and the server.
pub async fn handshake(rule: Rule) -> anyhow::Result<(Wire, Handshake, Handshake)> {
    let (left, right) = (local_socket().await?, local_socket().await?);
    let wire = Wire::lay(rule).await?;
    wire.join(left.local_addr()?, right.local_addr()?);
    let server = begin(right, wire.right(), false).await?;
    let client = begin(left, wire.left(), true).await?;
    Ok((wire, client, server))
}

async fn begin(socket: UdpSocket, other: SocketAddr, is_client: bool) -> anyhow::Result<Handshake> {
    socket.connect(other).await?;
    let config = Config {
        certificates: vec![Certificate::generate_self_signed(vec!["localhost".to_owned()])?],
        insecure_skip_verify: true,
        ..Config::default()
    };
    Ok(tokio::spawn(DTLSConn::new(
        Arc::new(socket),
        config,
        is_client,
        None,
    )))
}
