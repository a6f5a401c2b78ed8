//! A whole call: two `RTCPeerConnection`s with a data channel, and a WebSocket server between them.
//!
//! The same code runs on turmoil's own `Sim` ([`stock`]) and on the kernel's sockets in real time ([`loopback`]). Ours is the scenario
//! `candidates/buffer-receiver` of the catalogue, with its trace and its oracles; here, nothing is recorded and nothing judged.
//! The acts are the scenario's: dial at 0.2 s, answer a good second later, hang up when the time is over.

pub mod loopback;
mod server;
pub mod stock;

use std::{sync::Arc, time::Duration};

use anyhow::Context;
use futures_util::{SinkExt, StreamExt};
use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::mpsc::{self, UnboundedSender},
    time::{self, Instant, MissedTickBehavior},
};
use tokio_tungstenite::{WebSocketStream, tungstenite::Message as Frame};
use webrtc::{
    api::{APIBuilder, media_engine::MediaEngine, setting_engine::SettingEngine},
    data_channel::RTCDataChannel,
    ice_transport::ice_candidate::RTCIceCandidateInit,
    peer_connection::{
        RTCPeerConnection, configuration::RTCConfiguration, sdp::session_description::RTCSessionDescription,
    },
};
use webrtc_ice::{mdns::MulticastDnsMode, network_type::NetworkType};

use crate::pair::Ground;

/// When the caller dials.
const DIALS_AT: Duration = Duration::from_millis(200);
/// How long the callee's phone rings.
const RINGS_FOR: Duration = Duration::from_millis(1_150);
/// How often a client asks whether its connection to the server lives.
const PING_EVERY: Duration = Duration::from_secs(2);

/// What goes over signaling.
#[derive(Debug, Serialize, Deserialize)]
enum Said {
    Offer(RTCSessionDescription),
    Answer(RTCSessionDescription),
    Candidate(String),
    Bye,
}

/// A message and whom it is to.
#[derive(Debug, Serialize, Deserialize)]
struct Envelope {
    to: String,
    said: Said,
}

/// What a peer reacts to.
enum News {
    Candidate(String),
    Ends,
}

/// One peer: registers over `socket`, calls or is called, and hangs up when `lasts` is over.
///
/// # Errors
/// What the stack or the connection says; a call that never carried a message.
pub async fn peer<S>(
    ground: Ground,
    socket: WebSocketStream<S>,
    calls: bool,
    lasts: Duration,
) -> anyhow::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let began = Instant::now();
    let (name, to) = if calls { ("alice", "bob") } else { ("bob", "alice") };
    let (news, mut reports) = mpsc::unbounded_channel();
    let (usable, mut proof) = mpsc::unbounded_channel();
    let (mut says, mut hears) = socket.split();
    says.send(Frame::text(name)).await?;
    if calls {
        time::sleep_until(began + DIALS_AT).await;
    }
    let connection = connection(ground, &news).await?;
    if calls {
        let channel = connection.create_data_channel("bench", None).await?;
        greet(&channel, &usable);
        let offer = connection.create_offer(None).await?;
        says.send(envelope(to, Said::Offer(offer.clone()))?).await?;
        connection.set_local_description(offer).await?;
        let ends = news.clone();
        tokio::spawn(async move {
            time::sleep_until(began + lasts).await;
            let _ = ends.send(News::Ends);
        });
    } else {
        let usable = usable.clone();
        connection.on_data_channel(Box::new(move |channel| {
            reply(&channel, &usable);
            Box::pin(async {})
        }));
    }
    let mut pings = time::interval(PING_EVERY);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut early = Some(Vec::new());
    loop {
        tokio::select! {
            _ = pings.tick() => says.send(Frame::Ping(Vec::new().into())).await?,
            report = reports.recv() => match report.context("nobody reports")? {
                News::Candidate(candidate) => says.send(envelope(to, Said::Candidate(candidate))?).await?,
                News::Ends => {
                    says.send(envelope(to, Said::Bye)?).await?;
                    break;
                }
            },
            frame = hears.next() => {
                let Frame::Text(text) = frame.context("the server is gone")?? else { continue };
                match serde_json::from_str::<Envelope>(&text)?.said {
                    Said::Offer(offer) => {
                        time::sleep(RINGS_FOR).await;
                        connection.set_remote_description(offer).await?;
                        let answer = connection.create_answer(None).await?;
                        says.send(envelope(to, Said::Answer(answer.clone()))?).await?;
                        connection.set_local_description(answer).await?;
                        add_all(&connection, early.take()).await?;
                    }
                    Said::Answer(answer) => {
                        connection.set_remote_description(answer).await?;
                        add_all(&connection, early.take()).await?;
                    }
                    Said::Candidate(candidate) => match &mut early {
                        Some(waiting) => waiting.push(candidate),
                        None => add_all(&connection, Some(vec![candidate])).await?,
                    },
                    Said::Bye => break,
                }
            }
        }
    }
    connection.close().await?;
    proof.try_recv().context("the call carried no message")
}

