//! The signaling server: registers clients and passes messages between them.

use std::{
    collections::BTreeMap,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use futures_util::{SinkExt, StreamExt};
use tokio::sync::{mpsc, watch};
use tokio_tungstenite::{accept_async_with_config, tungstenite::Message as Frame};

use super::{
    Ordering, PORT, SignalingSpec,
    conditions::{Conditions, MessageFate, Served},
    held,
    message::{Envelope, Message},
    push::{Notification, PushService},
    record, web_socket,
};
use crate::{
    peer::{Description, DescriptionKind},
    socket::{TcpListener, TcpStream},
    trace::{EventKind, FaultId, SignalDirection},
    world::Host,
};

/// The running server. Cheap to clone.
#[derive(Clone)]
pub struct Server {
    shared: Arc<Running>,
}

/// The state of a running server.
struct Running {
    host: Host,
    spec: SignalingSpec,
    push: PushService,
    conditions: Arc<Conditions>,
    clients: Mutex<Registry>,
    // Changes when every connection is cut.
    cuts: watch::Sender<()>,
    // Changes when the server loses the messages in hand.
    life: watch::Sender<u32>,
}

/// The registered connection of each client, and the channel to it.
type Registry = BTreeMap<String, (u64, mpsc::UnboundedSender<Envelope>)>;

/// A message that the server has accepted for handling.
struct Taken {
    envelope: Envelope,
    life: u32,
    delay: Duration,
}

impl Served for Running {
    fn is_up(&self) -> bool {
        self.host.is_up()
    }

    /// Cuts every connection; no client is registered any more.
    fn cut(&self, fault: FaultId) {
        self.clients.lock().expect("no panic while it is held").clear();
        if self.cuts.receiver_count() > 0 {
            let host = &self.host;
            host.run(|| host.sim().record(EventKind::FaultHit { fault }));
        }
        self.cuts.send_replace(());
    }

    fn forget_everything(&self) {
        self.life.send_modify(|life| *life += 1);
    }
}

impl Server {
    /// Starts the server on `host`. A server that a fault keeps down refuses every client until that fault ends.
    ///
    /// # Errors
    /// Fails if the port cannot be bound.
    pub async fn start(host: &Host, spec: SignalingSpec, push: PushService) -> io::Result<Self> {
        let server = Self {
            shared: Arc::new(Running {
                host: host.clone(),
                spec,
                push,
                conditions: host.sim().part(),
                clients: Mutex::default(),
                cuts: watch::Sender::new(()),
                life: watch::Sender::new(0),
            }),
        };
        let address = SocketAddr::new(host.addresses()[0], PORT);
        let listener = TcpListener::bind(host, address).await?;
        host.spawn("signaling server", server.clone().listen(listener));
        let shared: Arc<dyn Served> = server.shared.clone();
        server.shared.conditions.served_by(Arc::downgrade(&shared));
        Ok(server)
    }

    /// Accepts connections.
    async fn listen(self, listener: TcpListener) {
        while let Ok((stream, _)) = listener.accept().await {
            if let Some(fault) = self.shared.conditions.down() {
                self.host().sim().record(EventKind::FaultHit { fault });
                // The simulated kernel has no SO_REUSEADDR, without which the port could not be bound again while old
                // connections linger: a server that is down keeps it, and its clients meet a connection that ends at
                // once instead of a refusal.
                continue;
            }
            let (serving, mut cuts) = (self.clone(), self.shared.cuts.subscribe());
            self.shared.host.spawn("signaling connection", async move {
                tokio::select! {
                    biased;
                    _ = cuts.changed() => {}
                    () = serving.serve(stream) => {}
                }
            });
        }
    }

    fn host(&self) -> &Host {
        &self.shared.host
    }

    /// Serves one client until its connection ends.
    async fn serve(self, stream: TcpStream) {
        let Ok(mut socket) = accept_async_with_config(stream, Some(web_socket())).await else {
            return;
        };
        let Some(Ok(first)) = socket.next().await else {
            return;
        };
        let Some(Message::Register { client, connection }) = parse(&first).map(|e| e.message) else {
            let _ = socket.send(error(None, "register-first")).await;
            return;
        };
        let (outbox, mut outgoing) = mpsc::unbounded_channel();
        if !self.register(&client, connection, &outbox) {
            return;
        }
        let (acks, copies) = (self.shared.spec.acknowledged, self.shared.spec.passes_copies);
        let _ = outbox.send(Envelope::direct(Message::Registered { acks, copies }));
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
                        Some(envelope) if matches!(envelope.message, Message::Ack { .. }) => {
                            self.acknowledge(&client, envelope);
                        }
                        Some(envelope) => {
                            record(self.shared.host.sim(), SignalDirection::Received, &client, &envelope);
                            for taken in self.take(&client, envelope) {
                                let _ = work.send(taken);
                            }
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

    /// Accepts a message of `client`; returns one copy, unless a fault of the plan drops or duplicates it.
    fn take(&self, client: &str, envelope: Envelope) -> Vec<Taken> {
        let sim = self.shared.host.sim();
        let (mut delay, mut copies) = (Duration::ZERO, 1);
        if let Some((fault, verdict)) = self.shared.conditions.meets(client) {
            sim.record(EventKind::SignalImpaired {
                fault,
                message: envelope.message.name().to_owned(),
                call: envelope.message.call().map(str::to_owned),
            });
            match verdict {
                MessageFate::Delay { ms } => delay = Duration::from_millis(ms),
                MessageFate::Drop => copies = 0,
                MessageFate::Duplicate => copies = 2,
            }
        }
        let life = *self.shared.life.borrow();
        let taken = |envelope| Taken {
            envelope,
            life,
            delay,
        };
        std::iter::repeat_n(envelope, copies).map(taken).collect()
    }

    /// Passes an acknowledgement on at once, without handling time.
    fn acknowledge(&self, from: &str, mut ack: Envelope) {
        ack.from = Some(from.to_owned());
        if let Some(to) = ack.to.clone() {
            // The sender sends the message again when it is back.
            let _ = self.pass_on(&to, ack);
        }
    }

    /// Starts the task that handles the messages of `client`, in the order of the specification.
    fn worker(&self, client: &str) -> mpsc::UnboundedSender<Taken> {
        let (sender, mut queue) = mpsc::unbounded_channel::<Taken>();
        let (server, client) = (self.clone(), client.to_owned());
        self.shared.host.clone().spawn("signaling worker", async move {
            while let Some(taken) = queue.recv().await {
                let handled = server.clone().handle(client.clone(), taken);
                match server.shared.spec.ordering {
                    Ordering::InOrder => handled.await,
                    Ordering::Concurrent => drop(server.shared.host.spawn("signaling message", handled)),
                }
            }
        });
        sender
    }

    /// Handles one message: waits for the handling time, then passes it on.
    async fn handle(self, from: String, taken: Taken) {
        let Taken {
            mut envelope,
            life,
            delay,
        } = taken;
        let sim = self.shared.host.sim().clone();
        let spec = &self.shared.spec;
        let (kind, latency) = match envelope.message {
            Message::Offer { .. } | Message::Answer { .. } => ("descriptions", &spec.descriptions),
            _ => ("others", &spec.others),
        };
        let takes = sim.draw(&format!("signaling/{from}/{kind}"), latency);
        if !held::until_its_turn(self.host(), &from, &envelope).await {
            sim.sleep(delay + takes).await;
        }
        if life != *self.shared.life.borrow() {
            return;
        }
        let Some(to) = envelope.to.clone() else { return };
        if let Message::Dial { call } = envelope.message {
            envelope.message = Message::Ring { call };
        }
        envelope.from = Some(from.clone());
        let Some(undelivered) = self.pass_on(&to, envelope) else {
            return;
        };
        let woken = self.wake(&from, &to, &undelivered.message);
        if !woken {
            self.undeliverable(&from, &to, &undelivered.message);
        }
        if let Some(of) = undelivered.seq {
            let absent = !woken;
            self.acknowledge(&to, Envelope::to(&from, Message::Ack { of, absent }));
        }
    }

    /// Passes a message to its receiver; returns it if the receiver is not connected.
    fn pass_on(&self, to: &str, envelope: Envelope) -> Option<Envelope> {
        match self.clients().get(to) {
            Some((_, outbox)) => outbox.send(envelope).err().map(|e| e.0),
            None => Some(envelope),
        }
    }

    /// Pushes an offer to a client that is not connected. The notification replaces `ring` too.
    fn wake(&self, from: &str, to: &str, message: &Message) -> bool {
        let Some(latency) = &self.shared.spec.push else {
            return false;
        };
        match message {
            Message::Ring { .. } => true,
            Message::Offer {
                call, attempt, sdp, ..
            } => {
                let sim = self.shared.host.sim();
                let mut delay = sim.draw(&format!("push/{to}"), latency);
                if let Some((fault, by)) = self.shared.conditions.push_delay() {
                    sim.record(EventKind::FaultHit { fault });
                    delay += by;
                }
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

    /// Records a message that has no receiver, and tells the sender of a `dial`; any other message is lost.
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

    /// Registers a connection of `client`, unless a later one is registered.
    fn register(&self, client: &str, connection: u64, outbox: &mpsc::UnboundedSender<Envelope>) -> bool {
        let mut clients = self.clients();
        let late = clients
            .get(client)
            .is_some_and(|(newest, _)| *newest > connection);
        if late {
            self.shared.host.sim().mark("late-registration-refused");
        } else {
            clients.insert(client.to_owned(), (connection, outbox.clone()));
        }
        !late
    }

    fn forget(&self, client: &str, outbox: &mpsc::UnboundedSender<Envelope>) {
        let mut clients = self.clients();
        // A client that has connected anew keeps its new registration.
        if clients
            .get(client)
            .is_some_and(|(_, current)| current.same_channel(outbox))
        {
            clients.remove(client);
        }
    }

    fn clients(&self) -> MutexGuard<'_, Registry> {
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
