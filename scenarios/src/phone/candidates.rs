//! Candidates of an attempt: ours wait until the other end has our description, theirs until theirs is set.
//!
//! The stack's callback does nothing but post to the owner. Some broken clients do more, here and nowhere else.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering::Relaxed},
};

use sleet::{
    peer::{CandidateHandler, Peer},
    signaling::message::Message,
    trace::{Candidate, EventKind, Point},
};

use super::{
    Mistake, Phone,
    call::Call,
    line::{Line, Side, Work},
};

impl Call {
    /// What the stack calls with each candidate: it posts to the owner.
    pub fn on_candidate(&self, number: u32, gathering: &Arc<Gathering>) -> CandidateHandler {
        let (phone, line) = (self.phone.clone(), self.line.clone());
        let gathering = gathering.clone();
        Box::new(move |candidate| {
            if candidate.is_none() {
                gathering.over.store(true, Relaxed);
            }
            match phone.make.mistake {
                Some(Mistake::CallbacksGoOn) => go_on(&phone, &line, number, candidate),
                Some(Mistake::CloseInCallback) => {
                    let (phone, line, gathering) = (phone.clone(), line.clone(), gathering.clone());
                    return Box::pin(async move {
                        phone.stretch.pause("callback").await;
                        line.ask(Work::Gathered(number, candidate));
                        if line.is_ended() {
                            gathering.close().await;
                        }
                    });
                }
                _ => line.ask(Work::Gathered(number, candidate)),
            }
            Box::pin(async {})
        })
    }

    /// The stack gathered a candidate for the attempt `number`.
    pub async fn gathered(&mut self, number: u32, candidate: Option<Candidate>) {
        if number != self.newest {
            return;
        }
        self.reach(Point::OnCandidate);
        self.pause("callback").await;
        match self.attempt.as_mut().map(|a| (&mut a.outgoing, &a.ours)) {
            Some((Some(outgoing), _)) => {
                self.phone.host.sim().mark("local-candidate-buffered");
                outgoing.push(candidate);
            }
            Some((None, ours)) => {
                let ours = ours.clone();
                self.send_candidate(&ours, candidate);
            }
            None => {}
        }
    }

    fn send_candidate(&self, ours: &str, candidate: Option<Candidate>) {
        self.say(candidate_message(&self.line.call, ours, candidate), None);
    }

    /// The other end has our description of the generation `ufrag`: our candidates can go.
    pub fn joined(&mut self, ufrag: &str) {
        let caller = self.line.side == Side::Caller;
        let Some(attempt) = self.attempt.as_mut().filter(|a| a.ours == ufrag) else {
            return;
        };
        if caller && attempt.theirs.is_none() {
            // From here on it is for their user to answer.
            attempt.deadline = None;
        }
        let waiting = attempt.outgoing.take().unwrap_or_default();
        self.reach(Point::OnJoined);
        for candidate in waiting {
            self.send_candidate(ufrag, candidate);
        }
    }

    /// A candidate of the other end came.
    pub async fn remote_candidate(&mut self, candidate: Candidate) {
        self.reach(Point::OnRemoteCandidate);
        let described = self.attempt.as_ref().is_some_and(|a| a.theirs.is_some());
        if described && self.is_for_us(&candidate) {
            self.pause("add-candidate").await;
            return self.add(candidate).await;
        }
        self.phone.host.sim().mark("candidate-before-description");
        self.phone.host.sim().record(EventKind::CandidateBuffered {
            peer: self.line.call.clone(),
            candidate: candidate.clone(),
        });
        self.waiting.push(candidate);
    }

    /// Whether a candidate belongs to the description that is set.
    pub fn is_for_us(&self, candidate: &Candidate) -> bool {
        let theirs = self.attempt.as_ref().and_then(|a| a.theirs.as_ref());
        theirs == Some(&candidate.ufrag) || self.phone.makes(Mistake::CandidatesByUser)
    }

    /// Gives a candidate to the peer.
    pub async fn add(&self, candidate: Candidate) {
        let Some(attempt) = &self.attempt else { return };
        let (peer, into) = (attempt.name.clone(), attempt.theirs.clone().unwrap_or_default());
        let added = attempt.peer.add_candidate(candidate.clone()).await;
        self.phone.host.sim().record(match added {
            Ok(()) => EventKind::CandidateApplied {
                peer,
                candidate,
                into,
            },
            Err(error) => EventKind::CandidateRefused {
                peer,
                candidate,
                error: error.to_string(),
            },
        });
    }
}

fn candidate_message(call: &str, ours: &str, candidate: Option<Candidate>) -> Message {
    let call = call.to_owned();
    match candidate {
        Some(c) => Message::Candidate {
            call,
            ufrag: c.ufrag,
            candidate: c.attribute,
        },
        None => Message::EndOfCandidates {
            call,
            ufrag: ours.to_owned(),
        },
    }
}

/// The mistake: a callback goes on by itself, and does not look whether there still is a call.
fn go_on(phone: &Arc<Phone>, line: &Line, number: u32, candidate: Option<Candidate>) {
    let (host, phone, line) = (phone.host.clone(), phone.clone(), line.clone());
    host.spawn("callback", async move {
        phone.stretch.pause("callback").await;
        phone.reach(&line.call, Point::OnCandidate);
        line.ask(Work::Gathered(number, candidate));
    });
}

/// How far the stack has come with an attempt's candidates.
#[derive(Default)]
pub(super) struct Gathering {
    over: AtomicBool,
    // What a broken client's callback closes: the peer that it is a callback of.
    peer: Mutex<Option<Arc<dyn Peer>>>,
}

impl Gathering {
    /// Whether it has gathered everything.
    pub fn is_over(&self) -> bool {
        self.over.load(Relaxed)
    }

    /// The peer that gathers.
    pub fn is_of(&self, peer: &Arc<dyn Peer>) {
        *self.peer.lock().expect("no panic while it is held") = Some(peer.clone());
    }

    async fn close(&self) {
        let peer = self.peer.lock().expect("no panic while it is held").take();
        if let Some(peer) = peer {
            peer.close().await;
        }
    }
}
