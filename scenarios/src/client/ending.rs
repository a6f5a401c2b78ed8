//! The ending of a call, the message about it to the other end, and the outcome.
//!
//! Pure: other modules decide who ends a call, and when.

use sleet::{signaling::message::Message, trace::CallOutcome};

/// The end of a call that this client is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Caller,
    Callee,
}

/// The progress of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Progress {
    Begun,
    Answered,
    Connected,
}

/// The way in which a call is ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum How {
    Hangup,
    Reject,
    Busy,
    /// The named call goes on instead.
    Glare(String),
    /// Another device of the callee has accepted or rejected the call.
    Elsewhere,
    /// The other end was silent for longer than the app tolerates.
    GaveUp,
}

/// The end that ends a call, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    Ours(How),
    Theirs(How),
}

impl Ending {
    /// Returns the outcome of a call with this ending at the end `side`, by its progress there.
    pub fn outcome(&self, side: Side, progress: Progress) -> CallOutcome {
        let (Self::Ours(how) | Self::Theirs(how)) = self;
        match (how, progress) {
            (How::Glare(_), _) => CallOutcome::Glare,
            (How::Busy, _) => CallOutcome::Busy,
            (How::Elsewhere, _) => CallOutcome::Elsewhere,
            (How::GaveUp, _) => CallOutcome::Failed,
            (How::Hangup | How::Reject, Progress::Connected) => CallOutcome::Talked,
            (How::Hangup | How::Reject, Progress::Answered) => CallOutcome::Dropped,
            (How::Hangup | How::Reject, Progress::Begun) => {
                if matches!(self, Self::Ours(_)) == (side == Side::Caller) {
                    CallOutcome::Cancelled
                } else {
                    CallOutcome::Rejected
                }
            }
        }
    }

    /// Returns the message to the other end, if it does not know.
    pub fn message(&self, call: &str) -> Option<Message> {
        let call = call.to_owned();
        Some(match self {
            Self::Theirs(_) => return None,
            Self::Ours(How::Hangup | How::GaveUp) => Message::Hangup { call },
            Self::Ours(How::Elsewhere) => Message::Elsewhere { call },
            Self::Ours(How::Reject) => Message::Reject { call },
            Self::Ours(How::Busy) => Message::Busy { call },
            Self::Ours(How::Glare(instead)) => Message::Glare {
                call,
                instead: instead.clone(),
            },
        })
    }

    /// Reports whether this ending is the callee's rejection of a ringing call, for this device and all others.
    pub fn refuses(&self) -> bool {
        matches!(self, Self::Theirs(How::Reject | How::Hangup))
    }

    /// Returns the ending that `message` means, if it means one.
    pub fn told(message: &Message) -> Option<Self> {
        Some(Self::Theirs(match message {
            Message::Hangup { .. } => How::Hangup,
            Message::Reject { .. } => How::Reject,
            Message::Busy { .. } => How::Busy,
            Message::Elsewhere { .. } => How::Elsewhere,
            Message::Glare { instead, .. } => How::Glare(instead.clone()),
            _ => return None,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_of_a_call_give_its_ending_the_same_name() {
        let glare = How::Glare("c2".into());
        let ours = [
            (How::Hangup, Progress::Begun, Side::Caller, CallOutcome::Cancelled),
            (How::Hangup, Progress::Begun, Side::Callee, CallOutcome::Rejected),
            (How::Reject, Progress::Begun, Side::Callee, CallOutcome::Rejected),
            (How::Busy, Progress::Begun, Side::Callee, CallOutcome::Busy),
            (
                How::Hangup,
                Progress::Answered,
                Side::Caller,
                CallOutcome::Dropped,
            ),
            (
                How::Hangup,
                Progress::Connected,
                Side::Callee,
                CallOutcome::Talked,
            ),
            (glare, Progress::Begun, Side::Caller, CallOutcome::Glare),
            (
                How::Elsewhere,
                Progress::Begun,
                Side::Caller,
                CallOutcome::Elsewhere,
            ),
            (
                How::Elsewhere,
                Progress::Answered,
                Side::Caller,
                CallOutcome::Elsewhere,
            ),
        ];
        for (how, progress, side, outcome) in ours {
            let there = match side {
                Side::Caller => Side::Callee,
                Side::Callee => Side::Caller,
            };
            let message = Ending::Ours(how.clone()).message("c1").expect("to be told");
            let theirs = Ending::told(&message).expect("an ending");
            assert_eq!(Ending::Ours(how).outcome(side, progress), outcome);
            assert_eq!(theirs.outcome(there, progress), outcome, "{theirs:?}");
            assert_eq!(theirs.message("c1"), None, "who ended it knows");
        }
    }

    #[test]
    fn who_gives_up_says_that_the_call_failed_and_hangs_up() {
        let gave_up = Ending::Ours(How::GaveUp);
        for progress in [Progress::Begun, Progress::Answered, Progress::Connected] {
            assert_eq!(gave_up.outcome(Side::Caller, progress), CallOutcome::Failed);
        }
        let call = "c1".to_owned();
        assert_eq!(gave_up.message("c1"), Some(Message::Hangup { call }));
    }
}
