//! A peer that is an `RTCPeerConnection` of the `webrtc` crate with a data channel.

use std::sync::{Arc, Mutex as StdMutex, Weak};

use async_trait::async_trait;
use tokio::sync::watch;
use webrtc::{
    api::{APIBuilder, media_engine::MediaEngine, setting_engine::SettingEngine},
    data_channel::RTCDataChannel,
    ice_transport::{
        ice_candidate::{RTCIceCandidate, RTCIceCandidateInit},
        ice_server::RTCIceServer,
    },
    peer_connection::{
        RTCPeerConnection, configuration::RTCConfiguration, offer_answer_options::RTCOfferOptions,
        sdp::session_description::RTCSessionDescription,
    },
};
use webrtc_ice::{
    mdns::MulticastDnsMode,
    network_type::NetworkType,
    udp_network::{EphemeralUDP, UDPNetwork},
};

use super::{
    CandidateHandler, Description, DescriptionKind, IceTimeouts, Log, Peer, PeerError, PeerKind, PeerSpec,
    Role,
    audio::{self, Audio},
    hello::Hello,
    stack,
};
use crate::{
    nic::Nic,
    servers::{IceServer, PASSWORD, USERNAME},
    trace::{Candidate, Machine},
    world::Host,
};

/// A peer that is an `RTCPeerConnection`.
pub(super) struct FullPeer {
    connection: RTCPeerConnection,
    // The offerer's data channel; dropping it would close it.
    _channel: Option<Arc<RTCDataChannel>>,
    hello: Arc<Hello>,
    audio: Option<Audio>,
    // The username fragment of the local description, which local candidates belong to.
    generation: Arc<StdMutex<String>>,
    log: Log,
    nic: Nic,
}

impl FullPeer {
    pub(super) async fn create(
        host: &Host,
        log: Log,
        spec: &PeerSpec,
        on_candidate: CandidateHandler,
    ) -> Result<Self, PeerError> {
        let nic = Nic::up(host).await?;
        let (first, last) = nic.ports();
        let mut settings = SettingEngine::default();
        settings.set_vnet(Some(nic.net()));
        settings.set_udp_network(UDPNetwork::Ephemeral(
            EphemeralUDP::new(first, last).map_err(stack)?,
        ));
        settings.set_network_types(vec![NetworkType::Udp4]);
        settings.set_ice_multicast_dns_mode(MulticastDnsMode::Disabled);
        settings.set_ice_timeouts(
            spec.ice_timeouts.map(IceTimeouts::disconnected),
            spec.ice_timeouts.map(IceTimeouts::failed),
            None,
        );
        let mut api = APIBuilder::new().with_setting_engine(settings);
        let has_audio = spec.kind == PeerKind::Audio;
        api = match has_audio {
            false => api.with_media_engine(MediaEngine::default()),
            true => {
                let (media, interceptors) = audio::codecs()?;
                api.with_media_engine(media)
                    .with_interceptor_registry(interceptors)
            }
        };
        let connection = api
            .build()
            .new_peer_connection(configuration(spec))
            .await
            .map_err(stack)?;

        report_states(&connection, &log);
        let generation = Arc::default();
        report_candidates(&connection, &log, Arc::clone(&generation), on_candidate);
        let hello = Arc::new(Hello::new(log.clone(), spec.role, spec.talk_every));
        let audio = match has_audio {
            true => Some(Audio::of(&connection, &log, spec.microphone).await?),
            false => None,
        };
        if let Some(audio) = &audio {
            audio.speaks_once(hello.connected());
        }
        let channel = match spec.role {
            Role::Offerer => {
                let channel = connection
                    .create_data_channel("sleet", None)
                    .await
                    .map_err(stack)?;
                join(&channel, &hello);
                Some(channel)
            }
            Role::Answerer => {
                let hello = hello.clone();
                connection.on_data_channel(Box::new(move |channel| {
                    join(&channel, &hello);
                    Box::pin(async {})
                }));
                None
            }
        };
        Ok(Self {
            connection,
            _channel: channel,
            hello,
            audio,
            generation,
            log,
            nic,
        })
    }
}

