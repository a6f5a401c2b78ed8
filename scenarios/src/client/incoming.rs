//! Incoming messages: for live calls, for calls that are over, and for new calls.
//!
//! Nothing here waits: an action that takes time is a step of a call.

use std::sync::Arc;

use sleet::{
    signaling::message::Message,
    trace::{CallOutcome, Candidate},
};

use super::{
    ending::{Ending, How, Side},
    handle::Work,
    mistake::Mistake,
    phone::Phone,
    registry::Admission,
    wrongly,
};

impl Phone {
    /// Handles a message from `from`, over signaling or with a push notification.
    pub(super) fn handle(self: &Arc<Self>, from: &str, message: Message) {
        let Some(call) = message.call().map(str::to_owned) else {
            return;
        };
        if let Some(ending) = Ending::told(&message) {
            return self.ended(&call, ending);
        }
        if self.makes(Mistake::AnswersTheDead) && matches!(message, Message::Offer { .. }) {
            self.registry().remember_offer(&call, message.clone());
        }
        let (handle, is_over) = {
            let registry = self.registry();
            (registry.handle(&call), registry.is_over(&call))
        };
        match (handle, message) {
            (Some(handle), message) => handle.ask(Work::Message(message)),
            (None, message) if is_over => self.too_late(&call, from, message),
            (None, message @ (Message::Ring { .. } | Message::Offer { .. })) => {
                self.comes_in(&call, from, message);
            }
            (None, message) => self.unheard_of(&call, from, message),
        }
    }

    /// Handles the end of a call by the other end, even before the call itself arrives.
    fn ended(self: &Arc<Self>, call: &str, ending: Ending) {
        if let Ending::Theirs(How::Glare(instead)) = &ending {
            if !self.makes(Mistake::RingsAfterGlare) {
                self.registry().welcome(instead);
            }
            let theirs = self.registry().handle(instead);
            if let Some(handle) = theirs {
                handle.ask(Work::PickUp);
            }
        }
        let handle = self.registry().handle(call);
        match handle {
            Some(_) if ending == Ending::Theirs(How::Elsewhere) && self.makes(Mistake::ElsewhereIgnored) => {}
            Some(handle) if self.makes(Mistake::RingsOn) => wrongly::ring_on(self, handle, ending),
            Some(handle) => {
                self.ended_on(&handle, &ending);
                handle.end(ending);
            }
            None if self.makes(Mistake::EarlyHangupForgotten) => {}
            None => self.registry().close(call, ending),
        }
    }

    /// Handles a message for a call that is over here: a sender that does not know that is told.
    fn too_late(self: &Arc<Self>, call: &str, from: &str, message: Message) {
        self.misdeliver(from, &message);
        match message {
            Message::Ringing { .. } if self.makes(Mistake::PeerOnResponse) => {
                self.open(call, from, Side::Caller, false)
                    .ask(Work::Message(message));
            }
            Message::Offer { .. }
            | Message::Answer { .. }
            | Message::Ringing { .. }
            | Message::TryAgain { .. } => {
                // The same message as the first time: this one may overtake it.
                let said = self.said(call);
                self.tell_end(call, from, said.unwrap_or_else(|| hangup(call)));
            }
            // A device that was not reached when it was told rings on, with nothing else to send.
            Message::Joined { .. } => {
                if let Some(said) = self.said(call) {
                    self.tell_end(call, from, said);
                }
            }
            _ => {}
        }
    }

    /// Returns the message that our side sent when it ended `call`, if it did.
    fn said(&self, call: &str) -> Option<Message> {
        self.registry().ending(call).and_then(|e| e.message(call))
    }

    /// Handles a message for an unknown call.
    fn unheard_of(&self, call: &str, from: &str, message: Message) {
        match message {
            // Only a callee sends these. We dialed, in a life that a crash has ended: nothing is left of that call.
            Message::Answer { .. } | Message::Ringing { .. } | Message::TryAgain { .. } => {
                self.tell_end(call, from, hangup(call));
            }
            // The candidate has overtaken its call.
            Message::Candidate { ufrag, candidate, .. } => {
                let attribute = candidate;
                self.registry().keep(call, Candidate { attribute, ufrag });
            }
            _ => {}
        }
    }

    /// Handles a new call.
    fn comes_in(self: &Arc<Self>, call: &str, from: &str, message: Message) {
        let without_cause = self.make.mistake.and_then(|m| m.verdict_without_cause(call));
        let verdict = without_cause.unwrap_or_else(|| self.registry().judge(call, from));
        match verdict {
            Admission::Take => self.take(call, from, false, message),
            Admission::TakeAfter(before) => {
                self.end(&before, How::Hangup);
                self.take(call, from, false, message);
            }
            Admission::TakeInsteadOf(ours) => {
                self.end(&ours, How::Glare(call.to_owned()));
                self.take(call, from, true, message);
            }
            Admission::YieldTo(ours) => self.refuse(call, from, How::Glare(ours), CallOutcome::Glare),
            Admission::Busy => self.refuse(call, from, How::Busy, CallOutcome::Busy),
        }
    }

    fn take(self: &Arc<Self>, call: &str, from: &str, welcome: bool, message: Message) {
        let welcome = welcome || self.registry().is_welcome(call);
        let handle = self.open(call, from, Side::Callee, welcome);
        if !welcome {
            self.screen.rings(call, from);
        }
        handle.ask(Work::Message(message));
    }

    fn refuse(&self, call: &str, from: &str, how: How, outcome: CallOutcome) {
        let ending = Ending::Ours(how);
        if let Some(message) = ending.message(call) {
            self.tell_end(call, from, message);
        }
        self.registry().close(call, ending);
        self.screen.over(call, outcome);
    }

    fn end(&self, call: &str, how: How) {
        let handle = self.registry().handle(call);
        if let Some(handle) = handle {
            handle.end(Ending::Ours(how));
        }
    }

    /// Tells the client `to` that a call is over.
    pub(super) fn tell_end(&self, call: &str, to: &str, message: Message) {
        drop(self.outbox.post(to, message));
        if self.makes(Mistake::HangupCleared) {
            self.outbox.clear(call);
        }
    }
}

fn hangup(call: &str) -> Message {
    let call = call.to_owned();
    Message::Hangup { call }
}
