//! A call client: what a calling app does between its user, its signaling connection and its peers.
//!
//! It is written the way such apps are: a callback or a message launches a task, and each task awaits its
//! steps. Before every step it asks the fault plan whether to pause there. How it handles candidates is its
//! [`Policy`]; everything else is the same for all policies.

mod attempt;
mod exchange;
mod incoming;
pub mod policy;
mod recover;
mod slot;
mod standing;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use attempt::Attempt;
pub use policy::Policy;
use sleet::{
    fault::{Act, Plan, Stretcher, When},
    peer::{Description, IceTimeouts, PeerError},
    servers::{self, IceServer},
    signaling::{
        client::{Client, SignalingError},
        message::Message,
        push::Notification,
    },
    trace::EventKind,
    world::Host,
};
use slot::Slot;
pub use standing::Standing;
use thiserror::Error;
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
};

/// What can go wrong in a step of a call.
#[derive(Debug, Error)]
enum CallError {
    #[error(transparent)]
    Peer(#[from] PeerError),
    #[error(transparent)]
    Signaling(#[from] SignalingError),
    #[error("there is no such call")]
    UnknownCall,
    /// Another attempt, or a hangup, came in between: nothing went wrong.
    #[error("the attempt is over")]
    Superseded,
}

/// A calling app on one host. It has the name of its host.
pub struct App {
    host: Host,
    server: Host,
    policy: Policy,
    stretch: Stretcher,
    pick_up_after: Option<Duration>,
    ice_servers: Vec<IceServer>,
    ice_timeouts: Option<IceTimeouts>,
    signaling: watch::Sender<Option<Client>>,
    slots: Mutex<BTreeMap<String, Slot>>,
    others: Mutex<BTreeMap<String, String>>,
    // Calls that are over: what still comes for them comes too late.
    over: Mutex<BTreeSet<String>>,
    standing: Standing,
    // What runs for as long as the app does.
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

impl App {
    /// The app on `host`, not connected yet.
    pub fn new(
        host: &Host,
        server: &Host,
        policy: Policy,
        plan: &Arc<Plan>,
        standing: Standing,
    ) -> Arc<Self> {
        let pick_up_after = plan.script.iter().find_map(|s| match (&s.act, s.when) {
            (Act::Answer, When::Rung { ms }) if s.host == host.name() => Some(Duration::from_millis(ms)),
            _ => None,
        });
        Arc::new(Self {
            host: host.clone(),
            server: server.clone(),
            policy,
            stretch: Stretcher::new(host, plan),
            pick_up_after,
            ice_servers: plan
                .ice_servers
                .iter()
                .map(|s| servers::address_of(&host.sim().host(&s.host), s.turn))
                .collect(),
            ice_timeouts: plan.ice_timeouts,
            signaling: watch::Sender::new(None),
            slots: Mutex::default(),
            others: Mutex::default(),
            over: Mutex::default(),
            standing,
            tasks: Mutex::default(),
        })
    }

    /// The host that it runs on.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// Connects to the signaling server and listens from then on.
    pub async fn go_online(self: Arc<Self>) {
        self.stretch.pause("connect").await;
        let (client, incoming) = Client::connect(&self.host, &self.server, self.host.name()).await;
        self.host.sim().step("online", "");
        self.signaling.send_replace(Some(client));
        self.keep(self.host.spawn("client", self.clone().listen(incoming)));
    }

    /// Waits for a push notification, and comes online for it.
    pub async fn sleep_until_pushed(self: Arc<Self>, mut pushes: mpsc::UnboundedReceiver<Notification>) {
        while let Some(push) = pushes.recv().await {
            // A push can come a second time, for an app that has only lost its connection.
            if self.signaling.borrow().is_none() {
                self.clone().go_online().await;
            }
            let Notification {
                call,
                from,
                attempt,
                offer,
            } = push;
            if self.is_over(&call) {
                continue;
            }
            self.note_other(&call, &from);
            let offered = self.clone().offered(call, attempt, offer).await;
            self.report("offer from push", offered);
        }
    }

    /// Ends `task` when the app goes offline.
    pub fn keep(&self, task: JoinHandle<()>) {
        self.tasks.lock().expect("no panic while it is held").push(task);
    }

    /// The user acts.
    pub async fn act(self: Arc<Self>, act: Act) {
        let done = match act {
            Act::Dial { to, call } => self.dial(call, to).await,
            Act::Retry { call } => self.retry(call).await,
            Act::Hangup { call } => {
                self.host.sim().record(EventKind::HungUp { call: call.clone() });
                self.hang_up(&call).await;
                Ok(())
            }
            // The app picks up by itself, as long after it began to ring as the script says.
            // What else there is takes an app that has more than one call.
            _ => Ok(()),
        };
        self.report("user action", done);
    }

    /// Hangs up every call.
    pub async fn hang_up_all(self: Arc<Self>) {
        let calls: Vec<String> = self.others().keys().cloned().collect();
        for call in calls {
            self.hang_up(&call).await;
        }
    }

    /// Ends `call` here and tells the other side.
    async fn hang_up(&self, call: &str) {
        self.host.sim().step("hang up", call);
        let (to, signaling) = (self.others().get(call).cloned(), self.signaling.borrow().clone());
        if let (Some(to), Some(signaling)) = (to, signaling) {
            let call = call.to_owned();
            // Who cannot be told finds out from ICE.
            let _ = signaling.send(&to, Message::Hangup { call }).await;
        }
        self.end(call).await;
    }

    /// Ends the signaling connection, and does not wake for pushes any more.
    pub fn go_offline(&self) {
        self.signaling.send_replace(None);
        for task in self.tasks.lock().expect("no panic while it is held").drain(..) {
            task.abort();
        }
    }

    /// Lets go of everything: the host has crashed.
    pub fn abandon(&self) {
        self.signaling.send_replace(None);
        for slot in std::mem::take(&mut *self.slots()).into_values() {
            slot.attempt.iter().for_each(|attempt| attempt.outbox.shut());
        }
    }

    async fn dial(self: &Arc<Self>, call: String, to: String) -> Result<(), CallError> {
        self.host.sim().record(EventKind::Dialed {
            call: call.clone(),
            to: to.clone(),
        });
        self.note_other(&call, &to);
        let signaling = self.online().await;
        self.check_live(&call)?;
        signaling.send(&to, Message::Dial { call: call.clone() }).await?;
        self.offer(call, to).await
    }

    async fn retry(self: &Arc<Self>, call: String) -> Result<(), CallError> {
        self.host.sim().record(EventKind::Retried { call: call.clone() });
        self.try_again(call).await
    }

    async fn try_again(self: &Arc<Self>, call: String) -> Result<(), CallError> {
        let to = self.others().get(&call).cloned().ok_or(CallError::UnknownCall)?;
        self.offer(call, to).await
    }

    /// Ends `call` on this side.
    async fn end(&self, call: &str) {
        self.over
            .lock()
            .expect("no panic while it is held")
            .insert(call.to_owned());
        self.others().remove(call);
        self.standing.over(self.host.name(), call);
        let slot = self.slots().remove(call);
        if let Some(attempt) = slot.and_then(|slot| slot.attempt) {
            attempt.close().await;
        }
    }

    /// Whether `call` has ended here.
    fn is_over(&self, call: &str) -> bool {
        self.over
            .lock()
            .expect("no panic while it is held")
            .contains(call)
    }

    /// Whether the user has not hung up while something was awaited.
    fn check_live(&self, call: &str) -> Result<(), CallError> {
        match self.is_over(call) {
            true => Err(CallError::Superseded),
            false => Ok(()),
        }
    }

    /// Whether `attempt` is still what `call` is about.
    fn check_current(&self, call: &str, attempt: &Arc<Attempt>) -> Result<(), CallError> {
        match self.attempt(call) {
            Some(current) if Arc::ptr_eq(&current, attempt) => Ok(()),
            _ => Err(CallError::Superseded),
        }
    }

    fn attempt(&self, call: &str) -> Option<Arc<Attempt>> {
        self.slots().get(call).and_then(|slot| slot.attempt.clone())
    }

    fn note_other(&self, call: &str, other: &str) {
        self.others()
            .entry(call.to_owned())
            .or_insert_with(|| other.to_owned());
    }

    /// The signaling connection, once there is one.
    async fn online(&self) -> Client {
        let mut signaling = self.signaling.subscribe();
        let client = signaling
            .wait_for(Option::is_some)
            .await
            .expect("the sender lives as long as the app");
        client.clone().expect("waited for")
    }

    fn report(&self, step: &str, done: Result<(), CallError>) {
        match done {
            Ok(()) | Err(CallError::Superseded) => {}
            Err(error) => self.failed(step, &error),
        }
    }

    fn failed(&self, step: &str, error: &dyn fmt::Display) {
        self.host.sim().record(EventKind::Failed {
            step: step.to_owned(),
            error: error.to_string(),
        });
    }

    fn slots(&self) -> MutexGuard<'_, BTreeMap<String, Slot>> {
        self.slots.lock().expect("no panic while it is held")
    }

    fn others(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        self.others.lock().expect("no panic while it is held")
    }
}

fn ufrag_of(description: &Description) -> String {
    description.ufrag().unwrap_or_default().to_owned()
}