impl FullPeer {
    /// Makes local candidates belong to the generation of `description` from now on.
    fn enter(&self, description: &Description) -> Result<(), PeerError> {
        let ufrag = description.ufrag().ok_or(PeerError::NoCredentials)?;
        ufrag.clone_into(&mut self.generation.lock().expect("no panic while it is held"));
        Ok(())
    }
}

fn configuration(spec: &PeerSpec) -> RTCConfiguration {
    let server = |server: &IceServer| RTCIceServer {
        urls: vec![server.url.clone()],
        username: USERNAME.to_owned(),
        credential: PASSWORD.to_owned(),
    };
    RTCConfiguration {
        ice_servers: spec.ice_servers.iter().map(server).collect(),
        ..RTCConfiguration::default()
    }
}

/// Records the state changes of the connection.
fn report_states(connection: &RTCPeerConnection, log: &Log) {
    let l = log.clone();
    connection.on_signaling_state_change(Box::new(move |state| {
        l.state(Machine::Signaling, state);
        Box::pin(async {})
    }));
    let l = log.clone();
    connection.on_ice_gathering_state_change(Box::new(move |state| {
        l.state(Machine::Gathering, state);
        Box::pin(async {})
    }));
    let l = log.clone();
    connection.on_ice_connection_state_change(Box::new(move |state| {
        l.state(Machine::Ice, state);
        Box::pin(async {})
    }));
    let l = log.clone();
    connection.on_peer_connection_state_change(Box::new(move |state| {
        l.state(Machine::Connection, state);
        Box::pin(async {})
    }));
    let l = log.clone();
    connection
        .sctp()
        .transport()
        .ice_transport()
        .on_selected_candidate_pair_change(Box::new(move |pair| {
            // The pair's candidates are private, but its display form shows both.
            let pair = pair.to_string();
            let (local, remote) = pair.split_once(" <-> ").unwrap_or((&pair, ""));
            l.pair(brief(local), brief(remote));
            Box::pin(async {})
        }));
}

/// Shortens a displayed candidate of a pair to type, address and port.
pub(super) fn brief(displayed: &str) -> String {
    let displayed = displayed
        .trim_start_matches("(local) ")
        .trim_start_matches("(remote) ");
    displayed.replacen("udp ", "", 1)
}

/// Records candidates and passes them to the application, inside the stack's callback.
fn report_candidates(
    connection: &RTCPeerConnection,
    log: &Log,
    generation: Arc<StdMutex<String>>,
    on_candidate: CandidateHandler,
) {
    let log = log.clone();
    let handler = Arc::new(StdMutex::new(on_candidate));
    connection.on_ice_candidate(Box::new(move |candidate: Option<RTCIceCandidate>| {
        let candidate = candidate.and_then(|c| c.to_json().ok()).map(|json| Candidate {
            attribute: json.candidate.trim_start_matches("candidate:").to_owned(),
            // The stack leaves `usernameFragment` empty.
            ufrag: generation.lock().expect("no panic while it is held").clone(),
        });
        log.gathered(candidate.clone());
        (handler.lock().expect("handlers do not panic"))(candidate)
    }));
}

/// Runs the exchange over `channel`.
fn join(channel: &Arc<RTCDataChannel>, hello: &Arc<Hello>) {
    let (h, opened) = (hello.clone(), Arc::downgrade(channel));
    channel.on_open(Box::new(move || {
        Box::pin(async move {
            send(&h, &opened, h.outstanding()).await;
            h.talks(move |text| {
                let channel = opened.upgrade();
                async move {
                    match channel {
                        Some(channel) => channel.send_text(text).await.is_ok(),
                        None => false,
                    }
                }
            });
        })
    }));
    let (h, heard) = (hello.clone(), Arc::downgrade(channel));
    channel.on_message(Box::new(move |message| {
        let (h, heard) = (h.clone(), heard.clone());
        Box::pin(async move {
            let answer = h.hear(&String::from_utf8_lossy(&message.data));
            send(&h, &heard, answer).await;
        })
    }));
}

