//! Fault conditions that are in force on the signaling service.
//!
//! A world has one of these, which outlives the server and its host. Nothing here knows a plan, or what is still to
//! come.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, Weak},
    time::Duration,
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::trace::FaultId;

/// The effect of a fault on a message that reached the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum MessageFate {
    /// The server handles the message later.
    Delay {
        /// The extra delay, in milliseconds.
        ms: u64,
    },
    /// The message is lost before the server handles it.
    Drop,
    /// The server handles the message twice.
    Duplicate,
}

/// A running server, as faults act on it.
pub(super) trait Served: Send + Sync {
    /// Whether its host runs.
    fn is_up(&self) -> bool;
    /// Cuts every connection because of `fault`.
    fn cut(&self, fault: FaultId);
    /// Loses the messages in hand.
    fn forget_everything(&self);
}

/// All fault conditions on the signaling service.
#[derive(Default)]
pub struct Conditions {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    // The number of messages of each client so far.
    seen: BTreeMap<String, u64>,
    verdicts: Vec<Laid>,
    slow_push: Vec<(FaultId, Duration)>,
    down: Option<FaultId>,
    server: Option<Weak<dyn Served>>,
}

/// A verdict and the message that it applies to.
struct Laid {
    fault: FaultId,
    client: String,
    message: u64,
    verdict: MessageFate,
}

impl Conditions {
    /// Applies `verdict` to one message on behalf of `fault`: the one with the number `message`, from 0, among those of
    /// `client` that reach the server in the whole run. Acknowledgements and registrations do not count; a message that
    /// is sent again counts anew.
    pub fn lay(&self, fault: FaultId, client: &str, message: u64, verdict: MessageFate) {
        self.state().verdicts.push(Laid {
            fault,
            client: client.to_owned(),
            message,
            verdict,
        });
    }

    /// Makes every push notification take longer by `by`, on behalf of `fault`.
    pub fn slow_push(&self, fault: FaultId, by: Duration) {
        self.state().slow_push.push((fault, by));
    }

    /// Removes the conditions of `fault`.
    pub fn lift(&self, fault: FaultId) {
        let mut state = self.state();
        state.verdicts.retain(|laid| laid.fault != fault);
        state.slow_push.retain(|(laid_by, _)| *laid_by != fault);
    }

    /// Cuts every connection of the server because of `fault`.
    pub fn cut(&self, fault: FaultId) {
        if let Some(server) = self.server() {
            server.cut(fault);
        }
    }

    /// Takes the server down because of `fault`; it loses all messages in hand.
    pub fn go_down(&self, fault: FaultId) {
        self.state().down = Some(fault);
        if let Some(server) = self.server() {
            server.forget_everything();
            server.cut(fault);
        }
    }

    /// Brings the server back, with an empty registry.
    pub fn come_back(&self) {
        self.state().down = None;
    }

    /// Returns the fault that keeps the server down, if any.
    pub(super) fn down(&self) -> Option<FaultId> {
        self.state().down
    }

    /// Sets the server that these conditions act on.
    pub(super) fn served_by(&self, server: Weak<dyn Served>) {
        self.state().server = Some(server);
    }

    /// Counts a message of `client`; returns the verdict on it.
    pub(super) fn meets(&self, client: &str) -> Option<(FaultId, MessageFate)> {
        let mut state = self.state();
        let count = state.seen.entry(client.to_owned()).or_default();
        let message = *count;
        *count += 1;
        let falls_on = |laid: &&Laid| laid.client == client && laid.message == message;
        let laid = state.verdicts.iter().find(falls_on)?;
        Some((laid.fault, laid.verdict))
    }

    /// Returns the extra delay of a push notification and its fault; of several faults, the slowest.
    pub(super) fn push_delay(&self) -> Option<(FaultId, Duration)> {
        self.state().slow_push.iter().copied().max_by_key(|(_, by)| *by)
    }

    /// Returns the server, if its host runs.
    fn server(&self) -> Option<Arc<dyn Served>> {
        let server = self.state().server.as_ref()?.upgrade()?;
        server.is_up().then_some(server)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic while it is held")
    }
}
