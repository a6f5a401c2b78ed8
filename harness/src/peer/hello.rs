//! The exchange that proves a connection: `ping`, `pong`, `ack`.
//!
//! The offerer sends `ping` and is connected when `pong` comes back; the answerer is connected when its `pong` is
//! acknowledged. Each end then knows that a message went each way. From then on both send a small message at intervals,
//! for as long as the connection lasts.

use std::{sync::Mutex, time::Duration};

use tokio::{sync::watch, task::JoinHandle, time};

use super::{Log, Role};

/// The message that both ends repeat.
const TALK: &str = "talk";

/// One side of the exchange.
pub(super) struct Hello {
    log: Log,
    role: Role,
    connected: watch::Sender<bool>,
    heard: Mutex<bool>,
    talk_every: Option<Duration>,
    // The task that repeats the message, where a task of its own is needed.
    talks: Mutex<Option<JoinHandle<()>>>,
}

impl Hello {
    pub(super) fn new(log: Log, role: Role, talk_every: Option<Duration>) -> Self {
        Self {
            log,
            role,
            connected: watch::Sender::new(false),
            heard: Mutex::new(false),
            talk_every,
            talks: Mutex::new(None),
        }
    }

    pub(super) fn connected(&self) -> watch::Receiver<bool> {
        self.connected.subscribe()
    }

    /// Returns the message to repeat until the other side answers; `None` once it has.
    pub(super) fn outstanding(&self) -> Option<&'static str> {
        let heard = *self.heard.lock().expect("no panic while it is held");
        match self.role {
            _ if *self.connected.borrow() => None,
            Role::Offerer => Some("ping"),
            Role::Answerer => heard.then_some("pong"),
        }
    }

    /// Handles a received message; returns the answer to it.
    pub(super) fn hear(&self, text: &str) -> Option<&'static str> {
        if text == TALK {
            self.log.heard();
            return None;
        }
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

    /// Returns the message that both connected ends repeat, and its interval; `None` if there is none.
    pub(super) fn small_talk(&self) -> Option<(&'static str, Duration)> {
        self.talk_every.map(|every| (TALK, every))
    }

    /// Once both sides are connected, calls `send` at intervals until it returns false or [`Hello::falls_silent`] is
    /// called.
    pub(super) fn talks<F>(&self, send: impl Fn(&'static str) -> F + Send + 'static)
    where
        F: Future<Output = bool> + Send,
    {
        let Some((text, every)) = self.small_talk() else {
            return;
        };
        let mut connected = self.connected();
        let talks = async move {
            if connected.wait_for(|connected| *connected).await.is_err() {
                return;
            }
            while send(text).await {
                time::sleep(every).await;
            }
        };
        let talks = self.log.host.spawn("small talk", talks);
        *self.talks.lock().expect("no panic while it is held") = Some(talks);
    }

    /// Stops the repeated messages.
    pub(super) fn falls_silent(&self) {
        if let Some(talks) = self.talks.lock().expect("no panic while it is held").take() {
            talks.abort();
        }
    }

    /// Records that a message is sent.
    pub(super) fn say(&self, text: &str) {
        self.log.data(false, text);
    }
}