async fn send(hello: &Hello, channel: &Weak<RTCDataChannel>, text: Option<&'static str>) {
    if let (Some(text), Some(channel)) = (text, channel.upgrade()) {
        hello.say(text);
        // An error means that the channel closed in between; there is nobody left to tell.
        let _ = channel.send_text(text).await;
    }
}

fn to_stack(description: Description) -> Result<RTCSessionDescription, PeerError> {
    match description.kind {
        DescriptionKind::Offer => RTCSessionDescription::offer(description.sdp),
        DescriptionKind::Answer => RTCSessionDescription::answer(description.sdp),
    }
    .map_err(stack)
}

#[async_trait]
impl Peer for FullPeer {
    async fn offer(&self) -> Result<Description, PeerError> {
        let offer = self.connection.create_offer(None).await.map_err(stack)?;
        Ok(Description {
            kind: DescriptionKind::Offer,
            sdp: offer.sdp,
        })
    }

    async fn restart(&self) -> Result<Description, PeerError> {
        let options = RTCOfferOptions {
            ice_restart: true,
            ..RTCOfferOptions::default()
        };
        let offer = self.connection.create_offer(Some(options)).await.map_err(stack)?;
        let offer = Description {
            kind: DescriptionKind::Offer,
            sdp: offer.sdp,
        };
        // The stack gathers from here on, not from the local description on.
        self.enter(&offer)?;
        Ok(offer)
    }

    async fn answer(&self) -> Result<Description, PeerError> {
        let answer = self.connection.create_answer(None).await.map_err(stack)?;
        let answer = Description {
            kind: DescriptionKind::Answer,
            sdp: answer.sdp,
        };
        Ok(answer)
    }

    async fn set_local(&self, description: Description) -> Result<(), PeerError> {
        self.enter(&description)?;
        self.connection
            .set_local_description(to_stack(description)?)
            .await
            .map_err(stack)
    }

    async fn set_remote(&self, description: Description) -> Result<(), PeerError> {
        let restarts = description.kind == DescriptionKind::Offer
            && !self
                .generation
                .lock()
                .expect("no panic while it is held")
                .is_empty();
        self.connection
            .set_remote_description(to_stack(description)?)
            .await
            .map_err(stack)?;
        if restarts {
            // The stack gathers the next generation from here on; only an answer reveals its username fragment.
            let answer = self.connection.create_answer(None).await.map_err(stack)?;
            self.enter(&Description {
                kind: DescriptionKind::Answer,
                sdp: answer.sdp,
            })?;
        }
        Ok(())
    }

    async fn add_candidate(&self, candidate: Candidate) -> Result<(), PeerError> {
        let init = RTCIceCandidateInit {
            candidate: format!("candidate:{}", candidate.attribute),
            sdp_mid: Some("0".to_owned()),
            sdp_mline_index: Some(0),
            username_fragment: Some(candidate.ufrag),
        };
        match self.connection.add_ice_candidate(init).await {
            Err(webrtc::Error::ErrNoRemoteDescription) => Err(PeerError::NoRemoteDescription),
            other => other.map_err(stack),
        }
    }

    fn connected(&self) -> watch::Receiver<bool> {
        self.hello.connected()
    }

    fn ice_state(&self) -> watch::Receiver<String> {
        self.log.ice.subscribe()
    }

    async fn close(&self) {
        self.log.closing();
        self.hello.falls_silent();
        if let Some(audio) = &self.audio {
            audio.falls_silent();
        }
        if let Err(error) = self.connection.close().await {
            self.log.failed("close", error);
        }
        self.log.closed();
        self.nic.down();
    }
}
