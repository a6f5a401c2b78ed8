//! How the rest of the app reaches the owner of a call, and how a call ends.
//!
//! A line never does anything to the call itself: it asks the owner, who alone touches it.

use std::sync::{Arc, Mutex};

use sleet::{
    signaling::message::Message,
    trace::{Candidate, Outcome, Point},
};
use tokio::sync::{mpsc, watch};

/// Which end of a call this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Caller,
    Callee,
}

/// How far a call has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    Begun,
    Answered,
    Connected,
}

/// How somebody ends a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum How {
    Hangup,
    Reject,
    Busy,
    /// The named call goes on instead.
    Glare(String),
}

/// Who ends a call, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    Ours(How),
    Theirs(How),
}

impl Ending {
    /// What came of a call that ends so at the end `side`, as far as it had come there.
    pub fn outcome(&self, side: Side, stage: Stage) -> Outcome {
        let (Self::Ours(how) | Self::Theirs(how)) = self;
        match (how, stage) {
            (How::Glare(_), _) => Outcome::Glare,
            (How::Busy, _) => Outcome::Busy,
            (_, Stage::Connected) => Outcome::Talked,
            (_, Stage::Answered) => Outcome::Dropped,
            (_, Stage::Begun) => {
                if matches!(self, Self::Ours(_)) == (side == Side::Caller) {
                    Outcome::Cancelled
                } else {
                    Outcome::Rejected
                }
            }
        }
    }

    /// What the other end has to be told, if it does not know.
    pub fn message(&self, call: &str) -> Option<Message> {
        let call = call.to_owned();
        Some(match self {
            Self::Theirs(_) => return None,
            Self::Ours(How::Hangup) => Message::Hangup { call },
            Self::Ours(How::Reject) => Message::Reject { call },
            Self::Ours(How::Busy) => Message::Busy { call },
            Self::Ours(How::Glare(instead)) => Message::Glare {
                call,
                instead: instead.clone(),
            },
        })
    }

    /// The ending that `message` means, if it means one.
    pub fn told(message: &Message) -> Option<Self> {
        Some(Self::Theirs(match message {
            Message::Hangup { .. } => How::Hangup,
            Message::Reject { .. } => How::Reject,
            Message::Busy { .. } => How::Busy,
            Message::Glare { instead, .. } => How::Glare(instead.clone()),
            _ => return None,
        }))
    }
}

/// What the owner of a call is asked to do.
pub(super) enum Work {
    /// The user has dialed.
    Dial,
    /// The user picks up.
    PickUp,
    /// A message of the call came.
    Handle(Message),
    /// The stack gathered a candidate for an attempt; `None` ends them.
    Gathered(u32, Option<Candidate>),
}

/// The owner of a live call, from outside. Cheap to clone.
#[derive(Clone)]
pub(super) struct Line {
    pub call: String,
    pub other: String,
    pub side: Side,
    work: mpsc::UnboundedSender<Work>,
    ending: Arc<watch::Sender<Option<Ending>>>,
    stage: Arc<watch::Sender<Stage>>,
    at: Arc<Mutex<Option<Point>>>,
    gone: watch::Receiver<()>,
}

/// The owner's ends of a line.
pub(super) struct Desk {
    pub work: mpsc::UnboundedReceiver<Work>,
    pub ending: watch::Receiver<Option<Ending>>,
    /// Dropped when everything of the call is over.
    pub gone: watch::Sender<()>,
}

impl Line {
    pub fn new(call: &str, other: &str, side: Side) -> (Self, Desk) {
        let (work, todo) = mpsc::unbounded_channel();
        let (gone, until_gone) = watch::channel(());
        let line = Self {
            call: call.to_owned(),
            other: other.to_owned(),
            side,
            work,
            ending: Arc::new(watch::Sender::new(None)),
            stage: Arc::new(watch::Sender::new(Stage::Begun)),
            at: Arc::default(),
            gone: until_gone,
        };
        let desk = Desk {
            work: todo,
            ending: line.ending.subscribe(),
            gone,
        };
        (line, desk)
    }

    /// Asks the owner to do something, after what it was asked before.
    pub fn ask(&self, work: Work) {
        // An owner that has gone has nothing to do any more.
        let _ = self.work.send(work);
    }

    /// Ends the call: whatever its owner is doing ends. The first ending counts.
    pub fn end(&self, ending: Ending) {
        self.ending.send_if_modified(|now| {
            let first = now.is_none();
            now.get_or_insert(ending);
            first
        });
    }

    /// Whether the call has been ended.
    pub fn is_ended(&self) -> bool {
        self.ending.borrow().is_some()
    }

    /// Waits until nothing of the call is left.
    pub async fn gone(&self) {
        let mut gone = self.gone.clone();
        while gone.changed().await.is_ok() {}
    }

    /// How far the call has come.
    pub fn stage(&self) -> Stage {
        *self.stage.borrow()
    }

    /// The call has come as far as `stage`, if it was not further already.
    pub fn reach_stage(&self, stage: Stage) {
        self.stage.send_modify(|now| *now = stage.max(*now));
    }

    /// Waits until the call is answered, or nothing of it is left.
    pub async fn answered(&self) {
        let mut stage = self.stage.subscribe();
        tokio::select! {
            biased;
            _ = stage.wait_for(|stage| *stage >= Stage::Answered) => {}
            () = self.gone() => {}
        }
    }

    /// The point that the call came to last.
    pub fn at(&self) -> Option<Point> {
        *self.at.lock().expect("no panic while it is held")
    }

    /// The call has come to `point`.
    pub fn note(&self, point: Point) {
        *self.at.lock().expect("no panic while it is held") = Some(point);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_of_a_call_give_its_ending_the_same_name() {
        let ours = [
            (How::Hangup, Stage::Begun, Side::Caller, Outcome::Cancelled),
            (How::Hangup, Stage::Begun, Side::Callee, Outcome::Rejected),
            (How::Reject, Stage::Begun, Side::Callee, Outcome::Rejected),
            (How::Busy, Stage::Begun, Side::Callee, Outcome::Busy),
            (How::Hangup, Stage::Answered, Side::Caller, Outcome::Dropped),
            (How::Hangup, Stage::Connected, Side::Callee, Outcome::Talked),
            (
                How::Glare("c2".into()),
                Stage::Begun,
                Side::Caller,
                Outcome::Glare,
            ),
        ];
        for (how, stage, side, outcome) in ours {
            let there = match side {
                Side::Caller => Side::Callee,
                Side::Callee => Side::Caller,
            };
            let message = Ending::Ours(how.clone()).message("c1").expect("to be told");
            let theirs = Ending::told(&message).expect("an ending");
            assert_eq!(Ending::Ours(how).outcome(side, stage), outcome);
            assert_eq!(theirs.outcome(there, stage), outcome, "{theirs:?}");
            assert_eq!(theirs.message("c1"), None, "who ended it knows");
        }
    }

    #[test]
    fn the_first_ending_counts() {
        let (line, desk) = Line::new("c1", "bob", Side::Caller);
        line.end(Ending::Theirs(How::Busy));
        line.end(Ending::Ours(How::Hangup));
        assert_eq!(*desk.ending.borrow(), Some(Ending::Theirs(How::Busy)));
    }
}
