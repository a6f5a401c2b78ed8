//! The signaling server: registers clients and passes messages between them.

use std::{
    collections::BTreeMap,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use futures_util::{SinkExt, StreamExt};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message as Frame;

use super::{
    Ordering, PORT, SignalingSpec,
    message::{Envelope, Message},
    push::{Notification, PushService},
    record,
};
use crate::{
    peer::{Description, DescriptionKind},
    socket::{TcpListener, TcpStream},
    trace::{EventKind, SignalDirection},
    world::Host,
};

/// The running server. Cheap to clone.
#[derive(Clone)]
pub struct Server {
    shared: Arc<Shared>,
}

struct Shared {
    host: Host,
    spec: SignalingSpec,
    push: PushService,
    clients: Mutex<BTreeMap<String, mpsc::UnboundedSender<Envelope>>>,
}

impl Server {
    /// Starts the server on `host`.
    ///
    /// # Errors
    /// When its port cannot be bound.
    pub async fn start(host: &Host, spec: SignalingSpec, push: PushService) -> io::Result<Self> {
        let address = SocketAddr::new(host.addresses()[0], PORT);
        let listener = TcpListener::bind(host, address).await?;
        let server = Self {
            shared: Arc::new(Shared {
                host: host.clone(),
                spec,
                push,
                clients: Mutex::default(),
            }),
        };
        let accepting = server.clone();
        host.spawn("signaling server", async move {
            while let Ok((stream, _)) = listener.accept().await {
                let server = accepting.clone();
                server
                    .shared
                    .host
                    .clone()
                    .spawn("signaling connection", server.serve(stream));
            }
        });
        Ok(server)
    }

    /// Serves one client until its connection ends.
    async fn serve(self, stream: TcpStream) {
        let Ok(mut socket) = tokio_tungstenite::accept_async(stream).await else {
            return;
        };
        let Some(Ok(first)) = socket.next().await else {
            return;
        };
        let Some(Message::Register { client }) = parse(&first).map(|e| e.message) else {
            let _ = socket.send(error(None, "register-first")).await;
            return;
        };
        let (outbox, mut outgoing) = mpsc::unbounded_channel();
        self.clients().insert(client.clone(), outbox.clone());
        let _ = outbox.send(Envelope::direct(Message::Registered));
        let work = self.worker(&client);
        loop {
            tokio::select! {
                biased;
                envelope = outgoing.recv() => {
                    let Some(envelope) = envelope else { break };
                    record(self.shared.host.sim(), SignalDirection::Sent, &client, &envelope);
                    if socket.send(Frame::text(envelope.to_json())).await.is_err() {
                        break;
                    }
                }
                frame = socket.next() => {
                    let Some(Ok(frame)) = frame else { break };
                    match parse(&frame) {
                        Some(envelope) => {
                            record(self.shared.host.sim(), SignalDirection::Received, &client, &envelope);
                            let _ = work.send(envelope);
                        }
                        None if frame.is_text() => {
                            let _ = socket.send(error(None, "malformed")).await;
                        }
                        None => {}
                    }
                }
            }
        }
        self.forget(&client, &outbox);
    }

    /// Handles the messages of `client` as the plan orders them.
    fn worker(&self, client: &str) -> mpsc::UnboundedSender<Envelope> {
        let (sender, mut queue) = mpsc::unbounded_channel::<Envelope>();
        let (server, client) = (self.clone(), client.to_owned());
        self.shared.host.clone().spawn("signaling worker", async move {
            while let Some(envelope) = queue.recv().await {
                let handled = server.clone().handle(client.clone(), envelope);
                match server.shared.spec.ordering {
                    Ordering::InOrder => handled.await,
                    Ordering::Concurrent => drop(server.shared.host.spawn("signaling message", handled)),
                }
            }
        });
        sender
    }

    /// Handles one message: takes its time, then passes it on.
    async fn handle(self, from: String, mut envelope: Envelope) {
        let sim = self.shared.host.sim().clone();
        let spec = &self.shared.spec;
        let (kind, latency) = match envelope.message {
            Message::Offer { .. } | Message::Answer { .. } => ("descriptions", &spec.descriptions),
            _ => ("others", &spec.others),
        };
        sim.sleep(sim.draw(&format!("signaling/{from}/{kind}"), latency))
            .await;
        let Some(to) = envelope.to.clone() else { return };
        if let Message::Dial { call } = envelope.message {
            envelope.message = Message::Ring { call };
        }
        envelope.from = Some(from.clone());
        let Some(undelivered) = self.pass_on(&to, envelope) else {
            return;
        };
        if !self.wake(&from, &to, &undelivered.message) {
            self.undeliverable(&from, &to, &undelivered.message);
        }
    }

    /// Gives a message to its client; gives it back if the client is not connected.
    fn pass_on(&self, to: &str, envelope: Envelope) -> Option<Envelope> {
        match self.clients().get(to) {
            Some(outbox) => outbox.send(envelope).err().map(|e| e.0),
            None => Some(envelope),
        }
    }

    /// Pushes an offer to a client that is not connected. Its `ring` travels with it.
    fn wake(&self, from: &str, to: &str, message: &Message) -> bool {
        let Some(latency) = &self.shared.spec.push else {
            return false;
        };
        match message {
            Message::Ring { .. } => true,
            Message::Offer {
                call, attempt, sdp, ..
            } => {
                let delay = self.shared.host.sim().draw(&format!("push/{to}"), latency);
                let notification = Notification {
                    call: call.clone(),
                    from: from.to_owned(),
                    attempt: *attempt,
                    offer: Description {
                        kind: DescriptionKind::Offer,
                        sdp: sdp.clone(),
                    },
                };
                self.shared.push.notify(to, delay, notification)
            }
            _ => false,
        }
    }

    /// A message has nobody to go to. Who dials is told; anything else is simply gone.
    fn undeliverable(&self, from: &str, to: &str, message: &Message) {
        let sim = self.shared.host.sim();
        sim.record(EventKind::SignalUndeliverable {
            to: to.to_owned(),
            message: message.name().to_owned(),
            call: message.call().map(str::to_owned),
        });
        if let Message::Candidate { .. } = message {
            sim.mark("candidate-to-absent-callee");
        }
        if let Message::Ring { call } | Message::Offer { call, .. } = message {
            let absent = Message::Error {
                call: Some(call.clone()),
                code: "absent".into(),
            };
            self.pass_on(from, Envelope::direct(absent));
        }
    }

    fn forget(&self, client: &str, outbox: &mpsc::UnboundedSender<Envelope>) {
        let mut clients = self.clients();
        // A client that has connected anew keeps its new place.
        if clients
            .get(client)
            .is_some_and(|current| current.same_channel(outbox))
        {
            clients.remove(client);
        }
    }

    fn clients(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, mpsc::UnboundedSender<Envelope>>> {
        self.shared.clients.lock().expect("no panic while it is held")
    }
}

fn parse(frame: &Frame) -> Option<Envelope> {
    frame.to_text().ok().and_then(|text| Envelope::parse(text).ok())
}

fn error(call: Option<String>, code: &str) -> Frame {
    let message = Message::Error {
        call,
        code: code.to_owned(),
    };
    Frame::text(Envelope::direct(message).to_json())
}
