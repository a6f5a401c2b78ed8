//! What an app shows its user: which calls ring, which can talk, and what came of them.
//!
//! These are the app's claims. Users act by what they see, and oracles hold it against what adapters recorded.

use crate::{
    trace::{CallEvent, CallOutcome, EventKind},
    world::Host,
};

/// The screen of the app on one host. Cheap to clone.
#[derive(Clone)]
pub struct Screen {
    host: Host,
}

impl Screen {
    /// The screen of the app on `host`.
    pub fn of(host: &Host) -> Self {
        Self { host: host.clone() }
    }

    /// `call` begins to ring; `from` calls.
    pub fn rings(&self, call: &str, from: &str) {
        let from = from.to_owned();
        self.show(call, CallEvent::Rings { from });
    }

    /// `call` rings no more: the user has picked up, or there is nothing to pick up.
    pub fn silent(&self, call: &str) {
        self.show(call, CallEvent::Silent);
    }

    /// The two can talk.
    pub fn connected(&self, call: &str) {
        self.show(call, CallEvent::Connected);
    }

    /// `call` is over.
    pub fn over(&self, call: &str, outcome: CallOutcome) {
        self.show(call, CallEvent::Over { outcome });
    }

    fn show(&self, call: &str, what: CallEvent) {
        let call = call.to_owned();
        self.host
            .run(|| self.host.sim().record(EventKind::Call { call, what }));
    }
}
