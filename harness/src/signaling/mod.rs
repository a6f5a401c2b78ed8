//! Signaling: a WebSocket server, its clients, and the push path that wakes a client that is not connected.
//!
//! Everything runs over simulated TCP with `tokio-tungstenite`. The schema is in [`message`].

pub mod client;
pub mod conditions;
mod held;
mod link;
pub mod message;
pub mod push;
pub mod server;

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use crate::{
    net::latency::Latency,
    trace::{Candidate, EventKind, SignalDirection},
    world::Sim,
};
use message::{Envelope, Message};

/// The port that the server listens on.
pub const PORT: u16 = 80;

/// The size of the WebSocket library's read buffer, in bytes. The library allocates it per connection and clears it
/// before every read, and its default of 128 KiB cost more than a third of all instructions of a run; our messages have
/// some hundred bytes to a few thousand.
const READ_AT_ONCE: usize = 4 * 1_024;

/// Returns the WebSocket configuration of both ends of a connection.
fn web_socket() -> WebSocketConfig {
    WebSocketConfig::default().read_buffer_size(READ_AT_ONCE)
}

/// The name of the step that a client records when it loses its connection.
pub(crate) const LOST: &str = "signaling is lost";

/// The order in which the server handles the messages of one client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ordering {
    /// One after the other.
    InOrder,
    /// Each in its own task: messages overtake each other.
    Concurrent,
}

/// The default host of the signaling service.
pub const USUAL_HOST: &str = "server";

fn usual_host() -> Cow<'static, str> {
    USUAL_HOST.into()
}

fn is_usual_host(host: &str) -> bool {
    host == USUAL_HOST
}

/// The behaviour of the signaling service of the harness, and its host.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignalingSpec {
    /// The host of the service.
    #[serde(skip_serializing_if = "is_usual_host", default = "usual_host")]
    pub host: Cow<'static, str>,
    /// The order in which messages are handled.
    pub ordering: Ordering,
    /// The handling time of an offer or an answer.
    pub descriptions: Latency,
    /// The handling time of any other message.
    pub others: Latency,
    /// The delay of a push notification; without it, a client that is not connected is not reached.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub push: Option<Latency>,
    /// Whether messages are acknowledged end to end, and sent again until they are ([`message`]).
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub acknowledged: bool,
    /// Whether the app gets every copy of a message that comes more than once, as from a session that keeps no record of what it
    /// has handled: at least once, instead of once.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub passes_copies: bool,
}

impl SignalingSpec {
    /// A service on [`USUAL_HOST`] that passes everything on at once and in order.
    pub const PROMPT: Self = Self {
        host: Cow::Borrowed(USUAL_HOST),
        ordering: Ordering::InOrder,
        descriptions: Latency::NONE,
        others: Latency::NONE,
        push: None,
        acknowledged: false,
        passes_copies: false,
    };

    /// Checks the specification in a world whose hosts are `known`; returns the wrong field, and how to mend it.
    pub(crate) fn check(&self, known: impl Fn(&str) -> bool) -> Result<(), String> {
        if !known(&self.host) {
            return Err(format!(
                "host: there is no host '{}': name one, or leave `signaling` out where apps bring their own",
                self.host
            ));
        }
        let latencies = [
            ("descriptions", Some(&self.descriptions)),
            ("others", Some(&self.others)),
            ("push", self.push.as_ref()),
        ];
        for (field, latency) in latencies {
            latency.map_or(Ok(()), |l| l.check().map_err(|e| format!("{field}: {e}")))?;
        }
        Ok(())
    }
}

/// Records that a message passed a host. Acknowledgements are not recorded.
fn record(sim: &Sim, direction: SignalDirection, with: &str, envelope: &Envelope) {
    let message = &envelope.message;
    if let Message::Ack { .. } = message {
        return;
    }
    let (call, ufrag) = (
        message.call().map(str::to_owned),
        message.ufrag().map(str::to_owned),
    );
    let candidate = match message {
        Message::Candidate { ufrag, candidate, .. } => Some(Candidate {
            attribute: candidate.clone(),
            ufrag: ufrag.clone(),
        }),
        _ => None,
    };
    sim.record(EventKind::Signal {
        direction,
        with: with.to_owned(),
        message: message.name().to_owned(),
        call,
        ufrag,
        candidate,
    });
}
