//! What phones and the server say to each other: JSON in WebSocket text messages.

use anyhow::{Context, bail};
use futures_util::{Sink, SinkExt, Stream, StreamExt};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tokio_tungstenite::tungstenite::{self, Message};
use webrtc::ice_transport::ice_candidate::RTCIceCandidateInit;

/// The name of a call. The phone that dials chooses it, so that a message that comes twice is one call.
pub type CallId = String;

/// The first message on a connection: who is there.
#[derive(Debug, Serialize, Deserialize)]
pub struct SignIn {
    pub user: String,
}

/// Every other message: from one user to another, about one call.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Letter {
    pub call: CallId,
    pub from: String,
    pub to: String,
    #[serde(flatten)]
    pub body: Body,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Body {
    /// I call you.
    Invite { sdp: String },
    /// I take your call.
    Accept { sdp: String },
    /// I cannot be called now, or do not want to be.
    Decline { reason: Decline },
    /// This is a way to reach me. Its `usernameFragment` names the description that it belongs to.
    Ice { candidate: RTCIceCandidateInit },
    /// Let us look for ways to reach each other anew. Only who called offers that, so that no two offers ever meet.
    Restart { sdp: String },
    /// Yes, let us.
    Restarted { sdp: String },
    /// Offer a restart, please: you called.
    PleaseRestart,
    /// The call is over.
    Bye,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decline {
    Unwanted,
    Busy,
    /// The server says so: nobody of that name is signed in.
    Absent,
}

/// Sends one message.
pub async fn send<S>(socket: &mut S, message: &impl Serialize) -> anyhow::Result<()>
where
    S: Sink<Message, Error = tungstenite::Error> + Unpin,
{
    let text = serde_json::to_string(message)?;
    socket.send(Message::text(text)).await.context("sending")
}

/// Receives the next message; `None` when the other side is gone.
pub async fn receive<S, M>(socket: &mut S) -> anyhow::Result<Option<M>>
where
    S: Stream<Item = Result<Message, tungstenite::Error>> + Unpin,
    M: DeserializeOwned,
{
    while let Some(message) = socket.next().await {
        match message.context("receiving")? {
            Message::Text(text) => return Ok(Some(serde_json::from_str(&text)?)),
            Message::Close(_) => return Ok(None),
            Message::Ping(_) | Message::Pong(_) => {}
            other => bail!("a message that is no text: {other:?}"),
        }
    }
    Ok(None)
}
