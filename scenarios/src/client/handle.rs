//! The handle of a call for the rest of the app, and the mailbox that the owner of the call reads.
//!
//! A handle never does anything to the call itself.

use std::sync::Arc;

use sleet::{signaling::message::Message, trace::Candidate};
use tokio::sync::{mpsc, watch};

use super::ending::{Ending, Progress, Side};

/// A request to a call: each is one step.
pub(super) enum Work {
    /// The user has dialed.
    Dial,
    /// The user accepts.
    PickUp,
    /// The user gives up on the attempt under way.
    Retry,
    /// A message of the call arrived.
    Message(Message),
    /// The stack gathered a candidate for the peer of an attempt; `None` ends them.
    Gathered(u32, Option<Candidate>),
    /// There is news of the peer of an attempt.
    Learn(u32, News),
}

/// The news of an attempt for its call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum News {
    /// A message has gone both ways.
    Connected,
    /// The attempt makes no progress.
    Stuck(&'static str),
    /// The attempt was connected, and ICE can be restarted.
    Broken(&'static str),
}

/// A live call, from outside. Cheap to clone.
#[derive(Clone)]
pub(super) struct CallHandle {
    pub call: String,
    pub other: String,
    pub side: Side,
    work: mpsc::UnboundedSender<Work>,
    ending: Arc<watch::Sender<Option<Ending>>>,
    progress: Arc<watch::Sender<Progress>>,
    gone: watch::Receiver<()>,
}

/// The owner's side of a handle.
pub(super) struct Mailbox {
    pub work: mpsc::UnboundedReceiver<Work>,
    /// Dropped when nothing of the call is left.
    pub gone: watch::Sender<()>,
}

impl CallHandle {
    pub fn new(call: &str, other: &str, side: Side) -> (Self, Mailbox) {
        let (work, todo) = mpsc::unbounded_channel();
        let (gone, until_gone) = watch::channel(());
        let handle = Self {
            call: call.to_owned(),
            other: other.to_owned(),
            side,
            work,
            ending: Arc::new(watch::Sender::new(None)),
            progress: Arc::new(watch::Sender::new(Progress::Begun)),
            gone: until_gone,
        };
        let mailbox = Mailbox { work: todo, gone };
        (handle, mailbox)
    }

    /// Asks the owner for a step.
    pub fn ask(&self, work: Work) {
        // An error means that the owner has ended: there is nothing left to do.
        let _ = self.work.send(work);
    }

    /// Ends the call with all its steps. The first ending counts.
    pub fn end(&self, ending: Ending) {
        self.ending.send_if_modified(|now| {
            let first = now.is_none();
            now.get_or_insert(ending);
            first
        });
    }

    /// Returns the ending of the call, if it has been ended.
    pub fn ending(&self) -> Option<Ending> {
        self.ending.borrow().clone()
    }

    /// Reports whether the call has been ended.
    pub fn is_ended(&self) -> bool {
        self.ending.borrow().is_some()
    }

    /// Waits until the call has been ended.
    pub async fn ended(&self) {
        let mut ending = self.ending.subscribe();
        // The handle holds the sender.
        drop(ending.wait_for(Option::is_some).await);
    }

    /// Reports whether nothing of the call is left.
    pub fn is_gone(&self) -> bool {
        // The call's own task holds the sender.
        self.gone.has_changed().is_err()
    }

    /// Waits until nothing of the call is left.
    pub async fn gone(&self) {
        let mut gone = self.gone.clone();
        while gone.changed().await.is_ok() {}
    }

    /// Returns the progress of the call.
    pub fn progress(&self) -> Progress {
        *self.progress.borrow()
    }

    /// Advances the call to `progress`, if it was not further already.
    pub fn reach(&self, progress: Progress) {
        self.progress.send_if_modified(|now| {
            let further = *now < progress;
            *now = progress.max(*now);
            further
        });
    }

    /// Waits until the call has reached `progress`, or nothing of it is left.
    pub async fn reached(&self, progress: Progress) {
        let mut now = self.progress.subscribe();
        tokio::select! {
            biased;
            _ = now.wait_for(|now| *now >= progress) => {}
            () = self.gone() => {}
        }
    }

    /// Reports whether the call may ring at the other end: it is neither accepted there nor ended.
    pub fn rings_there(&self) -> bool {
        self.side == Side::Caller && self.progress() == Progress::Begun && !self.is_ended()
    }

    /// Reports whether the phone rings for the call.
    pub fn rings(&self) -> bool {
        self.side == Side::Callee && self.progress() == Progress::Begun && !self.is_ended()
    }
}

#[cfg(test)]
mod tests {
    use super::{super::ending::How, *};

    #[test]
    fn the_first_ending_counts() {
        let (handle, _mailbox) = CallHandle::new("c1", "bob", Side::Caller);
        handle.end(Ending::Theirs(How::Busy));
        handle.end(Ending::Ours(How::Hangup));
        assert_eq!(handle.ending(), Some(Ending::Theirs(How::Busy)));
    }

    #[test]
    fn a_call_does_not_go_back() {
        let (handle, _mailbox) = CallHandle::new("c1", "bob", Side::Callee);
        assert!(handle.rings());
        handle.reach(Progress::Connected);
        handle.reach(Progress::Answered);
        assert_eq!(handle.progress(), Progress::Connected);
        assert!(!handle.rings());
    }
}
