//! Trickle ICE, step by step: sends local candidates and adds remote ones when the policy allows it.
//!
//! The stack's callback only asks the call. Some broken clients do more, here and nowhere else.

use std::sync::Arc;

use sleet::{peer::CandidateHandler, signaling::message::Message, trace::Candidate};

use super::{
    attempt::Attempt,
    call::{Call, StepError},
    candidates::{Arrival, LocalCandidates},
    gathering::Gathering,
    handle::Work,
    mistake::Mistake,
    policy::{ReceivePolicy, SendPolicy},
    wrongly,
};

impl Call {
    /// Returns the stack's candidate callback for the peer of the attempt `number`.
    pub fn on_candidate(
        &self,
        number: u32,
        local: &Arc<LocalCandidates>,
        gathering: &Arc<Gathering>,
    ) -> CandidateHandler {
        let (phone, handle) = (self.phone.clone(), self.handle.clone());
        let (local, gathering) = (local.clone(), gathering.clone());
        Box::new(move |candidate| {
            match &candidate {
                Some(candidate) => local.reported(candidate),
                None => gathering.end(),
            }
            let (phone, handle, local) = (phone.clone(), handle.clone(), local.clone());
            match phone.make.mistake {
                Some(Mistake::CallbacksGoOn) => wrongly::go_on(&phone, &handle, number, candidate),
                Some(Mistake::CloseInCallback) => {
                    let gathering = gathering.clone();
                    return Box::pin(async move {
                        phone.pause("callback").await;
                        handle.ask(Work::Gathered(number, candidate));
                        if handle.is_ended() {
                            gathering.close().await;
                        }
                    });
                }
                _ if phone.make.policy.send == SendPolicy::OnceJoinedInCallback => {
                    return Box::pin(async move {
                        // The mistake: the stack delivers its other callbacks only when this returns.
                        local.has_joined().await;
                        handle.ask(Work::Gathered(number, candidate));
                    });
                }
                _ => handle.ask(Work::Gathered(number, candidate)),
            }
            Box::pin(async {})
        })
    }

    /// Handles a candidate that the stack gathered for the peer of the attempt `number`.
    pub async fn gathered(&self, number: u32, candidate: Option<Candidate>) -> Result<(), StepError> {
        self.pause("callback").await;
        let Some(attempt) = self.attempt().filter(|a| a.number == number) else {
            return Ok(());
        };
        match attempt.local.gathered(candidate) {
            Some(candidate) => self.send_candidate(&attempt, candidate).await,
            None => Ok(()),
        }
    }

    /// Handles the notice that the other end has our description of the generation `ufrag`: local candidates can be
    /// sent.
    pub async fn joined(&self, ufrag: &str) -> Result<(), StepError> {
        let Some(attempt) = self.attempt() else {
            return Ok(());
        };
        for candidate in attempt.local.join(ufrag).unwrap_or_default() {
            self.send_candidate(&attempt, candidate).await?;
        }
        Ok(())
    }

    async fn send_candidate(
        &self,
        attempt: &Arc<Attempt>,
        candidate: Option<Candidate>,
    ) -> Result<(), StepError> {
        let (round, ours) = (attempt.exchange().round, attempt.local.generation());
        self.pause("send-candidate").await;
        self.check(attempt, round)?;
        let call = &self.handle.call;
        // Steps may overtake each other: the end of candidates comes after the last of them (RFC 8838, section 13).
        match candidate {
            None if !attempt.local.may_end(&ours) => {}
            None => drop(self.say(end_message(call, ours))),
            Some(candidate) => {
                if self.phone.makes(Mistake::EndsEarly) {
                    self.say(end_message(call, ours));
                }
                self.say(candidate_message(call, &candidate));
                if let Some(ended) = attempt.local.sent(&candidate) {
                    self.say(end_message(call, ended));
                }
            }
        }
        Ok(())
    }

    /// Handles a remote candidate.
    pub async fn remote_candidate(&self, candidate: Candidate) -> Result<(), StepError> {
        let policy = self.receive_policy();
        let (arrival, attempt) = {
            let mut state = self.state();
            (state.remote.receive(policy, &candidate), state.attempt.clone())
        };
        match (arrival, attempt) {
            (Arrival::Add, Some(attempt)) => {
                let round = attempt.exchange().round;
                self.pause("add-candidate").await;
                if self.check(&attempt, round).is_ok() {
                    self.add(&attempt, candidate).await;
                }
            }
            // The candidate waits, belongs to a past generation, arrived before, or has no peer to go to: then it is lost.
            (Arrival::Kept | Arrival::Stale | Arrival::Again | Arrival::Add, _) => {}
        }
        Ok(())
    }

    /// Passes a candidate to the peer. A refused candidate is lost, and the peer's adapter records that.
    pub async fn add(&self, attempt: &Attempt, candidate: Candidate) {
        let _ = attempt.peer.add_candidate(candidate).await;
    }

    /// Returns how this client handles received candidates.
    pub fn receive_policy(&self) -> ReceivePolicy {
        match self.phone.makes(Mistake::CandidatesByUser) {
            true => ReceivePolicy::BufferAnyGeneration,
            false => self.phone.make.policy.receive,
        }
    }
}

fn candidate_message(call: &str, candidate: &Candidate) -> Message {
    Message::Candidate {
        call: call.to_owned(),
        ufrag: candidate.ufrag.clone(),
        candidate: candidate.attribute.clone(),
    }
}

fn end_message(call: &str, ufrag: String) -> Message {
    Message::EndOfCandidates {
        call: call.to_owned(),
        ufrag,
    }
}
