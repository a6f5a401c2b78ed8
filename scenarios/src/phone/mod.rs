//! The calling app of field report B: several calls at once, incoming and outgoing, alone and in groups.
//!
//! - [`Phone`]: the app on one host; here is what all its calls share
//! - `user`: what the user does; `incoming`: what signaling brings, for calls that live and calls that do not
//! - `call`: the owner of one call, a task with a queue; `attempt` and `candidates`: one attempt of it to connect;
//!   `line`: how others reach the owner
//! - `factory`, `postbox`, `book`: the factory of all peers, the messages that wait, who is in which call
//! - [`mistake`]: what broken clients do wrong
//!
//! Only its owner touches a call. The stack's callbacks do nothing but post to it, and ending the call ends whatever
//! the owner is at: no step of a call may outlive it.

mod attempt;
mod book;
mod call;
mod candidates;
mod factory;
mod incoming;
mod line;
pub mod mistake;
mod postbox;
mod user;

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicI64, Ordering::Relaxed},
    },
    time::Duration,
};

use book::Book;
use call::Call;
use factory::Factories;
use line::{Line, Side};
pub use mistake::Mistake;
use postbox::{Letter, Postbox};
use sleet::{
    fault::{Act, Plan, Scripted, Stretcher, When},
    peer::{Description, DescriptionKind, PeerKind},
    signaling::{
        client::Client,
        message::{Envelope, Message},
        push::Notification,
    },
    trace::{CallEvent, EventKind, Outcome, Point},
    world::Host,
};
use tokio::{sync::mpsc, task::JoinHandle};

/// What an app is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Make {
    /// What its peers are made of.
    pub peers: PeerKind,
    /// What it does wrong: nothing, if it is the fixed client.
    pub mistake: Option<Mistake>,
}

/// The app on one host. It has the name of its host.
pub struct Phone {
    host: Host,
    server: Host,
    make: Make,
    plan: Arc<Plan>,
    stretch: Stretcher,
    post: Arc<Postbox>,
    factories: Factories,
    book: Mutex<Book>,
    // Acts of the script that have begun, by their place.
    begun: Mutex<BTreeSet<usize>>,
    // What runs for as long as the app does.
    tasks: Mutex<Vec<JoinHandle<()>>>,
    // Only a broken client counts the calls that it waits for.
    counter: AtomicI64,
}

impl Phone {
    /// The app on `host`, not connected yet.
    pub fn new(host: &Host, server: &Host, make: Make, plan: &Arc<Plan>) -> Arc<Self> {
        let phone = Arc::new(Self {
            host: host.clone(),
            server: server.clone(),
            make,
            plan: plan.clone(),
            stretch: Stretcher::new(host, plan),
            post: Arc::new(Postbox::new()),
            factories: Factories::new(host),
            book: Mutex::default(),
            begun: Mutex::default(),
            tasks: Mutex::default(),
            counter: AtomicI64::new(0),
        });
        let weak = Arc::downgrade(&phone);
        let handed = move |letter: &Letter| {
            if let (Some(phone), Some(call), Some(point)) =
                (weak.upgrade(), letter.message.call(), letter.point)
            {
                phone.reach(call, point);
            }
        };
        let posting = phone.post.clone().run(phone.stretch.clone(), handed);
        phone.keep(host.spawn("postbox", posting));
        phone
    }

    /// The host that it runs on.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// Connects to the signaling server and listens from then on.
    pub async fn go_online(self: Arc<Self>) {
        let (client, incoming) = Client::connect(&self.host, &self.server, self.host.name()).await;
        self.host.sim().step("online", "");
        self.post.connect(Some(client));
        self.keep(self.host.spawn("phone", self.clone().listen(incoming)));
    }

