//! Acts of users, done wrongly: not at all, twice, late, or to another call; candidates of another
//! call, and of one that is over.
//!
//! Nothing here runs in any but the broken client.

use std::{sync::Arc, time::Duration};

use sleet::{
    driver::NotUnderstood,
    signaling::message::Message,
    trace::{Candidate, Intent},
};

use super::{
    attempt::Attempt,
    ending::{Ending, How},
    handle::{CallHandle, Work},
    mistake::{Mistake, Wrong},
    phone::Phone,
};

/// The delay of the broken client's act.
const LATE: Duration = Duration::from_millis(3_500);

impl Phone {
    /// Performs an intent of the user wrongly.
    pub(super) async fn act_wrongly(
        self: &Arc<Self>,
        intent: Intent,
        how: Wrong,
    ) -> Result<(), NotUnderstood> {
        match how {
            Wrong::Ignored => Ok(()),
            Wrong::Twice => {
                self.perform(intent.clone()).await?;
                self.act_again(intent).await
            }
            Wrong::Late => {
                self.host.sim().sleep(LATE).await;
                self.perform(intent).await
            }
            Wrong::Elsewhere => match self.misdirected(intent) {
                Some(intent) => self.perform(intent).await,
                None => Ok(()),
            },
        }
    }

    /// Repeats an act.
    async fn act_again(self: &Arc<Self>, intent: Intent) -> Result<(), NotUnderstood> {
        match intent {
            Intent::Dial { call, to } => {
                let call = format!("{call}.again");
                self.perform(Intent::Dial { call, to }).await
            }
            Intent::DialGroup { group, to } => {
                let group = format!("{group}.again");
                self.perform(Intent::DialGroup { group, to }).await
            }
            Intent::DialUser { call, to, devices } => {
                let call = format!("{call}.again");
                self.perform(Intent::DialUser { call, to, devices }).await
            }
            Intent::Reject { call } => {
                self.tell_again(&call, Message::Reject { call: call.clone() });
                Ok(())
            }
            Intent::HangUp { call } => {
                self.tell_again(&call, Message::Hangup { call: call.clone() });
                Ok(())
            }
            Intent::HangUpGroup { group } => {
                let legs = self.registry().legs(&group);
                for call in legs {
                    self.tell_again(&call, Message::Hangup { call: call.clone() });
                }
                Ok(())
            }
            again => self.perform(again).await,
        }
    }

    fn tell_again(&self, call: &str, message: Message) {
        let other = self.registry().other(call);
        if let Some(other) = other {
            drop(self.outbox.post(&other, message));
        }
    }

    /// Returns the same act about another call, or another client.
    fn misdirected(&self, intent: Intent) -> Option<Intent> {
        let another = |call: &str| {
            let mut handles = self.registry().handles().into_iter();
            handles.find(|h| h.call != call).map(|h| h.call)
        };
        Some(match intent {
            Intent::Dial { call, to } => {
                let to = self.somebody_but(std::slice::from_ref(&to))?;
                Intent::Dial { call, to }
            }
            Intent::DialGroup { group, mut to } => {
                let stranger = self.somebody_but(&to)?;
                *to.first_mut()? = stranger;
                Intent::DialGroup { group, to }
            }
            Intent::DialUser {
                call,
                to,
                mut devices,
            } => {
                let stranger = self.somebody_but(&devices)?;
                *devices.first_mut()? = stranger;
                Intent::DialUser { call, to, devices }
            }
            Intent::HangUpGroup { group } => {
                let group = self.another_group(&group)?;
                Intent::HangUpGroup { group }
            }
            Intent::Accept { call } => Intent::Accept {
                call: another(&call)?,
            },
            Intent::Reject { call } => Intent::Reject {
                call: another(&call)?,
            },
            Intent::HangUp { call } => Intent::HangUp {
                call: another(&call)?,
            },
            Intent::Retry { call } => Intent::Retry {
                call: another(&call)?,
            },
            _ => return None,
        })
    }

    fn another_group(&self, group: &str) -> Option<String> {
        let registry = self.registry();
        registry.groups.keys().find(|g| *g != group).cloned()
    }

    /// Delivers a candidate of a call that is over to the newest call with the same user, if this client makes that mistake.
    pub(super) fn misdeliver(&self, from: &str, message: &Message) {
        if self.makes(Mistake::CandidatesByUser) && matches!(message, Message::Candidate { .. }) {
            let handle = self.registry().handle_with(from);
            if let Some(handle) = handle {
                handle.ask(Work::Message(message.clone()));
            }
        }
    }

    /// Returns a client that is neither our user's nor one of `named`.
    fn somebody_but(&self, named: &[String]) -> Option<String> {
        let mut names = self.plan.topology.hosts.iter().map(|h| &h.name);
        names
            .find(|name| *name != self.host.name() && self.plan.is_client(name) && !named.contains(name))
            .cloned()
    }
}

/// The mistake: a call that the other end has ended goes on for a while.
pub(super) fn ring_on(phone: &Arc<Phone>, handle: CallHandle, ending: Ending) {
    let sim = phone.host.sim().clone();
    phone.host.spawn("rings on", async move {
        sim.sleep(LATE).await;
        handle.end(ending);
    });
}

/// The mistake: a callback goes on by itself, and after the end of the call it does what the call would have done.
pub(super) fn go_on(phone: &Arc<Phone>, handle: &CallHandle, number: u32, candidate: Option<Candidate>) {
    let (host, phone, handle) = (phone.host.clone(), phone.clone(), handle.clone());
    host.spawn("callback", async move {
        phone.pause("callback").await;
        match candidate {
            Some(candidate) if handle.is_ended() => {
                let message = Message::Candidate {
                    call: handle.call.clone(),
                    ufrag: candidate.ufrag,
                    candidate: candidate.attribute,
                };
                drop(phone.outbox.post(&handle.other, message));
            }
            candidate => handle.ask(Work::Gathered(number, candidate)),
        }
    });
}

/// The mistake: ends the call at the state of the ICE transport that has the number of the peer connection's `closed`. That is its
/// `failed`.
pub(super) async fn end_by_number(handle: &CallHandle, attempt: &Attempt) {
    const CLOSED: u8 = 6;
    let mut ice = attempt.peer.ice_state();
    if ice.wait_for(|s| ice_number(s) == CLOSED).await.is_ok() {
        handle.end(Ending::Theirs(How::Hangup));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failed_has_the_number_that_the_peer_connection_gives_to_closed() {
        assert_eq!((ice_number("failed"), ice_number("closed")), (6, 7));
        assert_eq!(ice_number("unheard of"), 0);
    }
}
