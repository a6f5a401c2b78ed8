//! The passwords of ICE generations, so that a packet that is sent can be checked against what protects it.
//!
//! Adapters tell it every description, whichever client made it. It holds nothing that the trace shows.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard},
};

use stun::agent::TransactionId;

/// The passwords of a run's generations, and which of them each request asks for.
#[derive(Default)]
pub struct IceKeys(Mutex<Known>);

#[derive(Default)]
struct Known {
    passwords: BTreeMap<String, String>,
    // The generation that each request asks, by the request's transaction: its answer is under the same password.
    asked: BTreeMap<[u8; 12], String>,
}

impl IceKeys {
    /// Takes note of the password of generation `ufrag` (RFC 8839, section 5.4).
    pub fn learn(&self, ufrag: &str, password: &str) {
        self.known()
            .passwords
            .insert(ufrag.to_owned(), password.to_owned());
    }

    /// Returns the password under which a request to generation `ufrag` has to be, and takes note of its transaction.
    pub(super) fn of_request(&self, ufrag: &str, transaction: TransactionId) -> Option<String> {
        let mut known = self.known();
        known.asked.insert(transaction.0, ufrag.to_owned());
        known.passwords.get(ufrag).cloned()
    }

    /// Returns the password under which the answer to a request has to be; `None` for one that asks no known generation.
    pub(super) fn of_answer(&self, transaction: TransactionId) -> Option<String> {
        let known = self.known();
        known.passwords.get(known.asked.get(&transaction.0)?).cloned()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().expect("no panic while it is held")
    }
}
