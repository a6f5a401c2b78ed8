//! Offers and answers: creating, sending and applying a description, and the attempt that it begins.
//!
//! Each step awaits; before it goes on it checks that its attempt is still current.

use std::{sync::Arc, time::Duration};

use sleet::{
    peer::{Description, DescriptionKind, PeerSpec, Role},
    servers,
    signaling::message::Message,
};

use super::{
    attempt::Attempt,
    call::{Call, Haste, StepError},
    candidates::LocalCandidates,
    ending::Progress,
    gathering::Gathering,
    mistake::{ActKind, Mistake, Wrong},
    policy::{Dispatch, ReceivePolicy, SendPolicy},
};

/// The time that [`Mistake::Dawdles`] takes.
const DAWDLES: Duration = Duration::from_secs(8);

impl Call {
    /// Begins another attempt of our own, which ends the previous one; returns its number.
    pub fn begin_attempt(&self) -> u32 {
        let (number, before) = {
            let mut state = self.state();
            state.newest += 1;
            state.remote.restart();
            (state.newest, state.attempt.take())
        };
        before.iter().for_each(|before| self.close(before, Haste::None));
        number
    }

    /// Follows the other end to the attempt `number`, which ends the previous one; returns whether it is new.
    fn follow_attempt(&self, number: u32) -> bool {
        let before = {
            let mut state = self.state();
            if number <= state.newest {
                return false;
            }
            state.newest = number;
            state.remote.restart();
            state.attempt.take()
        };
        before.iter().for_each(|before| self.close(before, Haste::None));
        true
    }

    /// Sends the offer of the attempt `number`.
    pub async fn offer(self: &Arc<Self>, number: u32) -> Result<(), StepError> {
        let attempt = self.make_peer(number, Role::Offerer).await?;
        self.pause("create-offer").await;
        self.check(&attempt, number)?;
        let offer = attempt.peer.offer().await?;
        self.describe(&attempt, number, offer, |call, offer| Message::Offer {
            call,
            attempt: number,
            ufrag: ufrag_of(offer),
            sdp: offer.sdp.clone(),
            restarts: None,
        })
        .await
    }

    /// Restarts ICE on the peer of `attempt`, and sends the offer.
    pub async fn restart(self: &Arc<Self>, attempt: &Arc<Attempt>) -> Result<(), StepError> {
        let number = {
            let mut state = self.state();
            state.newest += 1;
            state.remote.restart();
            state.newest
        };
        let before = self.next_round(attempt, number);
        self.pause("create-offer").await;
        self.check(attempt, number)?;
        let offer = attempt.peer.restart().await?;
        self.describe(attempt, number, offer, |call, offer| Message::Offer {
            call,
            attempt: number,
            ufrag: ufrag_of(offer),
            sdp: offer.sdp.clone(),
            restarts: Some(before),
        })
        .await
    }

    /// Begins another ICE generation on the same peer; returns the local generation that is over.
    fn next_round(&self, attempt: &Attempt, number: u32) -> String {
        let before = attempt.local.generation();
        attempt.local.restart(self.phone.make.policy.send.trusts());
        attempt.restart(number);
        before
    }

    /// Handles an offer.
    pub async fn offered(self: &Arc<Self>, number: u32, sdp: String) -> Result<(), StepError> {
        if !self.follow_attempt(number) {
            return Ok(());
        }
        let attempt = self.make_peer(number, Role::Answerer).await?;
        self.take_offer(&attempt, number, sdp).await
    }

    /// Handles an offer that restarts ICE on the peer whose remote generation is `before`.
    pub async fn restarted(
        self: &Arc<Self>,
        number: u32,
        before: &str,
        sdp: String,
    ) -> Result<(), StepError> {
        let attempt = {
            let mut state = self.state();
            if number <= state.newest {
                return Ok(());
            }
            let lives = state.remote.generation() == Some(before);
            let attempt = state.attempt.clone().filter(|_| lives);
            if attempt.is_some() {
                state.newest = number;
                state.remote.restart();
            }
            attempt
        };
        let Some(attempt) = attempt else {
            // A peer that was lost in a crash cannot go on.
            let call = self.handle.call.clone();
            self.say(Message::TryAgain {
                call,
                attempt: number,
                slow: false,
            });
            return Ok(());
        };
        self.next_round(&attempt, number);
        self.take_offer(&attempt, number, sdp).await
    }

