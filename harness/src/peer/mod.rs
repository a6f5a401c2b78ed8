//! Real WebRTC peers behind one small interface.
//!
//! [`full`] is an `RTCPeerConnection` of `webrtc` with a data channel: SDP, trickle ICE, DTLS and SCTP, and with audio over SRTP where
//! that is asked for ([`audio`]). [`bare`] is a
//! `webrtc-ice` agent alone, for what only ICE decides, at a fraction of the cost. Both run unmodified on a
//! [`crate::nic::Nic`]. Their inputs and reports (descriptions, candidates, states, pairs, data) are recorded in the
//! trace here, so that no client under test writes the evidence by which it is judged.
//!
//! A peer is *connected* when a message went both ways, not when a state says so: see [`hello`].

mod audio;
mod bare;
mod full;
mod hello;
pub mod raw;
mod recorded;

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio::sync::watch;

use crate::{
    nic::NicError,
    servers::IceServer,
    trace::{Candidate, EventKind, IceKeys, Machine, PeerId},
    world::{Host, Sim},
};

/// The stack that a peer is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PeerKind {
    /// An `RTCPeerConnection` with a data channel.
    Full,
    /// The same, with an Opus track for audio each way.
    Audio,
    /// A `webrtc-ice` agent alone.
    Bare,
}

/// The side of a peer in the exchange. The offerer controls nomination (RFC 8445, section 6.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum Role {
    Offerer,
    Answerer,
}

/// The type of a description.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum DescriptionKind {
    Offer,
    Answer,
}

impl fmt::Display for DescriptionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Offer => "offer",
            Self::Answer => "answer",
        })
    }
}

/// A session description (RFC 8866). A bare agent's holds only its ICE credentials.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Description {
    /// Offer or answer.
    pub kind: DescriptionKind,
    /// The text.
    pub sdp: String,
}

impl Description {
    /// Returns the username fragment of the description's ICE generation (RFC 8839, section 5.4).
    pub fn ufrag(&self) -> Option<&str> {
        self.attribute("a=ice-ufrag:")
    }

    /// Returns the password of the description's ICE generation.
    pub fn password(&self) -> Option<&str> {
        self.attribute("a=ice-pwd:")
    }

    fn attribute(&self, prefix: &str) -> Option<&str> {
        self.sdp
            .lines()
            .find_map(|line| line.strip_prefix(prefix))
            .map(str::trim)
    }
}

/// A callback for each local candidate, and for `None` at the end. The stack waits for the future inside its own
/// callback, as it does for an application's.
pub type CandidateHandler = Box<dyn FnMut(Option<Candidate>) -> BoxFuture<'static, ()> + Send + Sync>;

/// The error of a peer.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PeerError {
    /// A remote candidate came before its description: `addIceCandidate` rejects it (W3C webrtc-pc, 4.4.2).
    #[error("no remote description")]
    NoRemoteDescription,
    /// A description has no ICE credentials.
    #[error("the description has no ICE credentials")]
    NoCredentials,
    /// The network interface failed.
    #[error(transparent)]
    Nic(#[from] NicError),
    /// The stack returned an error.
    #[error("{0}")]
    Stack(String),
}

/// Converts an error of any crate of the stack.
fn stack(error: impl fmt::Display) -> PeerError {
    PeerError::Stack(error.to_string())
}

/// An endpoint of one attempt to connect: one ICE generation, one set of sockets.
#[async_trait]
pub trait Peer: Send + Sync {
    /// Creates the offer.
    async fn offer(&self) -> Result<Description, PeerError>;
    /// Begins another ICE generation on the same peer, and creates its offer (RFC 8445, section 9; W3C webrtc-pc 4.4.2,
    /// createOffer with `iceRestart`).
    async fn restart(&self) -> Result<Description, PeerError>;
    /// Creates the answer to the offer that was set.
    async fn answer(&self) -> Result<Description, PeerError>;
    /// Applies the local description; candidates are gathered from here on.
    async fn set_local(&self, description: Description) -> Result<(), PeerError>;
    /// Applies the remote description.
    async fn set_remote(&self, description: Description) -> Result<(), PeerError>;
    /// Adds a remote candidate.
    async fn add_candidate(&self, candidate: Candidate) -> Result<(), PeerError>;
    /// Returns a receiver that becomes true when a message has gone both ways.
    fn connected(&self) -> watch::Receiver<bool>;
    /// Returns the last reported ICE state, by its name in the specification; *new* before the first.
    fn ice_state(&self) -> watch::Receiver<String>;
    /// Closes the peer and everything that belongs to it.
    async fn close(&self);
}

/// The configuration of a peer.
#[derive(Clone, Debug)]
pub struct PeerSpec {
    /// The stack.
    pub kind: PeerKind,
    /// The call.
    pub call: String,
    /// The number of the attempt within the call, from 1.
    pub attempt: u32,
    /// The side of the exchange.
    pub role: Role,
    /// Whether a peer with audio speaks; else it only listens. It says nothing of other peers.
    pub microphone: bool,
    /// The STUN and TURN servers for candidates beside the host's own addresses.
    pub ice_servers: Vec<IceServer>,
    /// The timeouts for a silent path; `None` for those of the stack.
    pub ice_timeouts: Option<IceTimeouts>,
    /// The interval between small messages over the connection, for as long as it lasts; `None` for no messages.
    pub talk_every: Option<Duration>,
}

