//! What signaling brings: for calls that live, for calls that are over, and calls that come in.
//!
//! Nothing here waits: whatever takes time is the owner's.

use std::{sync::Arc, time::Duration};

use sleet::{
    fault::{Act, When},
    signaling::message::Message,
    trace::{CallEvent, Outcome},
};

use super::{
    Mistake, Phone,
    book::Verdict,
    line::{Ending, How, Line, Side, Work},
};

impl Phone {
    /// A message came from `from`, over signaling or with a push notification.
    pub(super) fn handle(self: &Arc<Self>, from: &str, message: Message) {
        let Some(call) = message.call().map(str::to_owned) else {
            return;
        };
        if let Some(ending) = Ending::told(&message) {
            return self.ended(&call, ending);
        }
        let line = self.book().line(&call);
        match line {
            Some(line) => line.ask(Work::Handle(message)),
            None if self.book().is_over(&call) => self.too_late(&call, from, message),
            None if matches!(message, Message::Ring { .. } | Message::Offer { .. }) => {
                self.comes_in(&call, from, message);
            }
            // The other end sends nothing else until it knows that we have its offer.
            None => {}
        }
    }

    /// The other end has ended a call, which may be still to come.
    fn ended(self: &Arc<Self>, call: &str, ending: Ending) {
        if let Ending::Theirs(How::Glare(instead)) = &ending {
            self.book().welcome(instead);
            if let Some(line) = self.book().line(instead) {
                line.ask(Work::PickUp);
            }
        }
        let line = self.book().line(call);
        match line {
            Some(line) => line.end(ending),
            None if self.makes(Mistake::EarlyHangupForgotten) => {}
            None => self.book().close(call, ending),
        }
    }

    /// A message came for a call that is over here: whoever does not know that is told.
    fn too_late(self: &Arc<Self>, call: &str, from: &str, message: Message) {
        match message {
            Message::Ringing { .. } if self.makes(Mistake::PeerOnResponse) => {
                self.open(call, from, Side::Caller, false)
                    .ask(Work::Handle(message));
            }
            Message::Candidate { .. } if self.makes(Mistake::CandidatesByUser) => {
                if let Some(line) = self.book().line_with(from) {
                    line.ask(Work::Handle(message));
                }
            }
            Message::Offer { .. } | Message::Answer { .. } | Message::Ringing { .. } => {
                self.host.sim().mark("told-that-the-call-is-over");
                // In the words of the first time: this may overtake them.
                let said = self.book().ending(call).and_then(|e| e.message(call));
                let hangup = Message::Hangup {
                    call: call.to_owned(),
                };
                self.tell(from, said.unwrap_or(hangup), None);
            }
            _ => {}
        }
    }

    /// A call comes in.
    fn comes_in(self: &Arc<Self>, call: &str, from: &str, message: Message) {
        let sim = self.host.sim();
        let verdict = self.book().judge(call, from);
        match verdict {
            Verdict::Take => self.take(call, from, false, message),
            Verdict::TakeAfter(before) => {
                sim.mark("dialed-again");
                self.end(&before, Ending::Ours(How::Hangup));
                self.take(call, from, false, message);
            }
            Verdict::TakeInsteadOf(ours) => {
                sim.mark("glare");
                self.end(&ours, Ending::Ours(How::Glare(call.to_owned())));
                self.take(call, from, true, message);
            }
            Verdict::YieldTo(ours) => {
                sim.mark("glare");
                self.refuse(call, from, How::Glare(ours));
            }
            Verdict::Busy => {
                sim.mark("told-busy");
                self.refuse(call, from, How::Busy);
            }
        }
    }

    fn take(self: &Arc<Self>, call: &str, from: &str, welcome: bool, message: Message) {
        let welcome = welcome || self.book().is_welcome(call);
        let line = self.open(call, from, Side::Callee, welcome);
        if !welcome {
            self.record(
                call,
                CallEvent::Rings {
                    from: from.to_owned(),
                },
            );
            self.let_the_user_answer(&line, from, &message);
        }
        line.ask(Work::Handle(message));
    }

    fn refuse(self: &Arc<Self>, call: &str, from: &str, how: How) {
        let ending = Ending::Ours(how);
        self.book().close(call, ending.clone());
        if let Some(message) = ending.message(call) {
            self.tell(from, message, None);
        }
        let outcome = match ending {
            Ending::Ours(How::Glare(_)) => Outcome::Glare,
            _ => Outcome::Busy,
        };
        self.over(call, outcome);
    }

    fn end(&self, call: &str, ending: Ending) {
        if let Some(line) = self.book().line(call) {
            line.end(ending);
        }
    }

    /// The user picks up as long after the phone began to ring as the script says.
    fn let_the_user_answer(self: &Arc<Self>, line: &Line, from: &str, message: &Message) {
        let after = self.plan.script.iter().find_map(|s| match (&s.act, s.when) {
            (Act::Answer, When::Rung { ms }) if s.host == self.host.name() => Some(ms),
            _ => None,
        });
        let Some(ms) = after else { return };
        let (phone, from, message) = (self.clone(), from.to_owned(), message.clone());
        let (line, sim) = (line.clone(), self.host.sim().clone());
        self.host.spawn("user", async move {
            sim.sleep(Duration::from_millis(ms)).await;
            if !phone.book().is_over(&line.call) {
                line.ask(Work::PickUp);
            } else if phone.makes(Mistake::AnswersTheDead) {
                let line = phone.open(&line.call, &from, Side::Callee, true);
                line.ask(Work::Handle(message));
            }
        });
    }
}
