//! Records what happens to a connection: the handlers in the stack's slots call this module.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use tokio::sync::watch;
use webrtc::{
    ice_transport::{
        ice_candidate::{RTCIceCandidate, RTCIceCandidateInit},
        ice_connection_state::RTCIceConnectionState,
        ice_gatherer_state::RTCIceGathererState,
    },
    peer_connection::{
        RTCPeerConnection as Stack,
        peer_connection_state::RTCPeerConnectionState,
        sdp::{sdp_type::RTCSdpType, session_description::RTCSessionDescription},
        signaling_state::RTCSignalingState,
    },
};

use super::{heard, interface::Use, slots::HandlerSlot};
use crate::{
    peer::{Description, DescriptionKind, Log, full::brief},
    trace::{Candidate, EventKind, Machine, PeerId},
    world::{Host, Sim},
};

/// A connection as the trace records it.
pub(super) struct Watched {
    log: Mutex<Log>,
    generations: Mutex<Generations>,
    interface: Mutex<Option<Use>>,
    is_closing: AtomicBool,
    has_role: AtomicBool,
    pub signaling: HandlerSlot<RTCSignalingState>,
    pub gathering: HandlerSlot<RTCIceGathererState>,
    pub ice: HandlerSlot<RTCIceConnectionState>,
    pub state: HandlerSlot<RTCPeerConnectionState>,
    pub candidates: HandlerSlot<Option<RTCIceCandidate>>,
}

/// The username fragments of the current descriptions.
#[derive(Default)]
struct Generations {
    local: String,
    remote: String,
}

impl Watched {
    /// Takes over the handler slots of `stack`, a connection of `host`.
    pub fn new(host: &Host, stack: &Arc<Stack>, interface: Option<Use>) -> Arc<Self> {
        let log = Log {
            sim: host.sim().clone(),
            host: host.clone(),
            peer: PeerId {
                life: host.life(),
                ..PeerId::new(&Numbers::next(host), 1)
            },
            ice: Arc::new(watch::Sender::new("new".to_owned())),
        };
        let watched = Arc::new(Self {
            log: Mutex::new(log),
            generations: Mutex::default(),
            interface: Mutex::new(interface),
            is_closing: AtomicBool::new(false),
            has_role: AtomicBool::new(false),
            signaling: HandlerSlot::default(),
            gathering: HandlerSlot::default(),
            ice: HandlerSlot::default(),
            state: HandlerSlot::default(),
            candidates: HandlerSlot::default(),
        });
        watched.take_states(stack);
        watched.take_candidates(stack);
        watched
    }

    fn take_states(self: &Arc<Self>, stack: &Arc<Stack>) {
        let w = self.clone();
        stack.on_signaling_state_change(Box::new(move |state| {
            w.log().state(Machine::Signaling, state);
            w.signaling.call(state)
        }));
        let w = self.clone();
        stack.on_ice_gathering_state_change(Box::new(move |state| {
            w.log().state(Machine::Gathering, state);
            w.gathering.call(state)
        }));
        let w = self.clone();
        stack.on_ice_connection_state_change(Box::new(move |state| {
            w.log().state(Machine::Ice, state);
            w.ice.call(state)
        }));
        let (w, connection) = (self.clone(), Arc::downgrade(stack));
        let mut was_connected = false;
        stack.on_peer_connection_state_change(Box::new(move |state| {
            w.log().state(Machine::Connection, state);
            if state == RTCPeerConnectionState::Connected && !std::mem::replace(&mut was_connected, true) {
                let host = w.log().host;
                let (connection, w) = (connection.clone(), Arc::downgrade(&w));
                host.spawn("watch", async move {
                    let is_over = || w.upgrade().is_none_or(|w| w.is_closing());
                    if heard::both_ways(connection, is_over).await
                        && let Some(w) = w.upgrade()
                    {
                        w.log().usable();
                    }
                });
            }
            w.state.call(state)
        }));
    }

    fn take_candidates(self: &Arc<Self>, stack: &Stack) {
        let w = self.clone();
        stack.on_ice_candidate(Box::new(move |candidate| {
            let seen = candidate.as_ref().and_then(|c| c.to_json().ok());
            let seen = seen.map(|json| Candidate {
                attribute: attribute(&json.candidate).to_owned(),
                ufrag: w.generations().local.clone(),
            });
            let log = w.log();
            if let Some(seen) = &seen {
                Origins::of(&log.sim).remember(seen);
            }
            log.gathered(seen);
            w.candidates.call(candidate)
        }));
        let w = self.clone();
        let transport = stack.sctp().transport();
        transport
            .ice_transport()
            .on_selected_candidate_pair_change(Box::new(move |pair| {
                // The pair's candidates are private, but its display form shows both.
                let pair = pair.to_string();
                let (local, remote) = pair.split_once(" <-> ").unwrap_or((&pair, ""));
                w.log().pair(brief(local), brief(remote));
                Box::pin(async {})
            }));
    }

    /// Returns the recorder of this connection.
    pub fn log(&self) -> Log {
        self.log.lock().expect("no panic while it is held").clone()
    }

