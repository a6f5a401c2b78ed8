//! One attempt of a call to connect: offer, answer and candidates, buffered at both ends.
//!
//! Steps are the owner's: each pauses as the plan says, and none goes on when the call has ended.

use std::{sync::Arc, time::Duration};

use sleet::{
    peer::{Description, DescriptionKind, Peer, PeerSpec, Role},
    servers,
    signaling::message::Message,
    trace::{Candidate, Point},
};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

use super::{
    Mistake,
    call::{Call, CallError},
    candidates::Gathering,
    description,
    line::Stage,
};

/// How long the caller waits until the other end has the offer, and both ends from the answer on for the connection.
pub(super) const PATIENCE: Duration = Duration::from_secs(6);

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
    pub name: String,
    /// The generation of our description.
    pub ours: String,
    /// The generation of theirs, once it is set.
    pub theirs: Option<String>,
    /// The other end's offer, which an answer names.
    offer: String,
    /// Our candidates wait until the other end has our description.
    pub outgoing: Option<Vec<Option<Candidate>>>,
    connected: watch::Receiver<bool>,
    failed: watch::Receiver<String>,
    state: watch::Receiver<String>,
    by_number: bool,
    told_connected: bool,
    told_failed: bool,
    pub deadline: Option<Instant>,
    pub gathering: Arc<Gathering>,
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
            () = fails(&mut self.failed), if failed => News::Failed,
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
            restarts: None,
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
        attempt.deadline = Some(Instant::now() + PATIENCE);
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
        self.line.reach_stage(Stage::Answered);
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
        let gathering = Arc::new(Gathering::default());
        let on_candidate = self.on_candidate(number, &gathering);
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
            gathering.is_of(&peer);
        }
        self.attempt = Some(Attempt {
            connected: peer.connected(),
            failed: peer.ice_state(),
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

/// Waits until ICE is *failed*, or for ever if it cannot be any more.
async fn fails(state: &mut watch::Receiver<String>) {
    if state.wait_for(|state| state == "failed").await.is_err() {
        std::future::pending().await
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
