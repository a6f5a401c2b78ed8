//! One call: its peer connection, from the invitation to the end.

use std::sync::Arc;

use tokio::{sync::mpsc::UnboundedSender, task::AbortHandle};
use tracing::{debug, info};
use webrtc::{
    api::{
        interceptor_registry::register_default_interceptors, media_engine::MediaEngine,
        setting_engine::SettingEngine,
    },
    data_channel::RTCDataChannel,
    ice::mdns::MulticastDnsMode,
    ice_transport::{
        ice_candidate::{RTCIceCandidate, RTCIceCandidateInit},
        ice_server::RTCIceServer,
    },
    interceptor::registry::Registry,
    peer_connection::{
        configuration::RTCConfiguration, offer_answer_options::RTCOfferOptions,
        peer_connection_state::RTCPeerConnectionState, sdp::session_description::RTCSessionDescription,
        signaling_state::RTCSignalingState,
    },
    track::track_local::track_local_static_sample::TrackLocalStaticSample,
};

use crate::{
    media::{self, Heard},
    message::CallId,
    net::{APIBuilder, RTCPeerConnection},
    settings::Settings,
};

/// What a peer connection reports.
#[derive(Debug)]
pub enum Report {
    /// A way to reach us, for the other side.
    Ice(RTCIceCandidateInit),
    /// It is in another state.
    State(RTCPeerConnectionState),
}

/// How far a call has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Ringing,
    Connecting,
    Connected,
}

/// A call that this phone is in.
pub struct Call {
    /// The user at the other end.
    pub with: String,
    /// How far it has come.
    pub stage: Stage,
    /// Whether it was us who called.
    pub is_ours: bool,
    peer: Arc<RTCPeerConnection>,
    microphone: Arc<TrackLocalStaticSample>,
    chat: Option<Arc<RTCDataChannel>>,
    heard: Arc<Heard>,
    tasks: Vec<AbortHandle>,
}

impl Call {
    /// A call with nobody yet; what its peer connection reports goes to `reports`.
    pub async fn new(
        id: &CallId,
        with: &str,
        settings: &Settings,
        reports: &UnboundedSender<(CallId, Report)>,
    ) -> anyhow::Result<Self> {
        let peer = Arc::new(peer_connection(settings).await?);
        #[cfg(feature = "sleet")]
        sleet::webrtc::observe(&peer, id, 1);
        report(&peer, id, reports);
        let heard = Arc::new(Heard::default());
        let listening = heard.clone();
        peer.on_track(Box::new(move |track, _, _| {
            tokio::spawn(media::listen(track, listening.clone()));
            Box::pin(async {})
        }));
        let microphone = media::microphone();
        let sender = peer.add_track(microphone.clone()).await?;
        let reading = tokio::spawn(media::read_reports(sender));
        Ok(Self {
            with: with.to_owned(),
            stage: Stage::Ringing,
            is_ours: false,
            peer,
            microphone,
            chat: None,
            heard,
            tasks: vec![reading.abort_handle()],
        })
    }

    /// The caller's invitation; from here on the peer connection reports ways to reach it.
    pub async fn invite(&mut self) -> anyhow::Result<String> {
        let chat = self.peer.create_data_channel("chat", None).await?;
        media::chat(&chat, &self.heard);
        self.chat = Some(chat);
        self.is_ours = true;
        let offer = self.peer.create_offer(None).await?;
        self.peer.set_local_description(offer.clone()).await?;
        Ok(offer.sdp)
    }

    /// The callee was invited: its phone rings.
    pub async fn invited(&mut self, sdp: String) -> anyhow::Result<()> {
        let heard = self.heard.clone();
        self.peer.on_data_channel(Box::new(move |chat| {
            media::chat(&chat, &heard);
            Box::pin(async {})
        }));
        let offer = RTCSessionDescription::offer(sdp)?;
        Ok(self.peer.set_remote_description(offer).await?)
    }

    /// The callee takes the call.
    pub async fn accept(&mut self) -> anyhow::Result<String> {
        let answer = self.peer.create_answer(None).await?;
        self.peer.set_local_description(answer.clone()).await?;
        self.stage = Stage::Connecting;
        Ok(answer.sdp)
    }

    /// The callee has taken the caller's call.
    pub async fn accepted(&mut self, sdp: String) -> anyhow::Result<()> {
        let answer = RTCSessionDescription::answer(sdp)?;
        self.peer.set_remote_description(answer).await?;
        self.stage = Stage::Connecting;
        Ok(())
    }

    /// Looks for ways to reach each other anew; `None` where that is under way already, or nothing was agreed on yet.
    pub async fn restart(&mut self) -> anyhow::Result<Option<String>> {
        let is_settled = self.peer.signaling_state() == RTCSignalingState::Stable;
        if !is_settled || self.stage == Stage::Ringing {
            return Ok(None);
        }
        let anew = RTCOfferOptions {
            ice_restart: true,
            ..RTCOfferOptions::default()
        };
        let offer = self.peer.create_offer(Some(anew)).await?;
        self.peer.set_local_description(offer.clone()).await?;
        Ok(Some(offer.sdp))
    }

