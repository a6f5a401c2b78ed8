//! The exchange that proves a connection: `ping`, `pong`, `ack`.
//!
//! The offerer sends `ping` and is connected when `pong` comes back; the answerer is connected when its
//! `pong` is acknowledged. Both then know that a message went each way.

use std::sync::Mutex;

use tokio::sync::watch;

use super::{Log, Role};

/// One side of the exchange.
pub(super) struct Hello {
    log: Log,
    role: Role,
    connected: watch::Sender<bool>,
    heard: Mutex<bool>,
}

impl Hello {
    pub(super) fn new(log: Log, role: Role) -> Self {
        Self {
            log,
            role,
            connected: watch::Sender::new(false),
            heard: Mutex::new(false),
        }
    }

    pub(super) fn connected(&self) -> watch::Receiver<bool> {
        self.connected.subscribe()
    }

    /// What to send until the other side answers: nothing, once it has.
    pub(super) fn outstanding(&self) -> Option<&'static str> {
        let heard = *self.heard.lock().expect("no panic while it is held");
        match self.role {
            _ if *self.connected.borrow() => None,
            Role::Offerer => Some("ping"),
            Role::Answerer => heard.then_some("pong"),
        }
    }

    /// Takes a message; returns the answer to it.
    pub(super) fn hear(&self, text: &str) -> Option<&'static str> {
        self.log.data(true, text);
        let (answer, connects) = match (self.role, text) {
            (Role::Answerer, "ping") => (Some("pong"), false),
            (Role::Offerer, "pong") => (Some("ack"), true),
            (Role::Answerer, "ack") => (None, true),
            _ => return None,
        };
        *self.heard.lock().expect("no panic while it is held") = true;
        if connects && !self.connected.send_replace(true) {
            self.log.usable();
        }
        answer
    }

    /// Writes down that a message is sent.
    pub(super) fn say(&self, text: &str) {
        self.log.data(false, text);
    }
}