    /// Names the connection as attempt `attempt` of `call` from now on.
    pub fn rename(&self, call: &str, attempt: u32) {
        let mut log = self.log.lock().expect("no panic while it is held");
        log.peer = PeerId {
            life: log.host.life(),
            ..PeerId::new(call, attempt)
        };
    }

    /// Records that the connection begins to close.
    pub fn closing(&self) {
        self.is_closing.store(true, Relaxed);
        self.log().closing();
    }

    /// Reports whether the connection has begun to close.
    pub fn is_closing(&self) -> bool {
        self.is_closing.load(Relaxed)
    }

    /// Records whether the connection offers or answers, which its first operation shows.
    fn takes_part(&self, offers: bool) {
        if !self.has_role.swap(true, Relaxed) {
            let log = self.log();
            let peer = log.peer.clone();
            log.record(EventKind::PeerCreated { peer, offers });
        }
    }

    /// Records a description that was created; local candidates belong to its generation from now on.
    pub fn created(&self, description: &RTCSessionDescription) {
        let Some(description) = describe(description) else {
            return;
        };
        self.takes_part(description.kind == DescriptionKind::Offer);
        let ufrag = description.ufrag().unwrap_or_default();
        ufrag.clone_into(&mut self.generations().local);
        let log = self.log();
        log.created(&description);
    }

    /// Records a description that is applied.
    pub fn described(&self, remote: bool, description: &RTCSessionDescription) {
        let Some(description) = describe(description) else {
            return;
        };
        // A peer that is given an offer answers.
        self.takes_part(remote != (description.kind == DescriptionKind::Offer));
        self.log().described(remote, &description);
        let ufrag = description.ufrag().unwrap_or_default();
        if remote {
            ufrag.clone_into(&mut self.generations().remote);
        } else {
            ufrag.clone_into(&mut self.generations().local);
        }
    }

    /// Returns a remote candidate that arrives, with its own generation, and the current remote generation.
    pub fn arrives(&self, candidate: &RTCIceCandidateInit) -> Option<(Candidate, String)> {
        let attribute = attribute(&candidate.candidate);
        if attribute.is_empty() {
            return None;
        }
        let into = self.generations().remote.clone();
        let said = candidate
            .username_fragment
            .clone()
            .filter(|ufrag| !ufrag.is_empty());
        let ufrag = said
            .or_else(|| Origins::of(&self.log().sim).find(attribute))
            .unwrap_or_else(|| into.clone());
        let attribute = attribute.to_owned();
        Some((Candidate { attribute, ufrag }, into))
    }

    /// Records whether a candidate that arrived was applied or refused.
    pub fn took(&self, (candidate, into): (Candidate, String), refused: Option<&dyn fmt::Display>) {
        let log = self.log();
        let peer = log.peer.clone();
        log.record(match refused {
            None => EventKind::CandidateApplied {
                peer,
                candidate,
                into,
            },
            Some(error) => EventKind::CandidateRefused {
                peer,
                candidate,
                error: error.to_string(),
            },
        });
    }

    /// Ends the use of the interface.
    pub fn leave(&self) {
        drop(self.interface.lock().expect("no panic while it is held").take());
    }

    fn generations(&self) -> MutexGuard<'_, Generations> {
        self.generations.lock().expect("no panic while it is held")
    }
}

/// Returns a candidate attribute without its prefix.
fn attribute(candidate: &str) -> &str {
    candidate.strip_prefix("candidate:").unwrap_or(candidate)
}

/// Converts a description; `None` for a rollback, which describes nothing.
fn describe(description: &RTCSessionDescription) -> Option<Description> {
    let kind = match description.sdp_type {
        RTCSdpType::Offer => DescriptionKind::Offer,
        RTCSdpType::Answer | RTCSdpType::Pranswer => DescriptionKind::Answer,
        RTCSdpType::Rollback | RTCSdpType::Unspecified => return None,
    };
    Some(Description {
        kind,
        sdp: description.sdp.clone(),
    })
}

/// The number of connections of each host so far, for the names of those that `observe` did not name.
#[derive(Default)]
struct Numbers(Mutex<BTreeMap<String, u32>>);

impl Numbers {
    fn next(host: &Host) -> String {
        let numbers = host.sim().part::<Self>();
        let mut numbers = numbers.0.lock().expect("no panic while it is held");
        let number = numbers.entry(host.name().to_owned()).or_default();
        *number += 1;
        format!("pc{number}")
    }
}

/// The generation in which each candidate of the run was gathered last, by its attribute. The stack does not pass the
/// generation along, and an app that does not either must not be misjudged for it.
#[derive(Default)]
struct Origins(Mutex<BTreeMap<String, String>>);

impl Origins {
    fn of(sim: &Sim) -> Arc<Self> {
        sim.part()
    }

    fn remember(&self, candidate: &Candidate) {
        let mut origins = self.0.lock().expect("no panic while it is held");
        origins.insert(candidate.attribute.clone(), candidate.ufrag.clone());
    }

    fn find(&self, attribute: &str) -> Option<String> {
        self.0
            .lock()
            .expect("no panic while it is held")
            .get(attribute)
            .cloned()
    }
}