    async fn take_offer(
        self: &Arc<Self>,
        attempt: &Arc<Attempt>,
        round: u32,
        sdp: String,
    ) -> Result<(), StepError> {
        let kind = DescriptionKind::Offer;
        let offer = Description { kind, sdp };
        attempt.note(|exchange| exchange.offer = ufrag_of(&offer));
        self.apply(attempt, round, offer).await?;
        self.answer_if_due(attempt).await
    }

    /// Answers, if the user wants the call and there is an offer that is not answered yet.
    pub async fn answer_if_due(self: &Arc<Self>, attempt: &Arc<Attempt>) -> Result<(), StepError> {
        let wanted = self.state().wanted;
        match wanted && attempt.exchange().described && attempt.claim_answer() {
            true => self.answer(attempt).await,
            false => Ok(()),
        }
    }

    async fn answer(self: &Arc<Self>, attempt: &Arc<Attempt>) -> Result<(), StepError> {
        let now = attempt.exchange();
        self.pause("create-answer").await;
        self.check(attempt, now.round)?;
        let answer = attempt.peer.answer().await?;
        self.describe(attempt, now.round, answer, |call, answer| Message::Answer {
            call,
            offer: now.offer,
            ufrag: ufrag_of(answer),
            sdp: answer.sdp.clone(),
        })
        .await
    }

    /// Handles the user's accept.
    pub async fn pick_up(self: &Arc<Self>) -> Result<(), StepError> {
        let before = std::mem::replace(&mut self.state().wanted, true);
        let attempt = self.attempt();
        let (act, how) = (ActKind::Accept, Wrong::Twice);
        if before && !self.phone.makes(Mistake::Act { act, how }) {
            return Ok(());
        }
        self.fall_silent();
        self.handle.reach(Progress::Answered);
        if self.phone.makes(Mistake::ShownTooEarly) {
            self.phone.screen.connected(&self.handle.call);
        }
        match attempt {
            // Only the broken client comes here a second time.
            Some(attempt) if before => self.answer(&attempt).await,
            Some(attempt) => self.answer_if_due(&attempt).await,
            None => Ok(()),
        }
    }

    /// Handles an answer to the offer of the generation `offer`.
    pub async fn answered(self: &Arc<Self>, offer: &str, sdp: String) -> Result<(), StepError> {
        let Some(attempt) = self.attempt().filter(|a| a.local.generation() == offer) else {
            return Ok(());
        };
        let round = attempt.exchange().round;
        if !attempt.claim_answer() {
            return Ok(());
        }
        self.handle.reach(Progress::Answered);
        self.phone.answered_on(&self.handle.call);
        if self.phone.makes(Mistake::ShownTooEarly) {
            self.phone.screen.connected(&self.handle.call);
        }
        if self.phone.make.policy.receive == ReceivePolicy::Buffer {
            // The stack refuses an answer to an offer that is not set yet.
            attempt
                .until(|exchange| exchange.local_done || exchange.over)
                .await;
        }
        if self.phone.makes(Mistake::Dawdles) {
            self.phone.host.sim().sleep(DAWDLES).await;
        }
        let kind = DescriptionKind::Answer;
        self.apply(&attempt, round, Description { kind, sdp }).await
    }

    /// Creates the peer of the attempt `number`, in a task that nothing cuts short.
    async fn make_peer(self: &Arc<Self>, number: u32, role: Role) -> Result<Arc<Attempt>, StepError> {
        self.pause("create-peer").await;
        self.making.send_modify(|making| *making += 1);
        let call = self.clone();
        let making = self.phone.host.spawn("make peer", async move {
            let made = call.attempt_with_peer(number, role).await;
            call.making.send_modify(|making| *making -= 1);
            made
        });
        making.await.map_err(|_| StepError::Making)?
    }

