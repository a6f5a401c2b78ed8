//! One attempt of a call to connect: its peer, its candidates, and the state of its offer/answer exchange.
//!
//! State only: the steps are in `exchange` and `trickle`, and `watch` observes it.

use std::sync::Arc;

use sleet::peer::Peer;
use tokio::sync::watch;

use super::{candidates::LocalCandidates, gathering::Gathering};

/// One attempt: a peer, which an ICE restart takes through another offer/answer exchange.
pub(super) struct Attempt {
    /// The number within the call at the time when the peer was created.
    pub number: u32,
    pub peer: Arc<dyn Peer>,
    pub local: Arc<LocalCandidates>,
    pub gathering: Arc<Gathering>,
    exchange: watch::Sender<Exchange>,
}

/// The state of the offer/answer exchange.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Exchange {
    /// The number of the attempt, or of its last ICE restart.
    pub round: u32,
    /// The generation of the remote offer, which our answer names.
    pub offer: String,
    /// Whether the stack has been given the local description, and gathers.
    pub gathers: bool,
    /// Whether the local description is set, or the stack has refused it.
    pub local_done: bool,
    /// Whether the remote description is set.
    pub described: bool,
    /// Whether the answer is being created or applied, or has been.
    pub answering: bool,
    /// Whether another attempt has replaced this one, or the call has ended.
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

    /// Returns the current state of the exchange.
    pub fn exchange(&self) -> Exchange {
        self.exchange.borrow().clone()
    }

    /// Waits until `is` holds for the exchange.
    pub async fn until(&self, is: impl FnMut(&Exchange) -> bool) {
        let mut exchange = self.exchange.subscribe();
        // The sender lives as long as this.
        drop(exchange.wait_for(is).await);
    }

    /// Applies a change to the exchange.
    pub fn note(&self, change: impl FnOnce(&mut Exchange)) {
        self.exchange.send_modify(change);
    }

    /// Reports whether messages have gone both ways, and ICE has a path.
    pub fn is_up(&self) -> bool {
        *self.peer.connected().borrow() && is_up(&self.peer.ice_state().borrow())
    }

    /// Reports whether no message has gone both ways yet, and ICE has not given up.
    pub fn may_come_up(&self) -> bool {
        !*self.peer.connected().borrow() && *self.peer.ice_state().borrow() != "failed"
    }

    /// Begins the round `round` on the same peer.
    pub fn restart(&self, round: u32) {
        self.note(|exchange| {
            *exchange = Exchange {
                round,
                over: exchange.over,
                ..Exchange::default()
            };
        });
    }

    /// Claims the answer of this round; returns false if it has been claimed before.
    pub fn claim_answer(&self) -> bool {
        self.exchange
            .send_if_modified(|exchange| !std::mem::replace(&mut exchange.answering, true))
    }
}

/// Reports whether ICE has a path in the state of this name.
pub(super) fn is_up(state: &str) -> bool {
    matches!(state, "connected" | "completed")
}
