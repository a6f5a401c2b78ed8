//! One attempt of a call to connect: offer, answer and candidates, buffered at both ends.
//!
//! Steps are the owner's: each pauses as the plan says, and none goes on when the call has ended.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use sleet::{
    peer::{CandidateHandler, Description, DescriptionKind, Peer, PeerSpec, Role},
    servers,
    signaling::message::Message,
    trace::{Candidate, EventKind, Point},
};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

use super::{
    Mistake, Phone,
    call::{Call, CallError},
    description,
    line::{Line, Side, Work},
};

/// How long the caller waits until the other end has the offer, and from its answer on for the connection.
const PATIENCE: Duration = Duration::from_secs(6);

/// What an attempt tells its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum News {
    Connected,
    Failed,
    TookTooLong,
    /// Only a broken client takes a state of the peer for this.
    Closed,
}

/// One attempt.
pub(super) struct Attempt {
    pub peer: Arc<dyn Peer>,
    name: String,
    /// The generation of our description.
    ours: String,
    /// The generation of theirs, once it is set.
    theirs: Option<String>,
    /// The other end's offer, which an answer names.
    offer: String,
    /// Our candidates wait until the other end has our description.
    outgoing: Option<Vec<Option<Candidate>>>,
    connected: watch::Receiver<bool>,
    failed: watch::Receiver<bool>,
    state: watch::Receiver<String>,
    by_number: bool,
    told_connected: bool,
    told_failed: bool,
    deadline: Option<Instant>,
    gathering: Arc<AtomicBool>,
}

impl Attempt {
    /// Waits for what there is to tell, each once.
    pub async fn news(&mut self) -> News {
        let (failed, connected) = (!self.told_failed, !self.told_connected);
        let late = self.deadline.is_some();
        let until = self.deadline.unwrap_or_else(Instant::now);
        let news = tokio::select! {
            biased;
            () = becomes_six(&mut self.state), if self.by_number => News::Closed,
            () = becomes_true(&mut self.failed), if failed => News::Failed,
            () = becomes_true(&mut self.connected), if connected => News::Connected,
            () = sleep_until(until), if late => News::TookTooLong,
            never = std::future::pending() => never,
        };
        match news {
            News::Failed => self.told_failed = true,
            News::Connected => self.told_connected = true,
            News::TookTooLong | News::Closed => {}
        }
        self.deadline = None;
        news
    }

    /// Whether the stack still gathers candidates.
    pub fn is_gathering(&self) -> bool {
        self.gathering.load(Relaxed)
    }
}

impl Call {
    /// Begins an attempt and offers it.
    pub async fn offer(&mut self) -> Result<(), CallError> {
        let number = self.newest + 1;
        self.begin(number, Role::Offerer).await?;
        self.reach(Point::CreateOffer);
        self.pause("create-offer").await;
        let Some(attempt) = &mut self.attempt else {
            return Ok(());
        };
        let offer = attempt.peer.offer().await?;
        attempt.ours = ufrag_of(&offer);
        attempt.deadline = Some(Instant::now() + PATIENCE);
        self.reach(Point::OfferCreated);
        self.pause("send-description").await;
        let message = Message::Offer {
            call: self.line.call.clone(),
            attempt: number,
            ufrag: ufrag_of(&offer),
            sdp: offer.sdp.clone(),
        };
        self.say(message, Some(Point::OfferSent));
        self.set_local(offer).await
    }

    /// An offer came.
    pub async fn offered(&mut self, number: u32, sdp: String) -> Result<(), CallError> {
        if number <= self.newest {
            self.phone.host.sim().mark("late-offer-discarded");
            return Ok(());
        }
        self.reach(Point::OnOffer);
        self.begin(number, Role::Answerer).await?;
        let offer = description(DescriptionKind::Offer, sdp);
        if let Some(attempt) = &mut self.attempt {
            attempt.offer = ufrag_of(&offer);
        }
        self.set_remote(offer).await?;
        if self.wanted {
            return self.answer().await;
        }
        self.reach(Point::Ringing);
        Ok(())
    }

    /// Answers the offer, if there is one yet.
    pub async fn answer(&mut self) -> Result<(), CallError> {
        if self.attempt.is_none() {
            return Ok(());
        }
        self.reach(Point::CreateAnswer);
        self.pause("create-answer").await;
        let Some(attempt) = &mut self.attempt else {
            return Ok(());
        };
        let answer = attempt.peer.answer().await?;
        attempt.ours = ufrag_of(&answer);
        let message = Message::Answer {
            call: self.line.call.clone(),
            offer: attempt.offer.clone(),
            ufrag: ufrag_of(&answer),
            sdp: answer.sdp.clone(),
        };
        self.pause("send-description").await;
        self.say(message, Some(Point::AnswerSent));
        self.set_local(answer).await?;
        self.reach(Point::Checking);
        Ok(())
    }

