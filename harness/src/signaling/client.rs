//! The session of one client with the signaling server, over one connection after the other.
//!
//! A lost connection is replaced, and unacknowledged messages are sent again; the app above never learns of it.

use std::{io, net::SocketAddr, time::Duration};

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use thiserror::Error;
use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};
use tokio_tungstenite::{WebSocketStream, client_async_with_config, tungstenite::Message as Frame};

use super::{
    LOST, PORT,
    link::Ledger,
    message::{Envelope, Message},
    record, web_socket,
};
use crate::{
    socket::TcpStream,
    trace::{SERVICE, SignalDirection},
    world::{Host, Sim},
};

/// The error of a signaling connection.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SignalingError {
    /// The connection could not be made.
    #[error("the signaling server cannot be reached: {0}")]
    Connect(#[from] io::Error),
    /// The WebSocket failed.
    #[error("the WebSocket: {0}")]
    WebSocket(String),
    /// The connection is gone.
    #[error("the signaling connection is closed")]
    Closed,
}

/// The number of connections and messages that a client may count in one life of its host: the counts go on after a
/// crash, as in a client that stores its counters.
const PER_LIFE: u64 = 1_000_000;

type Sent = oneshot::Sender<Result<(), SignalingError>>;
type Socket = WebSocketStream<TcpStream>;

/// The first pause before a client reconnects; each further one is twice as long, up to [`MAX_BACKOFF`].
const MIN_BACKOFF: Duration = Duration::from_millis(250);
/// The longest pause before a client reconnects.
const MAX_BACKOFF: Duration = Duration::from_secs(2);

/// The time after the last answer at which the client probes whether a connection lives.
const PING_AFTER: Duration = Duration::from_secs(2);
/// The time after the last answer at which the client gives a connection up, and the limit for making one: TCP alone
/// bears a lossy link for minutes, each retransmission waiting twice as long as the one before.
const DEAD_AFTER: Duration = Duration::from_secs(5);

/// A registered client. Cheap to clone; the session ends when the last clone is dropped.
#[derive(Clone)]
pub struct Client {
    host: Host,
    outbox: mpsc::UnboundedSender<(Envelope, Sent)>,
}

impl Client {
    /// Connects `host` to the server and registers as `name`, with as many attempts as it takes, and again whenever the
    /// connection is lost. Messages for the client arrive at the returned receiver, which ends with the session.
    pub async fn connect(
        host: &Host,
        server: &Host,
        name: &str,
    ) -> (Self, mpsc::UnboundedReceiver<Envelope>) {
        let mut session = Session {
            host: host.clone(),
            address: SocketAddr::new(server.addresses()[0], PORT),
            name: name.to_owned(),
            acks: false,
            copies: false,
            connections: u64::from(host.life()) * PER_LIFE,
            ledger: Ledger::beginning_at(u64::from(host.life()) * PER_LIFE),
        };
        let socket = session.connect().await;
        let (outbox, outgoing) = mpsc::unbounded_channel();
        let (inbox, incoming) = mpsc::unbounded_channel();
        host.spawn("signaling client", session.run(socket, outgoing, inbox));
        let host = host.clone();
        (Self { host, outbox }, incoming)
    }

    /// Sends `message` to the client `to`, and returns when it has been written to the connection.
    ///
    /// # Errors
    /// [`SignalingError`] if the message is lost. A service that acknowledges loses none.
    pub async fn send(&self, to: &str, message: Message) -> Result<(), SignalingError> {
        let (sent, written) = oneshot::channel();
        let envelope = Envelope::to(to, message);
        // The message is recorded now, whenever it goes out: it cannot be taken back.
        record(self.host.sim(), SignalDirection::Sent, SERVICE, &envelope);
        self.outbox
            .send((envelope, sent))
            .map_err(|_| SignalingError::Closed)?;
        written.await.unwrap_or(Err(SignalingError::Closed))
    }
}

/// A client's side of its connections.
struct Session {
    host: Host,
    address: SocketAddr,
    name: String,
    acks: bool,
    // Whether the app gets every copy of a message.
    copies: bool,
    connections: u64,
    ledger: Ledger,
}

/// The reason why a connection is not used any more.
enum Over {
    /// No client uses the session any more.
    Unused,
    /// The connection is lost.
    Lost,
}

impl Session {
    /// Connects and registers, with as many attempts as it takes.
    async fn connect(&mut self) -> Socket {
        let mut pause = MIN_BACKOFF;
        loop {
            let error = match timeout(DEAD_AFTER, self.register()).await {
                Ok(Ok(socket)) => return socket,
                Ok(Err(error)) => error.to_string(),
                Err(_) => "it takes too long".to_owned(),
            };
            self.sim().step("signaling is not reached", error);
            self.sim().sleep(pause).await;
            pause = (pause * 2).min(MAX_BACKOFF);
        }
    }

