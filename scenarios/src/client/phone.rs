//! The app on one host, in one life of it: the state that all its calls share, and its connection to the signaling
//! service.
//!
//! It owns no call: every call has a task of its own.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, atomic::AtomicI64},
};

use sleet::{
    driver::{Launch, Screen},
    fault::{Checkpoints, Plan},
    signaling::{
        client::Client,
        message::{Envelope, Message},
        push::Notification,
    },
    trace::EventKind,
    world::Host,
};
use tokio::{sync::mpsc, task::JoinHandle};

use super::{Make, factory::Factories, mistake::Mistake, outbox::Outbox, registry::Registry};

/// The app on one host. It has the name of its host.
pub(super) struct Phone {
    pub host: Host,
    pub make: Make,
    pub plan: Arc<Plan>,
    pub screen: Screen,
    pub outbox: Outbox,
    pub factories: Factories,
    // Only a broken client counts the calls that it waits for.
    pub counter: AtomicI64,
    checkpoints: Checkpoints,
    registry: Mutex<Registry>,
    // The tasks that run for as long as the app does.
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

impl Phone {
    /// Starts the app: it goes online, or sleeps until a notification wakes it.
    pub fn start(make: Make, launch: Launch) -> Arc<Self> {
        let Launch {
            host,
            plan,
            screen,
            pushes,
            ..
        } = launch;
        let phone = Arc::new(Self {
            make,
            screen,
            outbox: Outbox::new(),
            factories: Factories::new(&host),
            counter: AtomicI64::new(0),
            checkpoints: Checkpoints::new(&host, &plan),
            registry: Mutex::default(),
            tasks: Mutex::default(),
            host,
            plan,
        });
        phone.keep(phone.host.spawn("outbox", phone.clone().send_what_waits()));
        match pushes {
            None => phone.keep(phone.host.spawn("go online", phone.clone().go_online())),
            Some(pushes) => {
                phone.keep(
                    phone
                        .host
                        .spawn("asleep", phone.clone().sleep_until_pushed(pushes)),
                );
            }
        }
        phone
    }

    /// Marks a step, which may take a while: every await of the app that a plan can slow down is here.
    pub async fn pause(&self, step: &str) {
        self.checkpoints.pause(step).await;
    }

    /// Connects to the signaling server and listens from then on.
    async fn go_online(self: Arc<Self>) {
        self.pause("connect").await;
        let Some(service) = &self.plan.signaling else {
            return;
        };
        let server = self.host.sim().host(&service.host);
        let (client, incoming) = Client::connect(&self.host, &server, self.host.name()).await;
        self.host.sim().step("online", "");
        self.outbox.connect(Some(client));
        self.keep(self.host.spawn("listen", self.clone().listen(incoming)));
    }

    /// Waits until a push notification wakes the app, and goes online for it.
    async fn sleep_until_pushed(self: Arc<Self>, mut pushes: mpsc::UnboundedReceiver<Notification>) {
        while let Some(push) = pushes.recv().await {
            // A second push can come for an app that has only lost its connection.
            if !self.outbox.is_online() {
                self.clone().go_online().await;
            }
            let offer = Message::Offer {
                ufrag: push.offer.ufrag().unwrap_or_default().to_owned(),
                call: push.call,
                attempt: push.attempt,
                sdp: push.offer.sdp,
                restarts: None,
            };
            self.handle(&push.from, offer);
        }
    }

    async fn listen(self: Arc<Self>, mut incoming: mpsc::UnboundedReceiver<Envelope>) {
        while let Some(envelope) = incoming.recv().await {
            self.handle(&envelope.from.unwrap_or_default(), envelope.message);
        }
    }

    /// Sends queued messages for as long as the app runs.
    async fn send_what_waits(self: Arc<Self>) {
        loop {
            let signaling = self.outbox.ready().await;
            self.pause("send").await;
            self.outbox.hand_over(&signaling).await;
        }
    }

    /// Ends the signaling connection and everything that runs for as long as the app does.
    pub fn close_down(&self) {
        self.outbox.connect(None);
        for task in self.tasks().drain(..) {
            task.abort();
        }
    }

    /// Reports whether this client makes `mistake`.
    pub fn makes(&self, mistake: Mistake) -> bool {
        self.make.mistake == Some(mistake)
    }

    /// Records that a step failed.
    pub fn failed(&self, step: &str, error: &dyn fmt::Display) {
        let sim = self.host.sim();
        self.host.run(|| {
            sim.record(EventKind::Failed {
                step: step.to_owned(),
                error: error.to_string(),
            });
        });
    }

    pub fn registry(&self) -> MutexGuard<'_, Registry> {
        self.registry.lock().expect("no panic while it is held")
    }

    fn keep(&self, task: JoinHandle<()>) {
        self.tasks().push(task);
    }

    fn tasks(&self) -> MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.tasks.lock().expect("no panic while it is held")
    }
}
