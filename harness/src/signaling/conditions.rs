//! What lies over the signaling service now: the executed state of faults.
//!
//! There is one of these in a world, whatever becomes of the server and of its host. Nothing here knows a plan, or what is
//! still to come.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, Weak},
    time::Duration,
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::server::{Running, Server};
use crate::trace::FaultId;

/// What becomes of a message that reached the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum MessageFate {
    /// The server takes it up later.
    Delay {
        /// By how many milliseconds.
        ms: u64,
    },
    /// It is lost before the server takes it.
    Drop,
    /// The server takes it twice.
    Duplicate,
}

/// Everything that lies over the signaling service.
#[derive(Default)]
pub struct Conditions {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    // How many messages of each client have come.
    seen: BTreeMap<String, u64>,
    verdicts: Vec<Laid>,
    slow_push: Vec<(FaultId, Duration)>,
    down: Option<FaultId>,
    server: Weak<Running>,
}

/// A verdict and the message that it falls on.
struct Laid {
    fault: FaultId,
    client: String,
    message: u64,
    verdict: MessageFate,
}

impl Conditions {
    /// `fault` lays `verdict` on a message: the one that is `message`th, from 0, of those of `client` that reach the server in
    /// the whole run. Acknowledgements and registrations do not count; what is sent again counts anew.
    pub fn lay(&self, fault: FaultId, client: &str, message: u64, verdict: MessageFate) {
        self.state().verdicts.push(Laid {
            fault,
            client: client.to_owned(),
            message,
            verdict,
        });
    }

    /// `fault` makes every push notification take longer by `by`.
    pub fn slow_push(&self, fault: FaultId, by: Duration) {
        self.state().slow_push.push((fault, by));
    }

    /// Takes away what `fault` laid.
    pub fn lift(&self, fault: FaultId) {
        let mut state = self.state();
        state.verdicts.retain(|laid| laid.fault != fault);
        state.slow_push.retain(|(laid_by, _)| *laid_by != fault);
    }

    /// `fault` cuts every connection of the server.
    pub fn cut(&self, fault: FaultId) {
        if let Some(server) = self.server() {
            server.cut(fault);
        }
    }

    /// `fault` takes the server down with all that it has in hand.
    pub fn go_down(&self, fault: FaultId) {
        self.state().down = Some(fault);
        if let Some(server) = self.server() {
            server.forget_everything();
            server.cut(fault);
        }
    }

    /// The server is back, with an empty registry.
    pub fn come_back(&self) {
        self.state().down = None;
    }

    /// The fault that keeps the server down, if one does.
    pub(super) fn down(&self) -> Option<FaultId> {
        self.state().down
    }

    /// From now on, `server` is the one that serves.
    pub(super) fn served_by(&self, server: &Server) {
        self.state().server = server.downgrade();
    }

    /// A message of `client` has come: the verdict on it.
    pub(super) fn meets(&self, client: &str) -> Option<(FaultId, MessageFate)> {
        let mut state = self.state();
        let count = state.seen.entry(client.to_owned()).or_default();
        let message = *count;
        *count += 1;
        let falls_on = |laid: &&Laid| laid.client == client && laid.message == message;
        let laid = state.verdicts.iter().find(falls_on)?;
        Some((laid.fault, laid.verdict))
    }

    /// How much longer a push takes, and because of what: of several faults, the slowest.
    pub(super) fn push_delay(&self) -> Option<(FaultId, Duration)> {
        self.state().slow_push.iter().copied().max_by_key(|(_, by)| *by)
    }

    /// The server that serves, if its host runs.
    fn server(&self) -> Option<Server> {
        let server = Server::upgrade(&self.state().server)?;
        server.host().is_up().then_some(server)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic while it is held")
    }
}
