//! One attempt to connect: a peer, and when its candidates may be sent.

use std::sync::{Arc, Mutex};

use sleet::{
    peer::Peer,
    signaling::{client::Client, message::Message},
    trace::Candidate,
    world::Sim,
};
use tokio::sync::watch;

use super::{App, policy::Send};

/// Where the candidates of one generation go.
pub(super) struct Outbox {
    app: Arc<App>,
    call: String,
    to: String,
    state: Mutex<State>,
    joined: watch::Sender<bool>,
}

#[derive(Default)]
struct State {
    // Candidates that wait until the other side has joined; `None` is the end of candidates.
    waiting: Vec<Option<Candidate>>,
    open: bool,
    ufrag: String,
    // `None` once the attempt is over: the stack may keep its callbacks for longer.
    signaling: Option<Client>,
}

/// One attempt.
pub(super) struct Attempt {
    /// The peer.
    pub peer: Arc<dyn Peer>,
    /// Its name in the trace.
    pub name: String,
    /// Its candidates.
    pub outbox: Arc<Outbox>,
    /// How far it has come.
    pub stage: watch::Sender<Stage>,
}

/// How far an attempt has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    /// The other side's description is not applied yet.
    Begun,
    /// Both descriptions are known.
    Described,
    /// Another attempt has taken its place, or the call has ended.
    Over,
}

impl Attempt {
    /// It has come as far as `stage`, if it was not further already.
    pub(super) fn reach(&self, stage: Stage) {
        self.stage.send_if_modified(|now| {
            let further = *now < stage;
            *now = stage.max(*now);
            further
        });
    }

    /// Another ICE generation begins on the same peer.
    pub(super) fn restart(&self) {
        self.outbox.wait_again();
        self.stage.send_modify(|stage| {
            if *stage == Stage::Described {
                *stage = Stage::Begun;
            }
        });
    }

    /// Ends it: whatever waits for it to come further stops, and its peer is closed.
    pub(super) async fn close(&self) {
        self.reach(Stage::Over);
        self.outbox.shut();
        self.peer.close().await;
    }
}

impl Outbox {
    pub(super) fn new(app: &Arc<App>, signaling: &Client, call: &str, to: &str) -> Arc<Self> {
        Arc::new(Self {
            app: app.clone(),
            call: call.to_owned(),
            to: to.to_owned(),
            state: Mutex::new(State {
                open: sends_at_once(app),
                signaling: Some(signaling.clone()),
                ..State::default()
            }),
            joined: watch::Sender::new(false),
        })
    }

    /// From now on these are the candidates of `ufrag`.
    pub(super) fn belongs_to(&self, ufrag: &str) {
        ufrag.clone_into(&mut self.state().ufrag);
    }

    /// The generation whose candidates these are.
    pub(super) fn generation(&self) -> String {
        self.state().ufrag.clone()
    }

    /// Whether these are the candidates of `ufrag`.
    pub(super) fn is_of(&self, ufrag: &str) -> bool {
        self.state().ufrag == ufrag
    }

    /// The candidates of another generation wait until the other side has joined it.
    fn wait_again(&self) {
        let mut state = self.state();
        state.open = sends_at_once(&self.app);
        state.waiting.clear();
        self.joined.send_replace(false);
    }

    /// The stack gathered a candidate. Called inside its callback.
    pub(super) async fn gathered(self: Arc<Self>, candidate: Option<Candidate>) {
        if self.app.policy.send == Send::OnceJoinedInCallback {
            // The mistake: the stack delivers its other callbacks only when this returns.
            let mut joined = self.joined.subscribe();
            let _ = joined.wait_for(|joined| *joined).await;
        }
        if self.state().open {
            self.send(candidate);
        } else {
            self.sim().mark("local-candidate-buffered");
            self.state().waiting.push(candidate);
        }
    }

    /// The other side is in the call and has our description.
    pub(super) fn other_side_joined(&self) {
        let waiting = {
            let mut state = self.state();
            state.open = true;
            std::mem::take(&mut state.waiting)
        };
        self.joined.send_replace(true);
        for candidate in waiting {
            self.send(candidate);
        }
    }

    /// The attempt is over: nothing is sent any more.
    pub(super) fn shut(&self) {
        let mut state = self.state();
        state.signaling = None;
        state.waiting.clear();
    }

    /// Sends one candidate from a task of its own, as a callback that launches a coroutine does.
    fn send(&self, candidate: Option<Candidate>) {
        let (call, ufrag) = (self.call.clone(), self.state().ufrag.clone());
        let Some(signaling) = self.state().signaling.clone() else {
            return;
        };
        let (app, to) = (self.app.clone(), self.to.clone());
        let message = match candidate {
            Some(c) => Message::Candidate {
                call,
                ufrag: c.ufrag,
                candidate: c.attribute,
            },
            None => Message::EndOfCandidates { call, ufrag },
        };
        self.app.host.spawn("send candidate", async move {
            app.stretch.pause("send-candidate").await;
            if let Err(error) = signaling.send(&to, message).await {
                app.failed("send candidate", &error);
            }
        });
    }

    fn sim(&self) -> &Sim {
        self.app.host.sim()
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().expect("no panic while it is held")
    }
}

/// Whether candidates need not wait for the other side.
fn sends_at_once(app: &App) -> bool {
    !matches!(app.policy.send, Send::OnceJoined | Send::OnceJoinedInCallback)
}
