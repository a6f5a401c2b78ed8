//! The screen: what an app shows its user about ringing, connected and ended calls.
//!
//! These are the app's claims. Users act by what they see, and oracles compare it with what adapters recorded.

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
    /// Creates the screen of the app on `host`.
    pub fn of(host: &Host) -> Self {
        Self { host: host.clone() }
    }

    /// Shows that `call` from `from` begins to ring.
    pub fn rings(&self, call: &str, from: &str) {
        let from = from.to_owned();
        self.show(call, CallEvent::Rings { from });
    }

    /// Shows that `call` stops ringing: the user has accepted, or the call is gone.
    pub fn silent(&self, call: &str) {
        self.show(call, CallEvent::Silent);
    }

    /// Shows that the two ends can talk.
    pub fn connected(&self, call: &str) {
        self.show(call, CallEvent::Connected);
    }

    /// Shows that `call` is over.
    pub fn over(&self, call: &str, outcome: CallOutcome) {
        self.show(call, CallEvent::Over { outcome });
    }

    fn show(&self, call: &str, what: CallEvent) {
        let call = call.to_owned();
        self.host
            .run(|| self.host.sim().record(EventKind::Call { call, what }));
    }
}
