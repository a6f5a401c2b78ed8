//! The whole call on the kernel's loopback sockets, in real time.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

use tokio::{
    net::{TcpListener, TcpStream, UdpSocket},
    runtime::Builder,
};
use tokio_tungstenite::client_async;
use webrtc_ice::{
    udp_mux::{UDPMuxDefault, UDPMuxParams},
    udp_network::UDPNetwork,
};

use super::{
    peer,
    server::{Clients, serve},
};
use crate::pair::{Ground, stock::net_of};

/// Runs the call. It takes as long as it lasts.
///
/// # Errors
/// If it does not carry a message.
pub fn run(lasts: Duration) -> anyhow::Result<()> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let server = listener.local_addr()?;
        let clients = Clients::default();
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let clients = clients.clone();
                tokio::spawn(async move { serve(stream, clients).await });
            }
        });
        tokio::try_join!(end(server, true, lasts), end(server, false, lasts))?;
        serving.abort();
        Ok(())
    })
}

async fn end(server: SocketAddr, calls: bool, lasts: Duration) -> anyhow::Result<()> {
    let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let socket = UdpSocket::bind((address, 0)).await?;
    let ground = Ground {
        sockets: UDPNetwork::Muxed(UDPMuxDefault::new(UDPMuxParams::new(socket))),
        net: net_of(address).await?,
        on_loopback: true,
    };
    let stream = TcpStream::connect(server).await?;
    let (socket, _) = client_async("ws://server/", stream).await?;
    peer(ground, socket, calls, lasts).await
}
