//! Finding 0011: a peer connection is closed while it waits for a DTLS client, and its tasks stay.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use anyhow::Context;
use tokio::{
    runtime::Handle,
    sync::watch,
    time::{Instant, sleep, timeout},
};
use webrtc::{
    api::{APIBuilder, setting_engine::SettingEngine},
    ice::{mdns::MulticastDnsMode, network_type::NetworkType},
    ice_transport::{ice_candidate::RTCIceCandidateInit, ice_connection_state::RTCIceConnectionState},
    peer_connection::{RTCPeerConnection, configuration::RTCConfiguration},
};

use crate::{
    Seen,
    wire::{Fate, Rule, Way, Wire, calm},
};

/// How long after closing tasks may take to end.
const AFTERWARDS: Duration = Duration::from_secs(20);

/// Shows it.
pub async fn show() -> anyhow::Result<Seen> {
    let (left_calm, _) = call(calm(), Duration::from_secs(2)).await?;
    let (left, held) = call(no_hello(), AFTERWARDS).await?;
    Ok(Seen {
        expected: "a closed peer connection ends what it runs (W3C webrtc-pc, section 4.4.2)".into(),
        seen: format!(
            "handshake done, then closed: {left_calm} tasks left; closed while the DTLS server waits for a ClientHello: \
             {left} tasks left {AFTERWARDS:?} later, the handler's captures still held: {held}"
        ),
        shows: left_calm == 0 && left > 0,
    })
}

/// A call that is connected as far as ICE goes, and closed by both; how many tasks are left so long afterwards, and whether
/// what the caller's handler captured is still held.
async fn call(rule: Rule, afterwards: Duration) -> anyhow::Result<(usize, bool)> {
    let wire = Wire::lay(rule).await?;
    // The task of the wire has begun.
    sleep(Duration::from_millis(50)).await;
    let before = tasks();
    let captured = Arc::new(());
    let weak = Arc::downgrade(&captured);
    {
        // The offerer is the DTLS server: by default who answers is the client.
        let (alice, bob) = (peer().await?, peer().await?);
        alice.create_data_channel("data", None).await?;
        let (tell, mut ice) = watch::channel(RTCIceConnectionState::New);
        alice.on_ice_connection_state_change(Box::new(move |state| {
            let _held = &captured;
            tell.send_replace(state);
            Box::pin(async {})
        }));
        let offer = alice.create_offer(None).await?;
        let gathered = alice.gathering_complete_promise().await;
        alice.set_local_description(offer.clone()).await?;
        wait(gathered).await;
        bob.set_remote_description(offer).await?;
        let answer = bob.create_answer(None).await?;
        let gathered = bob.gathering_complete_promise().await;
        bob.set_local_description(answer.clone()).await?;
        wait(gathered).await;
        wire.join(host(&alice).await?, host(&bob).await?);
        alice.set_remote_description(answer).await?;
        alice.add_ice_candidate(at(wire.left())).await?;
        bob.add_ice_candidate(at(wire.right())).await?;
        let connected = ice.wait_for(|state| *state == RTCIceConnectionState::Connected);
        timeout(Duration::from_secs(10), connected).await??;
        sleep(Duration::from_secs(2)).await;
        alice.close().await?;
        bob.close().await?;
    }
    let end = Instant::now() + afterwards;
    while tasks() > before && Instant::now() < end {
        sleep(Duration::from_millis(100)).await;
    }
    Ok((tasks().saturating_sub(before), weak.upgrade().is_some()))
}

async fn wait(mut gathered: tokio::sync::mpsc::Receiver<()>) {
    let _ = gathered.recv().await;
}

fn tasks() -> usize {
    Handle::current().metrics().num_alive_tasks()
}

async fn peer() -> anyhow::Result<RTCPeerConnection> {
    let mut setting = SettingEngine::default();
    setting.set_include_loopback_candidate(true);
    setting.set_network_types(vec![NetworkType::Udp4]);
    setting.set_ice_multicast_dns_mode(MulticastDnsMode::Disabled);
    setting.set_ip_filter(Box::new(|ip| ip == IpAddr::V4(Ipv4Addr::LOCALHOST)));
    let api = APIBuilder::new().with_setting_engine(setting).build();
    Ok(api.new_peer_connection(RTCConfiguration::default()).await?)
}

/// The address of its only candidate.
async fn host(peer: &RTCPeerConnection) -> anyhow::Result<SocketAddr> {
    let sdp = peer.local_description().await.context("no description")?.sdp;
    let line = sdp.lines().find(|line| line.starts_with("a=candidate:"));
    let mut words = line.context("no candidate")?.split(' ').skip(4);
    let (ip, port) = (
        words.next().context("no address")?,
        words.next().context("no port")?,
    );
    Ok(SocketAddr::new(ip.parse()?, port.parse()?))
}

fn at(addr: SocketAddr) -> RTCIceCandidateInit {
    let (ip, port) = (addr.ip(), addr.port());
    RTCIceCandidateInit {
        candidate: format!("candidate:1 1 udp 2130706431 {ip} {port} typ host"),
        sdp_mid: Some("0".into()),
        sdp_mline_index: Some(0),
        username_fragment: None,
    }
}

/// Loses what the DTLS client sends: records begin with 20 to 63 (RFC 7983 section 7).
fn no_hello() -> Rule {
    Box::new(|way, data| match way {
        Way::ToLeft if (20..64).contains(&data[0]) => Fate::Lose,
        _ => Fate::Pass,
    })
}
