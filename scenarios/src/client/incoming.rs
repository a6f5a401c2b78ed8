//! What the client does with what comes: offers, answers, candidates, and the rest.
//!
//! Each message is a step of a call that may be over by now: nothing here may begin anything for a call that has ended.

use std::sync::Arc;

use sleet::{
    peer::{Description, DescriptionKind, Role},
    signaling::message::{Envelope, Message},
    trace::{Candidate, EventKind},
};
use tokio::sync::mpsc;

use super::{App, CallError, attempt::Attempt, policy::Handle, slot::Arrival, ufrag_of};

impl App {
    /// An offer arrived, over signaling or with a push notification.
    pub(super) async fn offered(
        self: Arc<Self>,
        call: String,
        number: u32,
        offer: Description,
    ) -> Result<(), CallError> {
        let to = self.others().get(&call).cloned().ok_or(CallError::Superseded)?;
        if !self
            .slots()
            .entry(call.clone())
            .or_default()
            .announce_attempt(number)
        {
            self.host.sim().mark("late-offer-discarded");
            return Ok(());
        }
        self.stretch.pause("create-peer").await;
        let attempt = self.begin(&call, &to, number, Role::Answerer).await?;
        let offer_ufrag = ufrag_of(&offer);
        self.apply(&call, &to, &attempt, offer).await?;
        // The user takes a moment; other messages are handled meanwhile, whatever the policy.
        let app = self.clone();
        self.host.spawn("answer", async move {
            let answered = app.answer(call, to, attempt, offer_ufrag).await;
            app.report("answer", answered);
        });
        Ok(())
    }

    /// The other side restarts ICE on the peers that we have: it is answered at once, because nothing rings.
    async fn restarted(
        self: &Arc<Self>,
        call: &str,
        number: u32,
        before: &str,
        offer: Description,
    ) -> Result<(), CallError> {
        let to = self.others().get(call).cloned().ok_or(CallError::Superseded)?;
        let attempt = {
            let mut slots = self.slots();
            let slot = slots.get_mut(call).filter(|slot| slot.remote() == before);
            let Some((slot, attempt)) = slot.and_then(|s| s.attempt.clone().map(|a| (s, a))) else {
                // A peer that was lost in a crash cannot go on: the caller gives up on it and offers anew.
                self.host.sim().mark("restart-of-unknown-generation");
                return Ok(());
            };
            if !slot.announce_attempt(number) {
                return Ok(());
            }
            slot.restart();
            attempt
        };
        attempt.restart();
        let generation = ufrag_of(&offer);
        self.apply(call, &to, &attempt, offer).await?;
        self.send_answer(call, &to, &attempt, generation).await
    }

    async fn answer(
        self: &Arc<Self>,
        call: String,
        to: String,
        attempt: Arc<Attempt>,
        offer: String,
    ) -> Result<(), CallError> {
        let Some(after) = self.pick_up_after else {
            return Ok(());
        };
        self.host.sim().sleep(after).await;
        self.check_current(&call, &attempt)?;
        self.host.sim().step("pick up", &call);
        self.send_answer(&call, &to, &attempt, offer).await
    }

    /// Answers the offer of the generation `offer`.
    async fn send_answer(
        self: &Arc<Self>,
        call: &str,
        to: &str,
        attempt: &Arc<Attempt>,
        offer: String,
    ) -> Result<(), CallError> {
        self.stretch.pause("create-answer").await;
        self.check_current(call, attempt)?;
        let answer = attempt.peer.answer().await?;
        let (ufrag, sdp) = (ufrag_of(&answer), answer.sdp.clone());
        let message = Message::Answer {
            call: call.to_owned(),
            offer,
            ufrag,
            sdp,
        };
        self.describe(call, to, attempt, answer, message).await
    }