    /// An answer came to the offer of the generation `offer`.
    pub async fn answered(&mut self, offer: &str, sdp: String) -> Result<(), CallError> {
        match &mut self.attempt {
            Some(attempt) if attempt.ours == offer && attempt.theirs.is_none() => {
                attempt.deadline = Some(Instant::now() + PATIENCE);
            }
            _ => {
                self.phone.host.sim().mark("late-answer-discarded");
                return Ok(());
            }
        }
        self.line.reach_stage(super::line::Stage::Answered);
        self.reach(Point::OnAnswer);
        self.set_remote(description(DescriptionKind::Answer, sdp)).await?;
        self.reach(Point::Checking);
        Ok(())
    }

    /// Makes the peer of an attempt; the one before is closed.
    async fn begin(&mut self, number: u32, role: Role) -> Result<(), CallError> {
        self.newest = number;
        if let Some(before) = self.attempt.take() {
            self.close(before.peer);
        }
        let name = match number {
            1 => self.line.call.clone(),
            _ => format!("{}#{number}", self.line.call),
        };
        self.pause("create-peer").await;
        let gathering = Arc::new(AtomicBool::new(true));
        let closer = Closer::default();
        let on_candidate = self.on_candidate(number, &gathering, &closer);
        let spec = PeerSpec {
            kind: self.phone.make.peers,
            name: name.clone(),
            role,
            ice_servers: self.ice_servers(),
            ice_timeouts: self.phone.plan.ice_timeouts,
        };
        let making = self.factory.clone().make(spec, on_candidate);
        let making = self.making.insert(self.phone.host.spawn("make peer", making));
        let made = making.await;
        self.making = None;
        let peer = made.map_err(|_| CallError::Making)??;
        if self.phone.makes(Mistake::CloseInCallback) {
            closer.knows(&peer);
        }
        self.attempt = Some(Attempt {
            connected: peer.connected(),
            failed: peer.ice_failed(),
            state: peer.ice_state(),
            by_number: self.phone.makes(Mistake::StateByNumber),
            peer,
            name,
            ours: String::new(),
            theirs: None,
            offer: String::new(),
            outgoing: Some(Vec::new()),
            told_connected: false,
            told_failed: false,
            deadline: None,
            gathering,
        });
        Ok(())
    }

    fn ice_servers(&self) -> Vec<servers::IceServer> {
        let sim = self.phone.host.sim();
        let servers = self.phone.plan.ice_servers.iter();
        servers
            .map(|s| servers::address_of(&sim.host(&s.host), s.turn))
            .collect()
    }

    /// What the stack calls with each candidate: it posts to the owner.
    fn on_candidate(&self, number: u32, gathering: &Arc<AtomicBool>, closer: &Closer) -> CandidateHandler {
        let (phone, line) = (self.phone.clone(), self.line.clone());
        let (gathering, closer) = (gathering.clone(), closer.clone());
        Box::new(move |candidate| {
            if candidate.is_none() {
                gathering.store(false, Relaxed);
            }
            match phone.make.mistake {
                Some(Mistake::CallbacksGoOn) => go_on(&phone, &line, number, candidate),
                Some(Mistake::CloseInCallback) => {
                    let (phone, line, closer) = (phone.clone(), line.clone(), closer.clone());
                    return Box::pin(async move {
                        phone.stretch.pause("callback").await;
                        line.ask(Work::Gathered(number, candidate));
                        if line.is_ended() {
                            closer.close().await;
                        }
                    });
                }
                _ => line.ask(Work::Gathered(number, candidate)),
            }
            Box::pin(async {})
        })
    }

    /// The stack gathered a candidate for the attempt `number`.
    pub async fn gathered(&mut self, number: u32, candidate: Option<Candidate>) {
        if number != self.newest {
            return;
        }
        self.reach(Point::OnCandidate);
        self.pause("callback").await;
        match self.attempt.as_mut().map(|a| (&mut a.outgoing, &a.ours)) {
            Some((Some(outgoing), _)) => {
                self.phone.host.sim().mark("local-candidate-buffered");
                outgoing.push(candidate);
            }
            Some((None, ours)) => {
                let ours = ours.clone();
                self.send_candidate(&ours, candidate);
            }
            None => {}
        }
    }

    fn send_candidate(&self, ours: &str, candidate: Option<Candidate>) {
        self.say(candidate_message(&self.line.call, ours, candidate), None);
    }

    /// The other end has our description of the generation `ufrag`: our candidates can go.
    pub fn joined(&mut self, ufrag: &str) {
        let caller = self.line.side == Side::Caller;
        let Some(attempt) = self.attempt.as_mut().filter(|a| a.ours == ufrag) else {
            return;
        };
        if caller && attempt.theirs.is_none() {
            // From here on it is for their user to answer.
            attempt.deadline = None;
        }
        let waiting = attempt.outgoing.take().unwrap_or_default();
        self.reach(Point::OnJoined);
        for candidate in waiting {
            self.send_candidate(ufrag, candidate);
        }
    }

