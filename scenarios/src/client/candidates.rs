//! Candidates that wait: remote ones until the description of their generation is set, local ones until the other end
//! has our description.
//!
//! Pure bookkeeping: nothing here sends, and nothing but [`LocalCandidates::has_joined`] waits.

use std::{
    collections::BTreeSet,
    sync::{Mutex, MutexGuard},
};

use sleet::trace::Candidate;
use tokio::sync::watch;

use super::policy::ReceivePolicy;

/// What to do with a received candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arrival {
    /// Pass it to the peer, whatever the peer says.
    Add,
    /// Nothing: it was kept.
    Kept,
    /// Nothing: it belongs to a past generation.
    Stale,
    /// Nothing: it arrived before.
    Again,
}

/// The remote candidates of one call.
#[derive(Default)]
pub(super) struct RemoteCandidates {
    /// The generation of the remote description that is set.
    generation: Option<String>,
    /// Past generations.
    past: Vec<String>,
    /// Candidates that wait for their description.
    waiting: Vec<Candidate>,
    /// Every candidate that arrived, by generation and attribute: signaling may deliver one twice.
    known: BTreeSet<(String, String)>,
}

impl RemoteCandidates {
    /// Begins another generation: the previous one is over.
    pub fn restart(&mut self) {
        self.past.extend(self.generation.take());
    }

    /// Returns the generation of the remote description that is set.
    pub fn generation(&self) -> Option<&str> {
        self.generation.as_deref()
    }

    /// Handles a candidate that arrived.
    pub fn receive(&mut self, policy: ReceivePolicy, candidate: &Candidate) -> Arrival {
        let is_past = self.past.contains(&candidate.ufrag);
        let described = match (policy, &self.generation) {
            (ReceivePolicy::AddAtOnce | ReceivePolicy::Buffer, _) if is_past => return Arrival::Stale,
            // A life before a crash may have left candidates behind that this one does not know.
            (ReceivePolicy::AddAtOnce, Some(set)) if *set != candidate.ufrag => return Arrival::Stale,
            (ReceivePolicy::AddAtOnce, _) => return Arrival::Add,
            (ReceivePolicy::Buffer, set) => set.as_ref() == Some(&candidate.ufrag),
            (ReceivePolicy::BufferAnyGeneration, set) => set.is_some(),
        };
        let name = (candidate.ufrag.clone(), candidate.attribute.clone());
        if !self.known.insert(name) && policy == ReceivePolicy::Buffer {
            return Arrival::Again;
        }
        if described {
            return Arrival::Add;
        }
        self.waiting.push(candidate.clone());
        Arrival::Kept
    }

    /// Records that the description of the generation `ufrag` is set; returns the candidates that waited for it.
    pub fn describe(&mut self, policy: ReceivePolicy, ufrag: &str) -> Vec<Candidate> {
        self.generation = Some(ufrag.to_owned());
        let (ready, waiting) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition(|c| policy == ReceivePolicy::BufferAnyGeneration || c.ufrag == ufrag);
        self.waiting = waiting;
        ready
    }
}

/// The local candidates of one attempt. The callback of its peer shares them.
pub(super) struct LocalCandidates {
    state: Mutex<Local>,
    joined: watch::Sender<bool>,
}

#[derive(Default)]
struct Local {
    /// The generation of the local description.
    generation: String,
    open: bool,
    /// Candidates that wait until the other end has our description; `None` is the end of candidates.
    waiting: Vec<Option<Candidate>>,
    /// Candidates that the stack has reported and that are not sent yet.
    unsent: Vec<Candidate>,
    /// The generation whose end waits until the last of its candidates is sent.
    ends: Option<String>,
}

impl Local {
    /// Reports whether every candidate of the generation `ufrag` that was reported is sent.
    fn is_sent(&self, ufrag: &str) -> bool {
        self.unsent.iter().all(|c| c.ufrag != ufrag)
    }
}

impl LocalCandidates {
    /// Creates an empty set; with `open`, candidates need not wait.
    pub fn new(open: bool) -> Self {
        Self {
            state: Mutex::new(Local {
                open,
                ..Local::default()
            }),
            joined: watch::Sender::new(false),
        }
    }

    /// Sets the generation of the candidates from now on.
    pub fn belong_to(&self, ufrag: &str) {
        ufrag.clone_into(&mut self.state().generation);
    }

    /// Returns the generation of the candidates.
    pub fn generation(&self) -> String {
        self.state().generation.clone()
    }

    /// Begins another generation; with `open`, its candidates need not wait.
    pub fn restart(&self, open: bool) {
        let mut state = self.state();
        state.open = open;
        state.waiting.clear();
        self.joined.send_replace(false);
    }

    /// Records that the stack reports a candidate, which is sent later.
    pub fn reported(&self, candidate: &Candidate) {
        self.state().unsent.push(candidate.clone());
    }