    /// Waits until a push notification wakes it, and comes online for it.
    pub async fn sleep_until_pushed(self: Arc<Self>, mut pushes: mpsc::UnboundedReceiver<Notification>) {
        while let Some(push) = pushes.recv().await {
            // A push can come a second time, for an app that has only lost its connection.
            if !self.post.is_online() {
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

    /// Ends `task` when the app goes offline.
    pub fn keep(&self, task: JoinHandle<()>) {
        let mut tasks = self.tasks.lock().expect("no panic while it is held");
        tasks.push(task);
    }

    /// Ends the signaling connection, and does not wake for pushes any more.
    pub fn go_offline(&self) {
        self.post.connect(None);
        for task in self.tasks.lock().expect("no panic while it is held").drain(..) {
            task.abort();
        }
    }

    /// Begins a call: from here on it has an owner.
    fn open(self: &Arc<Self>, call: &str, other: &str, side: Side, welcome: bool) -> Line {
        let (line, desk) = Line::new(call, other, side);
        self.book().open(line.clone());
        let owner = Call::new(self, line.clone(), welcome);
        self.host.spawn("call", owner.run(desk));
        line
    }

    /// A call came to a point of its life; the script may have waited for it.
    fn reach(self: &Arc<Self>, call: &str, point: Point) {
        if let Some(line) = self.book().line(call) {
            line.note(point);
        }
        self.record(call, CallEvent::Reached { point });
        let reached = |s: &Scripted| match s.when {
            When::Reached { point: p, after_ms } if p == point && s.act.call() == Some(call) => {
                Some(Duration::from_millis(after_ms))
            }
            _ => None,
        };
        self.follow_script(reached);
    }

    /// A call is over; the script may have waited for it.
    fn over(self: &Arc<Self>, call: &str, outcome: Outcome) {
        self.record(call, CallEvent::Over { outcome });
        let over = |s: &Scripted| match s.when {
            When::Over { after_ms } if s.act.call() == Some(call) => Some(Duration::from_millis(after_ms)),
            _ => None,
        };
        self.follow_script(over);
    }

    /// Lets the user begin, once, what `due` says is to begin after a while.
    fn follow_script(self: &Arc<Self>, due: impl Fn(&Scripted) -> Option<Duration>) {
        let here = |s: &&(usize, &Scripted)| s.1.host == self.host.name();
        for (index, scripted) in self.plan.script.iter().enumerate().filter(|s| here(&s)) {
            let Some(after) = due(scripted) else { continue };
            let first = self
                .begun
                .lock()
                .expect("no panic while it is held")
                .insert(index);
            if first {
                self.clone().later(after, scripted.act.clone());
            }
        }
    }

    /// Whatever of the script has not begun by now does not begin any more.
    fn end_script(&self) {
        let mut begun = self.begun.lock().expect("no panic while it is held");
        begun.extend(0..self.plan.script.len());
    }

    /// The user acts after a while.
    pub fn later(self: Arc<Self>, after: Duration, act: Act) {
        let (host, sim) = (self.host.clone(), self.host.sim().clone());
        host.spawn("user", async move {
            sim.sleep(after).await;
            self.act(act).await;
        });
    }

    /// Posts a message of a call to the other end.
    fn tell(&self, to: &str, message: Message, point: Option<Point>) {
        let to = to.to_owned();
        self.post.post(Letter { to, message, point });
    }

    fn record(&self, call: &str, what: CallEvent) {
        let (host, call) = (&self.host, call.to_owned());
        host.run(|| host.sim().record(EventKind::Call { call, what }));
    }

    fn failed(&self, step: &str, error: &dyn std::fmt::Display) {
        self.host.sim().record(EventKind::Failed {
            step: step.to_owned(),
            error: error.to_string(),
        });
    }

    /// Whether this is the client that makes `mistake`.
    fn makes(&self, mistake: Mistake) -> bool {
        self.make.mistake == Some(mistake)
    }

    /// One of the calls that a group waits for is over.
    fn count_down(&self) {
        self.counter.fetch_sub(1, Relaxed);
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().expect("no panic while it is held")
    }
}

fn description(kind: DescriptionKind, sdp: String) -> Description {
    Description { kind, sdp }
}