    /// A candidate arrived.
    async fn candidate(self: &Arc<Self>, call: &str, candidate: Candidate) {
        let sim = self.host.sim();
        let (arrival, attempt, peer) = {
            let mut slots = self.slots();
            let slot = slots.entry(call.to_owned()).or_default();
            if slot.remote() != candidate.ufrag {
                sim.mark("candidate-before-description");
            }
            let peer = slot
                .attempt
                .as_ref()
                .map_or_else(|| call.to_owned(), |a| a.name.clone());
            (
                slot.receive(self.policy.receive, &candidate),
                slot.attempt.clone(),
                peer,
            )
        };
        match (arrival, attempt) {
            (Arrival::Add, Some(attempt)) => {
                self.stretch.pause("add-candidate").await;
                if self.check_current(call, &attempt).is_ok() {
                    self.add(call, &attempt, candidate).await;
                } else {
                    sim.mark("stale-candidate-discarded");
                    sim.record(EventKind::CandidateDiscarded { peer, candidate });
                }
            }
            (Arrival::Add, None) => sim.record(EventKind::CandidateRefused {
                peer,
                candidate,
                error: "no peer connection yet".into(),
            }),
            (Arrival::Kept, _) => sim.record(EventKind::CandidateBuffered { peer, candidate }),
            (Arrival::Stale, _) => {
                sim.mark("stale-candidate-discarded");
                sim.record(EventKind::CandidateDiscarded { peer, candidate });
            }
        }
    }

    /// Gives a candidate to the peer.
    pub(super) async fn add(&self, call: &str, attempt: &Attempt, candidate: Candidate) {
        let into = self
            .slots()
            .get(call)
            .map(|s| s.remote().to_owned())
            .unwrap_or_default();
        let added = attempt.peer.add_candidate(candidate.clone()).await;
        let peer = attempt.name.clone();
        self.host.sim().record(match added {
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

    /// Handles messages until the connection ends.
    pub(super) async fn listen(self: Arc<Self>, mut incoming: mpsc::UnboundedReceiver<Envelope>) {
        while let Some(envelope) = incoming.recv().await {
            let handled = self.clone().handle(envelope);
            match self.policy.handle {
                Handle::InOrder => handled.await,
                Handle::Concurrently => drop(self.host.spawn("handle message", handled)),
            }
        }
    }

    async fn handle(self: Arc<Self>, envelope: Envelope) {
        let from = envelope.from.unwrap_or_default();
        if envelope.message.call().is_some_and(|call| self.is_over(call)) {
            return;
        }
        if let Some(call) = envelope.message.call()
            && !from.is_empty()
        {
            self.note_other(call, &from);
        }
        let handled = match envelope.message {
            Message::Offer {
                call,
                attempt,
                sdp,
                restarts,
                ..
            } => {
                let kind = DescriptionKind::Offer;
                let offer = Description { kind, sdp };
                match restarts {
                    None => self.clone().offered(call, attempt, offer).await,
                    Some(before) => self.restarted(&call, attempt, &before, offer).await,
                }
            }
            Message::Answer { call, offer, sdp, .. } => self.answered(&call, &from, &offer, sdp).await,
            Message::Joined { call, ufrag } => {
                if let Some(attempt) = self.attempt(&call).filter(|a| a.outbox.is_of(&ufrag)) {
                    attempt.outbox.other_side_joined();
                }
                Ok(())
            }
            Message::Candidate {
                call,
                ufrag,
                candidate,
            } => {
                let attribute = candidate;
                self.candidate(&call, Candidate { attribute, ufrag }).await;
                Ok(())
            }
            Message::Hangup { call } => {
                self.end(&call).await;
                Ok(())
            }
            // Ringing shows on the screen; the end of candidates and errors change nothing here.
            _ => Ok(()),
        };
        self.report("message", handled);
    }

    /// An answer arrived to the offer of the generation `offer`.
    async fn answered(
        self: &Arc<Self>,
        call: &str,
        from: &str,
        offer: &str,
        sdp: String,
    ) -> Result<(), CallError> {
        let Some(attempt) = self.attempt(call).filter(|a| a.outbox.is_of(offer)) else {
            self.host.sim().mark("late-answer-discarded");
            return Ok(());
        };
        let kind = DescriptionKind::Answer;
        self.apply(call, from, &attempt, Description { kind, sdp }).await
    }
}
