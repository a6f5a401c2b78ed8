//! The connection of one client to the signaling server.

use std::{io, net::SocketAddr};

use futures_util::{SinkExt, StreamExt};
use thiserror::Error;
use tokio::sync::{mpsc, oneshot};
use tokio_tungstenite::{WebSocketStream, tungstenite::Message as Frame};

use super::{
    PORT,
    message::{Envelope, Message},
    record,
};
use crate::{socket::TcpStream, trace::SignalDirection, world::Host};

/// What went wrong with the connection.
#[derive(Debug, Error)]
pub enum SignalingError {
    /// It could not be made.
    #[error("the signaling server cannot be reached: {0}")]
    Connect(#[from] io::Error),
    /// The WebSocket failed.
    #[error("the WebSocket: {0}")]
    WebSocket(String),
    /// It is gone.
    #[error("the signaling connection is closed")]
    Closed,
}

type Sent = oneshot::Sender<Result<(), SignalingError>>;

/// A registered client. Cheap to clone; the connection ends when the last clone is dropped.
#[derive(Clone)]
pub struct Client {
    outbox: mpsc::UnboundedSender<(Envelope, Sent)>,
}

impl Client {
    /// Connects `host` to the server and registers as `name`. Messages for the client arrive at the
    /// returned end, which ends with the connection.
    ///
    /// # Errors
    /// [`SignalingError`]
    pub async fn connect(
        host: &Host,
        server: &Host,
        name: &str,
    ) -> Result<(Self, mpsc::UnboundedReceiver<Envelope>), SignalingError> {
        let stream = TcpStream::connect(host, SocketAddr::new(server.addresses()[0], PORT)).await?;
        let (socket, _) = tokio_tungstenite::client_async("ws://signaling/", stream)
            .await
            .map_err(|e| SignalingError::WebSocket(e.to_string()))?;
        let (outbox, outgoing) = mpsc::unbounded_channel();
        let (inbox, mut incoming) = mpsc::unbounded_channel();
        host.spawn(
            "signaling client",
            exchange(host.clone(), socket, outgoing, inbox),
        );
        let client = Self { outbox };
        let register = Message::Register {
            client: name.to_owned(),
        };
        client.post(Envelope::direct(register)).await?;
        match incoming.recv().await.map(|e| e.message) {
            Some(Message::Registered) => Ok((client, incoming)),
            _ => Err(SignalingError::Closed),
        }
    }

    /// Sends `message` to the client `to`, and returns when it has been written to the connection.
    ///
    /// # Errors
    /// [`SignalingError`]
    pub async fn send(&self, to: &str, message: Message) -> Result<(), SignalingError> {
        self.post(Envelope::to(to, message)).await
    }

    async fn post(&self, envelope: Envelope) -> Result<(), SignalingError> {
        let (sent, written) = oneshot::channel();
        self.outbox
            .send((envelope, sent))
            .map_err(|_| SignalingError::Closed)?;
        written.await.unwrap_or(Err(SignalingError::Closed))
    }
}

/// Moves messages between the connection and its two queues until one of them ends.
async fn exchange(
    host: Host,
    mut socket: WebSocketStream<TcpStream>,
    mut outgoing: mpsc::UnboundedReceiver<(Envelope, Sent)>,
    inbox: mpsc::UnboundedSender<Envelope>,
) {
    let sim = host.sim();
    loop {
        tokio::select! {
            biased;
            posted = outgoing.recv() => {
                let Some((envelope, sent)) = posted else {
                    let _ = socket.close(None).await;
                    return;
                };
                record(sim, SignalDirection::Sent, "server", &envelope);
                let written = socket.send(Frame::text(envelope.to_json())).await;
                // Whoever stopped waiting does not want to know.
                let _ = sent.send(written.map_err(|e| SignalingError::WebSocket(e.to_string())));
            }
            frame = socket.next() => {
                let Some(Ok(frame)) = frame else { return };
                let Some(envelope) = frame.to_text().ok().and_then(|text| Envelope::parse(text).ok()) else {
                    continue;
                };
                record(sim, SignalDirection::Received, "server", &envelope);
                if inbox.send(envelope).is_err() {
                    return;
                }
            }
        }
    }
}
