//! What a client remembers of a call: its current attempt and the candidates that wait.
//!
//! Pure bookkeeping: nothing here sends or awaits.

use std::sync::Arc;

use sleet::trace::Candidate;

use super::{attempt::Attempt, policy::Receive};

/// What to do with a candidate that was received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Arrival {
    /// Give it to the peer, whatever the peer says.
    Add,
    /// It was kept.
    Kept,
    /// It belongs to a generation that is over.
    Stale,
}

/// A call, from the first message about it on.
#[derive(Default)]
pub(super) struct Slot {
    /// The attempt that is under way.
    pub attempt: Option<Arc<Attempt>>,
    /// The number of the newest attempt that is known of.
    newest: u32,
    /// The generation of the remote description that is set.
    remote: Option<String>,
    /// Generations that are over.
    past: Vec<String>,
    /// Candidates that wait for their description.
    waiting: Vec<Candidate>,
}

impl Slot {
    /// Counts another attempt of our own.
    pub fn next_attempt(&mut self) -> u32 {
        self.newest += 1;
        self.newest
    }

    /// The other side begins the attempt `number`: says whether that is news.
    pub fn announce_attempt(&mut self, number: u32) -> bool {
        let news = number > self.newest;
        self.newest = self.newest.max(number);
        news
    }

    /// Whether there is no attempt after `number`.
    pub fn is_newest(&self, number: u32) -> bool {
        self.newest == number
    }

    /// An attempt begins: the generation of the one before is over, which is returned.
    pub fn begin(&mut self, attempt: Arc<Attempt>) -> Option<Arc<Attempt>> {
        self.restart();
        self.attempt.replace(attempt)
    }

    /// The attempt goes on with another generation: the one before is over.
    pub fn restart(&mut self) {
        self.past.extend(self.remote.take());
    }

    /// A candidate arrived.
    pub fn receive(&mut self, policy: Receive, candidate: &Candidate) -> Arrival {
        let described = match policy {
            Receive::AddAtOnce | Receive::Buffer if self.past.contains(&candidate.ufrag) => {
                return Arrival::Stale;
            }
            // A life before a crash may have left candidates behind that this one knows nothing of.
            Receive::AddAtOnce if self.remote.as_ref().is_some_and(|r| *r != candidate.ufrag) => {
                return Arrival::Stale;
            }
            Receive::AddAtOnce => return Arrival::Add,
            Receive::Buffer => self.remote.as_ref() == Some(&candidate.ufrag),
            Receive::BufferAnyGeneration => self.remote.is_some(),
        };
        if described {
            return Arrival::Add;
        }
        self.waiting.push(candidate.clone());
        Arrival::Kept
    }

    /// The remote description of `ufrag` is set: returns the candidates that waited for it.
    pub fn describe(&mut self, policy: Receive, ufrag: &str) -> Vec<Candidate> {
        self.remote = Some(ufrag.to_owned());
        let (ready, waiting) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition(|c| policy == Receive::BufferAnyGeneration || c.ufrag == ufrag);
        self.waiting = waiting;
        ready
    }

    /// The generation of the remote description that is set.
    pub fn remote(&self) -> &str {
        self.remote.as_deref().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(ufrag: &str) -> Candidate {
        Candidate {
            attribute: format!("1 1 udp 1 10.0.0.1 5000 typ host of {ufrag}"),
            ufrag: ufrag.into(),
        }
    }

    #[test]
    fn buffered_candidates_wait_for_the_description_of_their_generation() {
        let mut slot = Slot::default();
        let (old, new) = (candidate("old"), candidate("new"));
        assert_eq!(slot.receive(Receive::Buffer, &new), Arrival::Kept);
        assert_eq!(slot.describe(Receive::Buffer, "old"), []);
        assert_eq!(slot.receive(Receive::Buffer, &old), Arrival::Add);
        assert_eq!(slot.describe(Receive::Buffer, "new"), [new]);
    }

    #[test]
    fn an_attempt_that_comes_after_a_newer_one_is_no_news() {
        let mut slot = Slot::default();
        assert!(slot.announce_attempt(2));
        assert!(!slot.announce_attempt(1));
        assert!(!slot.announce_attempt(2));
        assert!(slot.is_newest(2));
    }

    #[test]
    fn the_mistake_gives_any_generation_to_the_peer() {
        let mut slot = Slot::default();
        let old = candidate("old");
        assert_eq!(slot.receive(Receive::BufferAnyGeneration, &old), Arrival::Kept);
        assert_eq!(
            slot.describe(Receive::BufferAnyGeneration, "new"),
            std::slice::from_ref(&old)
        );
        assert_eq!(slot.receive(Receive::BufferAnyGeneration, &old), Arrival::Add);
    }
}
