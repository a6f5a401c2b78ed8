//! One attempt of a call to connect: its peer, its candidates, and how far offer and answer have come.
//!
//! State only: the steps are in `exchange` and `trickle`, and who watches it in `watch`.

use std::sync::Arc;

use sleet::peer::Peer;
use tokio::sync::watch;

use super::{candidates::LocalCandidates, trickle::Gathering};

/// One attempt: a peer, which an ICE restart takes through another round of offer and answer.
pub(super) struct Attempt {
    /// Its number within the call, when its peer was made.
    pub number: u32,
    pub peer: Arc<dyn Peer>,
    pub local: Arc<LocalCandidates>,
    pub gathering: Arc<Gathering>,
    exchange: watch::Sender<Exchange>,
}

/// How far offer and answer have come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Exchange {
    /// The number of the attempt, or of its last ICE restart.
    pub round: u32,
    /// The generation of the other end's offer, which our answer names.
    pub offer: String,
    /// The stack has been given our description, and gathers.
    pub gathers: bool,
    /// Our description is set, or the stack has refused it.
    pub local_done: bool,
    /// Theirs is set.
    pub described: bool,
    /// The answer is being made or applied, or has been.
    pub answering: bool,
    /// Another attempt has taken its place, or the call has ended.
    pub over: bool,
}

impl Attempt {
    pub fn new(
        number: u32,
        peer: Arc<dyn Peer>,
        local: Arc<LocalCandidates>,
        gathering: Arc<Gathering>,
    ) -> Arc<Self> {
        Arc::new(Self {
            number,
            peer,
            local,
            gathering,
            exchange: watch::Sender::new(Exchange {
                round: number,
                ..Exchange::default()
            }),
        })
    }

    /// How far it has come now.
    pub fn exchange(&self) -> Exchange {
        self.exchange.borrow().clone()
    }

    /// Waits until it has come as far as `is` says.
    pub async fn until(&self, is: impl FnMut(&Exchange) -> bool) {
        let mut exchange = self.exchange.subscribe();
        // The sender lives as long as this.
        drop(exchange.wait_for(is).await);
    }

    /// It has come further.
    pub fn note(&self, change: impl FnOnce(&mut Exchange)) {
        self.exchange.send_modify(change);
    }

    /// The round `round` begins on the same peer.
    pub fn restart(&self, round: u32) {
        self.note(|exchange| {
            *exchange = Exchange {
                round,
                over: exchange.over,
                ..Exchange::default()
            };
        });
    }

    /// Whether nobody makes or applies the answer of this round yet: from here on somebody does.
    pub fn claim_answer(&self) -> bool {
        self.exchange
            .send_if_modified(|exchange| !std::mem::replace(&mut exchange.answering, true))
    }
}