    async fn register(&mut self) -> Result<Socket, SignalingError> {
        let stream = TcpStream::connect(&self.host, self.address).await?;
        let (mut socket, _) = client_async_with_config("ws://signaling/", stream, Some(web_socket()))
            .await
            .map_err(|e| SignalingError::WebSocket(e.to_string()))?;
        let (client, connection) = (self.name.clone(), self.connections);
        self.connections += 1;
        let register = Message::Register { client, connection };
        self.write(&mut socket, &Envelope::direct(register)).await?;
        let Some(Ok(frame)) = socket.next().await else {
            return Err(SignalingError::Closed);
        };
        let envelope = read(&frame).ok_or(SignalingError::Closed)?;
        let Message::Registered { acks, copies } = envelope.message else {
            return Err(SignalingError::Closed);
        };
        record(self.sim(), SignalDirection::Received, SERVICE, &envelope);
        (self.acks, self.copies) = (acks, copies);
        Ok(socket)
    }

    /// Moves messages between the connections and the two queues until no client uses them.
    async fn run(
        mut self,
        mut socket: Socket,
        mut outgoing: mpsc::UnboundedReceiver<(Envelope, Sent)>,
        inbox: mpsc::UnboundedSender<Envelope>,
    ) {
        while let Over::Lost = self.exchange(&mut socket, &mut outgoing, &inbox).await {
            self.sim().step(LOST, "");
            socket = tokio::select! {
                biased;
                () = inbox.closed() => return,
                socket = self.connect() => socket,
            };
            self.sim().mark("signaling-reconnected");
            self.ledger.reconnected(self.sim().now());
        }
        let _ = socket.close(None).await;
    }

    /// Uses one connection until it is lost. It is probed only if messages are acknowledged.
    async fn exchange(
        &mut self,
        socket: &mut Socket,
        outgoing: &mut mpsc::UnboundedReceiver<(Envelope, Sent)>,
        inbox: &mpsc::UnboundedSender<Envelope>,
    ) -> Over {
        let sim = self.sim().clone();
        let (mut answered, mut asked) = (sim.now(), sim.now());
        loop {
            let ask = answered.max(asked) + PING_AFTER;
            let next = self.ledger.next_due().map_or(ask, |due| due.min(ask));
            tokio::select! {
                biased;
                posted = outgoing.recv() => {
                    let Some((mut envelope, sent)) = posted else { return Over::Unused };
                    if self.acks {
                        self.ledger.sends(&mut envelope, sim.now());
                    }
                    let written = self.pass(socket, &envelope).await;
                    let lost = written.is_err();
                    // An error means that the caller has stopped waiting. A message in the ledger is not lost.
                    let _ = sent.send(if self.acks { Ok(()) } else { written });
                    if lost {
                        return Over::Lost;
                    }
                }
                () = sim.sleep(next - sim.now()), if self.acks => {
                    if sim.now() - answered >= DEAD_AFTER {
                        return Over::Lost;
                    }
                    if sim.now() >= ask {
                        asked = sim.now();
                        if socket.send(Frame::Ping(Bytes::new())).await.is_err() {
                            return Over::Lost;
                        }
                    }
                    for envelope in self.ledger.due(sim.now()) {
                        // Only the first transmission of a message is recorded.
                        sim.mark("signal-sent-again");
                        if self.pass(socket, &envelope).await.is_err() {
                            return Over::Lost;
                        }
                    }
                }
                frame = socket.next() => {
                    let Some(Ok(frame)) = frame else { return Over::Lost };
                    // Only a pong proves that what we send arrives too.
                    if frame.is_pong() {
                        answered = sim.now();
                    }
                    let Some(envelope) = read(&frame) else { continue };
                    match self.take(socket, envelope).await {
                        Ok(Some(envelope)) => {
                            if inbox.send(envelope).is_err() {
                                return Over::Unused;
                            }
                        }
                        Ok(None) => {}
                        Err(_) => return Over::Lost,
                    }
                }
            }
        }
    }

    /// Handles a message from the connection; returns it if the app has to handle it.
    async fn take(
        &mut self,
        socket: &mut Socket,
        envelope: Envelope,
    ) -> Result<Option<Envelope>, SignalingError> {
        if let Message::Ack { of, absent } = envelope.message {
            self.ledger
                .acknowledged(envelope.from.as_deref().unwrap_or_default(), of, absent);
            return Ok(None);
        }
        let (ack, first) = self.ledger.receives(&envelope);
        let reaches_app = first || self.copies;
        if reaches_app {
            record(self.sim(), SignalDirection::Received, SERVICE, &envelope);
        }
        if !first {
            self.sim().mark(match self.copies {
                true => "copy-reached-app",
                false => "duplicate-message-dropped",
            });
        }
        if let Some(ack) = ack {
            self.write(socket, &ack).await?;
        }
        Ok(reaches_app.then_some(envelope))
    }

    async fn write(&self, socket: &mut Socket, envelope: &Envelope) -> Result<(), SignalingError> {
        record(self.sim(), SignalDirection::Sent, SERVICE, envelope);
        self.pass(socket, envelope).await
    }

    async fn pass(&self, socket: &mut Socket, envelope: &Envelope) -> Result<(), SignalingError> {
        let frame = Frame::text(envelope.to_json());
        let written = socket.send(frame).await;
        written.map_err(|e| SignalingError::WebSocket(e.to_string()))
    }

    fn sim(&self) -> &Sim {
        self.host.sim()
    }
}

fn read(frame: &Frame) -> Option<Envelope> {
    frame.to_text().ok().and_then(|text| Envelope::parse(text).ok())
}