fn envelope(to: &str, said: Said) -> anyhow::Result<Frame> {
    let to = to.to_owned();
    Ok(Frame::text(serde_json::to_string(&Envelope { to, said })?))
}

async fn add_all(connection: &RTCPeerConnection, candidates: Option<Vec<String>>) -> anyhow::Result<()> {
    for candidate in candidates.into_iter().flatten() {
        let init = RTCIceCandidateInit {
            candidate,
            sdp_mid: Some("0".to_owned()),
            sdp_mline_index: Some(0),
            ..RTCIceCandidateInit::default()
        };
        connection.add_ice_candidate(init).await?;
    }
    Ok(())
}

async fn connection(ground: Ground, news: &UnboundedSender<News>) -> anyhow::Result<RTCPeerConnection> {
    let mut settings = SettingEngine::default();
    settings.set_vnet(Some(ground.net));
    settings.set_udp_network(ground.sockets);
    settings.set_network_types(vec![NetworkType::Udp4]);
    settings.set_ice_multicast_dns_mode(MulticastDnsMode::Disabled);
    settings.set_include_loopback_candidate(ground.on_loopback);
    let api = APIBuilder::new()
        .with_setting_engine(settings)
        .with_media_engine(MediaEngine::default())
        .build();
    let connection = api.new_peer_connection(RTCConfiguration::default()).await?;
    let news = news.clone();
    connection.on_ice_candidate(Box::new(move |candidate| {
        if let Some(json) = candidate.and_then(|c| c.to_json().ok()) {
            let _ = news.send(News::Candidate(json.candidate));
        }
        Box::pin(async {})
    }));
    Ok(connection)
}

/// The caller says `ping`, and `ack` to the `pong`.
fn greet(channel: &Arc<RTCDataChannel>, usable: &UnboundedSender<()>) {
    let opened = Arc::downgrade(channel);
    channel.on_open(Box::new(move || {
        Box::pin(async move {
            if let Some(channel) = opened.upgrade() {
                let _ = channel.send_text("ping").await;
            }
        })
    }));
    answer(channel, usable, "ack");
}

/// The callee says `pong` to the `ping`.
fn reply(channel: &Arc<RTCDataChannel>, usable: &UnboundedSender<()>) {
    answer(channel, usable, "pong");
}

fn answer(channel: &Arc<RTCDataChannel>, usable: &UnboundedSender<()>, text: &'static str) {
    let (heard, usable) = (Arc::downgrade(channel), usable.clone());
    channel.on_message(Box::new(move |message| {
        let (heard, usable) = (heard.clone(), usable.clone());
        Box::pin(async move {
            let _ = usable.send(());
            if let Some(channel) = heard.upgrade().filter(|_| message.data != "ack") {
                let _ = channel.send_text(text).await;
            }
        })
    }));
}