impl PeerSpec {
    /// The specification of the first attempt of `call`, with nothing but the host's own addresses, the timeouts of the stack, and no
    /// talk.
    pub fn new(kind: PeerKind, call: &str, role: Role) -> Self {
        Self {
            kind,
            call: call.to_owned(),
            attempt: 1,
            role,
            microphone: kind == PeerKind::Audio,
            ice_servers: Vec::new(),
            ice_timeouts: None,
            talk_every: None,
        }
    }
}

/// The timeouts of an agent for a selected pair that has fallen silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IceTimeouts {
    /// The time from the last packet to *disconnected*, in milliseconds.
    pub disconnected_ms: u64,
    /// The time from *disconnected* to *failed*, in milliseconds.
    pub failed_ms: u64,
}

impl IceTimeouts {
    /// The stack's own values (`webrtc-ice` 0.17.2, `src/agent/agent_config.rs:19` and `22`).
    pub const OF_THE_STACK: Self = Self {
        disconnected_ms: 5_000,
        failed_ms: 25_000,
    };

    /// Returns the time from the last packet to *disconnected*.
    pub fn disconnected(self) -> Duration {
        Duration::from_millis(self.disconnected_ms)
    }

    /// Returns the time from *disconnected* to *failed*.
    pub fn failed(self) -> Duration {
        Duration::from_millis(self.failed_ms)
    }
}

/// Creates a peer on `host`.
///
/// # Errors
/// [`PeerError`]
pub async fn create(
    host: &Host,
    spec: PeerSpec,
    on_candidate: CandidateHandler,
) -> Result<Arc<dyn Peer>, PeerError> {
    let log = Log {
        sim: host.sim().clone(),
        host: host.clone(),
        peer: PeerId {
            call: spec.call.clone(),
            attempt: spec.attempt,
            life: host.life(),
        },
        ice: Arc::new(watch::Sender::new("new".to_owned())),
    };
    let peer: Arc<dyn Peer> = match spec.kind {
        PeerKind::Full | PeerKind::Audio => {
            Arc::new(full::FullPeer::create(host, log.clone(), &spec, on_candidate).await?)
        }
        PeerKind::Bare => Arc::new(bare::BarePeer::create(host, log.clone(), &spec, on_candidate).await?),
    };
    let offers = spec.role == Role::Offerer;
    let peer: Arc<dyn Peer> = Arc::new(recorded::Recorded::new(peer, log, offers));
    let dying = Arc::downgrade(&peer);
    host.at_crash(move |host| {
        if let Some(peer) = dying.upgrade() {
            host.bury("undertaker", async move { peer.close().await });
        }
    });
    Ok(peer)
}

/// Records the reports of a peer.
#[derive(Clone)]
struct Log {
    sim: Sim,
    host: Host,
    peer: PeerId,
    // The ICE state reported last.
    ice: Arc<watch::Sender<String>>,
}

impl Log {
    fn record(&self, kind: EventKind) {
        self.host.run(|| self.sim.record(kind));
    }

    fn state(&self, machine: Machine, state: impl fmt::Display) {
        let state = state.to_string();
        self.record(EventKind::State {
            peer: self.peer.clone(),
            machine,
            state: state.clone(),
        });
        if machine == Machine::Ice {
            self.mark_ice(state);
        }
    }

    /// Sets the marks for a path that falls silent: disconnected, recovered, failed.
    fn mark_ice(&self, now: String) {
        let before = self.ice.send_replace(now.clone());
        let mark = match (before.as_str(), now.as_str()) {
            (_, "disconnected") => Some("disconnected"),
            ("disconnected", "connected" | "completed") => Some("recovered"),
            (_, "failed") => Some("failed"),
            _ => None,
        };
        if let Some(mark) = mark {
            self.host.run(|| self.sim.mark(mark));
        }
    }

    fn gathered(&self, candidate: Option<Candidate>) {
        self.record(EventKind::Gathered {
            peer: self.peer.clone(),
            candidate,
        });
    }

    fn created(&self, description: &Description) {
        let ufrag = description.ufrag().unwrap_or_default();
        if let Some(password) = description.password() {
            self.sim.part::<IceKeys>().learn(ufrag, password);
        }
        self.record(EventKind::DescriptionCreated {
            peer: self.peer.clone(),
            kind: description.kind.to_string(),
            ufrag: ufrag.to_owned(),
        });
    }

    fn described(&self, remote: bool, description: &Description) {
        self.record(EventKind::Described {
            peer: self.peer.clone(),
            remote,
            kind: description.kind.to_string(),
            ufrag: description.ufrag().unwrap_or_default().to_owned(),
        });
    }

    fn pair(&self, local: String, remote: String) {
        self.record(EventKind::PairSelected {
            peer: self.peer.clone(),
            local,
            remote,
        });
    }

    fn usable(&self) {
        self.record(EventKind::Usable {
            peer: self.peer.clone(),
        });
    }

    fn heard(&self) {
        self.record(EventKind::Heard {
            peer: self.peer.clone(),
        });
    }

    fn heard_audio(&self, packets: u64) {
        self.record(EventKind::HeardAudio {
            peer: self.peer.clone(),
            packets,
        });
    }

    fn data(&self, received: bool, text: &str) {
        self.record(EventKind::Data {
            peer: self.peer.clone(),
            received,
            text: text.to_owned(),
        });
    }

    fn closing(&self) {
        self.record(EventKind::Closing {
            peer: self.peer.clone(),
        });
    }

    fn closed(&self) {
        self.record(EventKind::Closed {
            peer: self.peer.clone(),
        });
    }

    fn failed(&self, step: &str, error: impl fmt::Display) {
        self.record(EventKind::Failed {
            step: format!("{} {step}", self.peer),
            error: error.to_string(),
        });
    }
}