    /// A candidate of the other end came.
    pub async fn remote_candidate(&mut self, candidate: Candidate) {
        self.reach(Point::OnRemoteCandidate);
        let described = self.attempt.as_ref().is_some_and(|a| a.theirs.is_some());
        if described && self.is_for_us(&candidate) {
            self.pause("add-candidate").await;
            return self.add(candidate).await;
        }
        self.phone.host.sim().mark("candidate-before-description");
        self.phone.host.sim().record(EventKind::CandidateBuffered {
            peer: self.line.call.clone(),
            candidate: candidate.clone(),
        });
        self.waiting.push(candidate);
    }

    /// Whether a candidate belongs to the description that is set.
    fn is_for_us(&self, candidate: &Candidate) -> bool {
        let theirs = self.attempt.as_ref().and_then(|a| a.theirs.as_ref());
        theirs == Some(&candidate.ufrag) || self.phone.makes(Mistake::CandidatesByUser)
    }

    async fn add(&self, candidate: Candidate) {
        let Some(attempt) = &self.attempt else { return };
        let (peer, into) = (attempt.name.clone(), attempt.theirs.clone().unwrap_or_default());
        let added = attempt.peer.add_candidate(candidate.clone()).await;
        self.phone.host.sim().record(match added {
            Ok(()) => EventKind::CandidateApplied {
                peer,
                candidate,
                into,
            },
            Err(error) => EventKind::CandidateRefused {
                peer,
                candidate,
                error: error.to_string(),
            },
        });
    }

    async fn set_local(&mut self, description: Description) -> Result<(), CallError> {
        self.pause("set-local").await;
        match &self.attempt {
            Some(attempt) => Ok(attempt.peer.set_local(description).await?),
            None => Ok(()),
        }
    }

    /// Sets the other end's description, says so, and adds the candidates that waited for it.
    async fn set_remote(&mut self, description: Description) -> Result<(), CallError> {
        self.pause("set-remote").await;
        let Some(attempt) = &mut self.attempt else {
            return Ok(());
        };
        let ufrag = ufrag_of(&description);
        attempt.peer.set_remote(description).await?;
        attempt.theirs = Some(ufrag.clone());
        let call = self.line.call.clone();
        self.say(Message::Joined { call, ufrag }, None);
        let waiting = std::mem::take(&mut self.waiting);
        let (ready, waiting): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|c| self.is_for_us(c));
        self.waiting = waiting;
        for candidate in ready {
            self.add(candidate).await;
        }
        Ok(())
    }
}

/// Waits for that, or for ever if it cannot any more.
async fn becomes_true(watched: &mut watch::Receiver<bool>) {
    if watched.wait_for(|now| *now).await.is_err() {
        std::future::pending().await
    }
}

/// The mistake: waits until the ICE transport has the number of the peer connection's `closed`. That is its `failed`.
async fn becomes_six(state: &mut watch::Receiver<String>) {
    const CLOSED: u8 = 6;
    if state.wait_for(|s| ice_number(s) == CLOSED).await.is_err() {
        std::future::pending().await
    }
}

/// The numbers of `webrtc`'s `RTCIceConnectionState` (`webrtc` 0.17.2, `src/ice_transport/ice_connection_state.rs`).
fn ice_number(state: &str) -> u8 {
    const NAMES: [&str; 7] = [
        "new",
        "checking",
        "connected",
        "completed",
        "disconnected",
        "failed",
        "closed",
    ];
    NAMES.iter().position(|n| *n == state).map_or(0, |i| i as u8 + 1)
}

fn ufrag_of(description: &Description) -> String {
    description.ufrag().unwrap_or_default().to_owned()
}

fn candidate_message(call: &str, ours: &str, candidate: Option<Candidate>) -> Message {
    let call = call.to_owned();
    match candidate {
        Some(c) => Message::Candidate {
            call,
            ufrag: c.ufrag,
            candidate: c.attribute,
        },
        None => Message::EndOfCandidates {
            call,
            ufrag: ours.to_owned(),
        },
    }
}

/// The mistake: a callback goes on by itself, and does not look whether there still is a call.
fn go_on(phone: &Arc<Phone>, line: &Line, number: u32, candidate: Option<Candidate>) {
    let (host, phone, line) = (phone.host.clone(), phone.clone(), line.clone());
    host.spawn("callback", async move {
        phone.stretch.pause("callback").await;
        phone.reach(&line.call, Point::OnCandidate);
        line.ask(Work::Gathered(number, candidate));
    });
}

/// What the broken client's callback closes: the peer that it is a callback of.
#[derive(Clone, Default)]
struct Closer {
    peer: Arc<Mutex<Option<Arc<dyn Peer>>>>,
}

impl Closer {
    fn knows(&self, peer: &Arc<dyn Peer>) {
        *self.peer.lock().expect("no panic while it is held") = Some(peer.clone());
    }

    async fn close(&self) {
        let peer = self.peer.lock().expect("no panic while it is held").take();
        if let Some(peer) = peer {
            peer.close().await;
        }
    }
}