    /// The other side looks for ways to reach each other anew.
    pub async fn restart_with(&mut self, sdp: String) -> anyhow::Result<String> {
        let offer = RTCSessionDescription::offer(sdp)?;
        self.peer.set_remote_description(offer).await?;
        let answer = self.peer.create_answer(None).await?;
        self.peer.set_local_description(answer.clone()).await?;
        Ok(answer.sdp)
    }

    /// The other side has agreed to that.
    pub async fn restarted(&mut self, sdp: String) -> anyhow::Result<()> {
        let answer = RTCSessionDescription::answer(sdp)?;
        Ok(self.peer.set_remote_description(answer).await?)
    }

    /// Whether the description that a way to reach the other side belongs to is there: it is neither of one that is still to
    /// come nor of one that a restart has replaced.
    pub async fn is_for(&self, candidate: &RTCIceCandidateInit) -> bool {
        let Some(there) = self.peer.remote_description().await else {
            return false;
        };
        let named = candidate.username_fragment.as_deref();
        named.is_none_or(|named| generation(&there) == Some(named))
    }

    /// Says in a way to reach us which description it belongs to; the stack leaves that out.
    pub async fn name_generation(&self, candidate: &mut RTCIceCandidateInit) {
        let ours = self.peer.local_description().await;
        let named = ours.as_ref().and_then(generation);
        candidate.username_fragment = named.map(str::to_owned);
    }

    /// A way to reach the other side.
    pub async fn add_ice(&self, candidate: RTCIceCandidateInit) -> anyhow::Result<()> {
        Ok(self.peer.add_ice_candidate(candidate).await?)
    }

    /// By which kinds of way the two reach each other, ours first: `host srflx`.
    pub async fn pair(&self) -> Option<String> {
        let sctp = self.peer.sctp();
        let transport = sctp.transport();
        let pair = transport.ice_transport().get_selected_candidate_pair().await?;
        Some(format!("{} {}", pair.local.typ, pair.remote.typ))
    }

    /// They can hear each other: speak.
    pub fn connected(&mut self) {
        self.stage = Stage::Connected;
        let speaking = media::speak(self.microphone.clone());
        self.tasks.push(speaking.abort_handle());
    }

    /// The end; returns what was heard. The peer connection takes its time to close, which nobody waits for.
    pub fn hang_up(self) -> Arc<Heard> {
        for task in &self.tasks {
            task.abort();
        }
        tokio::spawn(async move {
            if let Err(error) = self.peer.close().await {
                info!("closing: {error}");
            }
        });
        self.heard
    }
}

/// What tells the candidates of one description from those of another: all its media have the same.
fn generation(description: &RTCSessionDescription) -> Option<&str> {
    let mut lines = description.sdp.lines();
    lines.find_map(|line| line.strip_prefix("a=ice-ufrag:"))
}

async fn peer_connection(settings: &Settings) -> anyhow::Result<RTCPeerConnection> {
    let mut engine = SettingEngine::default();
    engine.set_ice_multicast_dns_mode(MulticastDnsMode::Disabled);
    engine.set_include_loopback_candidate(settings.loopback);
    let mut media = MediaEngine::default();
    media.register_default_codecs()?;
    let interceptors = register_default_interceptors(Registry::new(), &mut media)?;
    let api = APIBuilder::new()
        .with_setting_engine(engine)
        .with_media_engine(media)
        .with_interceptor_registry(interceptors)
        .build();
    let stun = settings.stun.iter().map(|url| RTCIceServer {
        urls: vec![url.clone()],
        ..RTCIceServer::default()
    });
    let turn = settings.turn.iter().map(|turn| RTCIceServer {
        urls: vec![turn.url.clone()],
        username: turn.username.clone(),
        credential: turn.password.clone(),
    });
    let configuration = RTCConfiguration {
        ice_servers: stun.chain(turn).collect(),
        ..RTCConfiguration::default()
    };
    Ok(api.new_peer_connection(configuration).await?)
}

fn report(peer: &RTCPeerConnection, id: &CallId, reports: &UnboundedSender<(CallId, Report)>) {
    let (call, to) = (id.clone(), reports.clone());
    peer.on_ice_candidate(Box::new(move |candidate: Option<RTCIceCandidate>| {
        if let Some(candidate) = candidate.and_then(|c| c.to_json().ok()) {
            let _ = to.send((call.clone(), Report::Ice(candidate)));
        }
        Box::pin(async {})
    }));
    let (call, to) = (id.clone(), reports.clone());
    peer.on_peer_connection_state_change(Box::new(move |state| {
        debug!(%call, %state, "the peer connection");
        let _ = to.send((call.clone(), Report::State(state)));
        Box::pin(async {})
    }));
}
