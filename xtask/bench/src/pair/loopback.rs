//! The two agents on the kernel's loopback sockets, in real time: what a test without a simulator costs.

use std::net::{IpAddr, Ipv4Addr};

use anyhow::Context;
use tokio::{net::UdpSocket, runtime::Builder};
use webrtc_ice::{
    udp_mux::{UDPMux, UDPMuxDefault, UDPMuxParams},
    udp_network::UDPNetwork,
};

use super::{Ground, Line, Talk, agent, lines, stock::net_of};

/// Runs the call. It lasts as long as it talks.
///
/// # Errors
/// If it does not connect.
pub fn run(talk: Talk) -> anyhow::Result<()> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let [alice, bob] = lines();
        tokio::try_join!(end(true, alice, talk), end(false, bob, talk))?;
        Ok(())
    })
}

async fn end(controls: bool, line: Line, talk: Talk) -> anyhow::Result<()> {
    let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let socket = UdpSocket::bind((address, 0)).await.context("no port")?;
    let mux = UDPMuxDefault::new(UDPMuxParams::new(socket));
    let ground = Ground {
        sockets: UDPNetwork::Muxed(mux.clone()),
        net: net_of(address).await?,
        on_loopback: true,
    };
    agent(ground, controls, line, talk).await?;
    mux.close().await?;
    Ok(())
}