    async fn attempt_with_peer(self: &Arc<Self>, number: u32, role: Role) -> Result<Arc<Attempt>, StepError> {
        let factory = self.state().factory.clone().ok_or(StepError::Superseded)?;
        let phone = &self.phone;
        let local = Arc::new(LocalCandidates::new(phone.make.policy.send.trusts()));
        let gathering = Arc::new(Gathering::new());
        let on_candidate = self.on_candidate(number, &local, &gathering);
        let spec = PeerSpec {
            kind: phone.make.peers,
            call: self.handle.call.clone(),
            attempt: number,
            role,
            microphone: role == Role::Offerer || !phone.makes(Mistake::Mute),
            ice_servers: self.ice_servers(),
            ice_timeouts: phone.plan.ice_timeouts,
            talk_every: phone.plan.talk_every(),
        };
        let peer = factory.make(spec, on_candidate).await?;
        if phone.makes(Mistake::CloseInCallback) {
            gathering.is_of(&peer);
        }
        let attempt = Attempt::new(number, peer, local, gathering);
        let is_wanted = {
            let mut state = self.state();
            let is_wanted = state.newest == number && !self.handle.is_ended();
            if is_wanted {
                state.attempt = Some(attempt.clone());
            }
            is_wanted
        };
        if !is_wanted {
            self.close(&attempt, Haste::Now);
            return Err(StepError::Superseded);
        }
        self.watch_over(&attempt);
        Ok(attempt)
    }

    fn ice_servers(&self) -> Vec<servers::IceServer> {
        let sim = self.phone.host.sim();
        let servers = self.phone.plan.ice_servers.iter();
        servers
            .map(|s| servers::address_of(&sim.host(&s.host), s.turn))
            .collect()
    }

    /// Sends the local description, and sets it, in the order of the policy.
    async fn describe(
        self: &Arc<Self>,
        attempt: &Arc<Attempt>,
        round: u32,
        description: Description,
        message: impl FnOnce(String, &Description) -> Message,
    ) -> Result<(), StepError> {
        self.check(attempt, round)?;
        attempt.local.belong_to(&ufrag_of(&description));
        let message = message(self.handle.call.clone(), &description);
        let (call, sent) = (self.clone(), attempt.clone());
        let sending = async move {
            call.pause("send-description").await;
            call.check(&sent, round)?;
            Ok::<_, StepError>(call.say(message))
        };
        let policy = self.phone.make.policy;
        match (policy.send, policy.dispatch) {
            (SendPolicy::AfterDescription, _) => {
                let written = sending.await?;
                written.await.map_err(|_| StepError::Superseded)?;
            }
            (_, Dispatch::OwnerPerCall) => drop(sending.await?),
            (_, Dispatch::AsTheyCome) => self.launch(async move { sending.await.map(drop) }),
        }
        if let SendPolicy::AfterSleep(pause) = policy.send {
            self.phone.host.sim().sleep(pause).await;
        }
        self.pause("set-local").await;
        self.check(attempt, round)?;
        attempt.note(|exchange| exchange.gathers = true);
        let set = attempt.peer.set_local(description).await;
        self.check(attempt, round)?;
        attempt.note(|exchange| exchange.local_done = true);
        Ok(set?)
    }

    /// Sets the remote description, tells the other end, and adds the candidates that waited for it.
    async fn apply(
        &self,
        attempt: &Arc<Attempt>,
        round: u32,
        description: Description,
    ) -> Result<(), StepError> {
        self.pause("set-remote").await;
        self.check(attempt, round)?;
        let ufrag = ufrag_of(&description);
        attempt.peer.set_remote(description).await?;
        self.check(attempt, round)?;
        attempt.note(|exchange| exchange.described = true);
        let policy = self.receive_policy();
        let ready = self.state().remote.describe(policy, &ufrag);
        let call = self.handle.call.clone();
        self.say(Message::Joined { call, ufrag });
        for candidate in ready {
            self.check(attempt, round)?;
            self.add(attempt, candidate).await;
        }
        Ok(())
    }
}

fn ufrag_of(description: &Description) -> String {
    description.ufrag().unwrap_or_default().to_owned()
}
