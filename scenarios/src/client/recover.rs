//! The reaction of a call to the news of its attempts: the caller restarts ICE or begins another attempt, the callee
//! asks for one.
//!
//! None of this is the user's act: it does not extend the budget of the call.

use std::{sync::Arc, time::Duration};

use sleet::signaling::message::Message;

use super::{
    attempt::Attempt,
    call::{Call, StepError},
    ending::{Progress, Side},
    handle::News,
    mistake::Mistake,
    policy::Recovery,
};

/// The time after which [`Mistake::ClosesSoon`] closes the peer.
const SOON: Duration = Duration::from_secs(1);

/// Why a call recovers.
enum Why<'a> {
    /// We have found an attempt stuck.
    Stuck(&'a str),
    /// The other end has asked for another.
    Asked,
}

impl Call {
    /// Handles news of the peer of the attempt `number`.
    pub async fn learn(self: &Arc<Self>, number: u32, news: News) -> Result<(), StepError> {
        let Some(attempt) = self.attempt().filter(|a| a.number == number) else {
            return Ok(());
        };
        match news {
            News::Connected => {
                self.handle.reach(Progress::Connected);
                self.phone.screen.connected(&self.handle.call);
                if self.phone.makes(Mistake::ClosesSoon) {
                    self.close_soon(&attempt);
                }
                self.pause("callback").await;
                Ok(())
            }
            News::Stuck(why) => {
                let round = attempt.exchange().round;
                self.pause("callback").await;
                self.recover(&attempt, round, Why::Stuck(why)).await
            }
            News::Broken(why) => self.mend(&attempt, why).await,
        }
    }

    /// The mistake: closes the peer, and keeps the call.
    fn close_soon(&self, attempt: &Arc<Attempt>) {
        let (sim, peer) = (self.phone.host.sim().clone(), attempt.peer.clone());
        self.phone.host.spawn("close soon", async move {
            sim.sleep(SOON).await;
            peer.close().await;
        });
    }

    /// Restarts ICE, or begins another attempt if that is not possible.
    async fn mend(self: &Arc<Self>, attempt: &Arc<Attempt>, why: &str) -> Result<(), StepError> {
        let call = &self.handle.call;
        self.phone
            .host
            .sim()
            .step("restart ICE", format!("{call}: {why}"));
        match self.restart(attempt).await {
            Err(error @ (StepError::Peer(_) | StepError::Making)) => {
                self.phone.failed("restart ICE", &error);
                let round = attempt.exchange().round;
                self.recover(attempt, round, Why::Stuck("ICE cannot be restarted"))
                    .await
            }
            done => done,
        }
    }

    /// Reacts to the failure of the round `round` of an attempt, unless it has come up meanwhile: what this app found stuck by itself
    /// works then. The other end may know better.
    async fn recover(
        self: &Arc<Self>,
        attempt: &Arc<Attempt>,
        round: u32,
        why: Why<'_>,
    ) -> Result<(), StepError> {
        self.check(attempt, round)?;
        self.pause("recover").await;
        self.check(attempt, round)?;
        let why = match why {
            Why::Stuck(_) if attempt.is_up() => return Ok(()),
            Why::Stuck(why) => why,
            Why::Asked => "the other end asks for it",
        };
        let call = &self.handle.call;
        self.phone.host.sim().step("recover", format!("{call}: {why}"));
        self.retry().await
    }

    /// Begins another attempt, or asks for one.
    pub async fn retry(self: &Arc<Self>) -> Result<(), StepError> {
        match self.handle.side {
            Side::Caller => {
                let next = self.begin_attempt();
                self.offer(next).await
            }
            Side::Callee => {
                let (call, attempt) = (self.handle.call.clone(), self.state().newest);
                let slow = self.attempt().is_some_and(|attempt| attempt.may_come_up());
                self.say(Message::TryAgain { call, attempt, slow });
                Ok(())
            }
        }
    }

    /// Handles the callee's request for an attempt after the one with the number `newest`, which only takes long if it is `slow`:
    /// signaling may deliver such a request after the attempt has come up.
    pub async fn asked_to_try_again(self: &Arc<Self>, newest: u32, slow: bool) -> Result<(), StepError> {
        let is_heeded = |a: &Arc<Attempt>| a.exchange().round == newest && !(slow && a.is_up());
        let attempt = self.attempt().filter(is_heeded);
        match (attempt, self.handle.side, self.recovery()) {
            (_, Side::Callee, _) | (_, _, Recovery::Never) | (None, _, _) => Ok(()),
            (Some(attempt), Side::Caller, _) => self.recover(&attempt, newest, Why::Asked).await,
        }
    }
}