    /// Records that a candidate is sent; returns the generation whose end can be sent now.
    pub fn sent(&self, candidate: &Candidate) -> Option<String> {
        let mut state = self.state();
        if let Some(at) = state.unsent.iter().position(|c| c == candidate) {
            state.unsent.remove(at);
        }
        let is_over = state.ends.as_ref().is_some_and(|ufrag| state.is_sent(ufrag));
        state.ends.take_if(|_| is_over)
    }

    /// Reports whether the end of the generation `ufrag` can be sent; else it is due when the last of its candidates is.
    pub fn may_end(&self, ufrag: &str) -> bool {
        let mut state = self.state();
        let is_over = state.is_sent(ufrag);
        if !is_over {
            state.ends = Some(ufrag.to_owned());
        }
        is_over
    }

    /// Handles a gathered candidate: returns it if it can be sent, and keeps it if it has to wait.
    pub fn gathered(&self, candidate: Option<Candidate>) -> Option<Option<Candidate>> {
        let mut state = self.state();
        if state.open {
            return Some(candidate);
        }
        state.waiting.push(candidate);
        None
    }

    /// Records that the other end has our description of the generation `ufrag`; returns the candidates that waited for
    /// that, or `None` if that generation is over.
    pub fn join(&self, ufrag: &str) -> Option<Vec<Option<Candidate>>> {
        let mut state = self.state();
        if state.generation != ufrag {
            return None;
        }
        state.open = true;
        self.joined.send_replace(true);
        Some(std::mem::take(&mut state.waiting))
    }

    /// Waits until the other end has our description.
    pub async fn has_joined(&self) {
        let mut joined = self.joined.subscribe();
        // The sender lives as long as this.
        drop(joined.wait_for(|joined| *joined).await);
    }

    fn state(&self) -> MutexGuard<'_, Local> {
        self.state.lock().expect("no panic while it is held")
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
        let mut remote = RemoteCandidates::default();
        let (policy, old, new) = (ReceivePolicy::Buffer, candidate("old"), candidate("new"));
        assert_eq!(remote.receive(policy, &new), Arrival::Kept);
        assert_eq!(remote.describe(policy, "old"), []);
        assert_eq!(remote.receive(policy, &old), Arrival::Add);
        remote.restart();
        assert_eq!(remote.generation(), None);
        assert_eq!(remote.describe(policy, "new"), [new]);
        assert_eq!(remote.receive(policy, &old), Arrival::Stale);
    }

    #[test]
    fn a_candidate_that_arrives_twice_is_added_once() {
        let mut remote = RemoteCandidates::default();
        let (policy, now) = (ReceivePolicy::Buffer, candidate("now"));
        assert_eq!(remote.receive(policy, &now), Arrival::Kept);
        assert_eq!(remote.receive(policy, &now), Arrival::Again, "while it waits");
        assert_eq!(remote.describe(policy, "now"), std::slice::from_ref(&now));
        assert_eq!(remote.receive(policy, &now), Arrival::Again, "and later");
    }

    #[test]
    fn who_adds_at_once_keeps_nothing_and_leaves_other_generations_alone() {
        let mut remote = RemoteCandidates::default();
        let (policy, old, new) = (ReceivePolicy::AddAtOnce, candidate("old"), candidate("new"));
        assert_eq!(
            remote.receive(policy, &old),
            Arrival::Add,
            "whatever the peer says"
        );
        assert_eq!(remote.describe(policy, "old"), []);
        assert_eq!(remote.receive(policy, &new), Arrival::Stale);
    }

    #[test]
    fn the_mistake_gives_any_generation_to_the_peer() {
        let mut remote = RemoteCandidates::default();
        let (policy, old) = (ReceivePolicy::BufferAnyGeneration, candidate("old"));
        assert_eq!(remote.receive(policy, &old), Arrival::Kept);
        assert_eq!(remote.describe(policy, "new"), std::slice::from_ref(&old));
        remote.restart();
        remote.describe(policy, "newer");
        assert_eq!(remote.receive(policy, &old), Arrival::Add);
    }

    #[test]
    fn the_end_is_sent_after_the_last_candidate_of_its_generation() {
        let local = LocalCandidates::new(true);
        for ufrag in ["old", "now", "now"] {
            local.reported(&candidate(ufrag));
        }
        assert!(!local.may_end("now"), "two of them are under way");
        assert_eq!(local.sent(&candidate("now")), None, "one is");
        assert_eq!(local.sent(&candidate("now")), Some("now".into()));
        assert_eq!(local.sent(&candidate("old")), None, "it is said once");
        assert!(local.may_end("now"));
    }

    #[test]
    fn our_candidates_wait_for_the_other_end_of_their_generation() {
        let local = LocalCandidates::new(false);
        local.belong_to("a");
        assert_eq!(local.gathered(Some(candidate("a"))), None);
        assert_eq!(local.join("before"), None);
        assert_eq!(local.join("a"), Some(vec![Some(candidate("a"))]));
        assert_eq!(local.gathered(None), Some(None));
        assert_eq!(local.join("a"), Some(vec![]), "each goes once");
        local.restart(false);
        assert_eq!(local.gathered(None), None, "another generation waits again");
        assert_eq!(LocalCandidates::new(true).gathered(None), Some(None));
    }
}
