//! One call: its state, its owner, and its end.
//!
//! Whatever is done for a call is a step. The owner takes one after the other, or launches each as it comes; either way the
//! end of the call ends all of them where they are. Only making and closing a peer are never cut short: a peer that nobody
//! holds cannot be closed, and a close that was cut short cannot be taken up again.

use std::{
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use sleet::{peer::PeerError, signaling::message::Message, trace::Candidate};
use thiserror::Error;
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{Instant, timeout},
};

use super::{
    attempt::Attempt,
    candidates::RemoteCandidates,
    ending::{Ending, How, Progress, Side},
    factory::Factory,
    handle::{CallHandle, Mailbox, Work},
    mistake::Mistake,
    outbox::Written,
    phone::Phone,
    policy::Dispatch,
};

/// How long the end of a call waits until the stack has made and closed its peers, which can take eight seconds
/// (docs/findings/0013): the rest happens behind its back.
const LONGEST_CLOSE: Duration = Duration::from_millis(2_200);
/// How long an attempt that is given up may gather before its peer is closed. One that is closed in the instant in which it
/// begins leaves a task of the stack behind (`webrtc-ice` 0.17.2, `src/agent/agent_internal.rs:1047`).
const LONGEST_GATHERING: Duration = Duration::from_millis(500);
/// How long the broken client waits before it closes a peer.
const LATE: Duration = Duration::from_millis(700);

/// Why a step did not go on.
#[derive(Debug, Error)]
pub(super) enum StepError {
    #[error(transparent)]
    Peer(#[from] PeerError),
    #[error("the task that made the peer is gone")]
    Making,
    /// Another attempt, or the end of the call, came in between: nothing went wrong.
    #[error("the attempt is over")]
    Superseded,
}

/// Whether somebody waits until a peer is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Haste {
    /// A user does.
    Now,
    /// Nobody does: another attempt has taken its place.
    None,
}

/// A call.
pub(super) struct Call {
    pub phone: Arc<Phone>,
    pub handle: CallHandle,
    /// How many peers are being made.
    pub making: watch::Sender<u32>,
    state: Mutex<State>,
}

/// What the steps of a call share.
pub(super) struct State {
    /// Whether the user wants the call; the caller does.
    pub wanted: bool,
    /// Whether the phone shows that it rings.
    pub shows_ring: bool,
    /// The number of the newest attempt, or ICE restart, that is known of.
    pub newest: u32,
    pub attempt: Option<Arc<Attempt>>,
    pub remote: RemoteCandidates,
    /// When the other end was heard last.
    pub heard: Instant,
    /// A share for as long as the call lives.
    pub factory: Option<Arc<Factory>>,
    /// Peers that are being closed.
    closing: Vec<JoinHandle<()>>,
    stream: Option<Stream>,
}

/// The stream of a call: it goes on until it is removed.
struct Stream(JoinHandle<()>);

impl Drop for Stream {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Call {
    /// A call that begins; `welcome` if an incoming one is picked up before it rings.
    pub fn new(phone: &Arc<Phone>, handle: CallHandle, welcome: bool) -> Arc<Self> {
        let stream = phone.host.spawn("stream", std::future::pending());
        if welcome {
            handle.reach(Progress::Answered);
        }
        Arc::new(Self {
            phone: phone.clone(),
            making: watch::Sender::new(0),
            state: Mutex::new(State {
                wanted: handle.side == Side::Caller || welcome,
                shows_ring: handle.side == Side::Callee && !welcome,
                newest: 0,
                attempt: None,
                remote: RemoteCandidates::default(),
                heard: Instant::now(),
                factory: Some(phone.factories.share()),
                closing: Vec::new(),
                stream: Some(Stream(stream)),
            }),
            handle,
        })
    }

    /// Owns the call until it is over and nothing of it is left.
    pub async fn run(self: Arc<Self>, mut mailbox: Mailbox) {
        loop {
            let work = tokio::select! {
                biased;
                () = self.handle.ended() => break,
                work = mailbox.work.recv() => work.expect("the call holds the handle"),
            };
            let call = self.clone();
            let step = self.until_ended(async move { call.step(work).await });
            match self.phone.make.policy.dispatch {
                Dispatch::OwnerPerCall => step.await,
                Dispatch::AsTheyCome => drop(self.phone.host.spawn("step", step)),
            }
        }
        let ending = self.handle.ending().expect("it has been ended");
        self.tear_down(&ending).await;
        // Whoever waits for this call learns that nothing of it is left when the sender goes.
        drop(mailbox.gone);
    }

    /// Takes a step, unless the call ends meanwhile.
    pub fn until_ended(
        self: &Arc<Self>,
        step: impl Future<Output = Result<(), StepError>> + Send + 'static,
    ) -> impl Future<Output = ()> + Send + 'static {
        let call = self.clone();
        async move {
            tokio::select! {
                biased;
                () = call.handle.ended() => {}
                done = step => call.report(done),
            }
        }
    }

    /// Takes a step in a task of its own.
    pub fn launch(self: &Arc<Self>, step: impl Future<Output = Result<(), StepError>> + Send + 'static) {
        self.phone.host.spawn("step", self.until_ended(step));
    }

    async fn step(self: &Arc<Self>, work: Work) -> Result<(), StepError> {
        match work {
            Work::Dial => self.dial().await,
            Work::PickUp => self.pick_up().await,
            Work::Retry => self.retry().await,
            Work::Message(message) => self.receive(message).await,
            Work::Gathered(attempt, candidate) => self.gathered(attempt, candidate).await,
            Work::Learn(attempt, news) => self.learn(attempt, news).await,
        }
    }

    async fn dial(self: &Arc<Self>) -> Result<(), StepError> {
        let call = self.handle.call.clone();
        self.say(Message::Dial { call });
        if self.phone.makes(Mistake::PeerOnResponse) {
            return Ok(());
        }
        let first = self.begin_attempt();
        self.offer(first).await
    }

    async fn receive(self: &Arc<Self>, message: Message) -> Result<(), StepError> {
        self.state().heard = Instant::now();
        match message {
            Message::Ring { call } => {
                self.say(Message::Ringing { call });
                Ok(())
            }
            Message::Ringing { .. }
                if self.phone.makes(Mistake::PeerOnResponse) && self.state().newest == 0 =>
            {
                let first = self.begin_attempt();
                self.offer(first).await
            }
            Message::Offer {
                attempt,
                sdp,
                restarts,
                ..
            } => match restarts {
                None => self.offered(attempt, sdp).await,
                Some(before) => self.restarted(attempt, &before, sdp).await,
            },
            Message::Answer { offer, sdp, .. } => self.answered(&offer, sdp).await,
            Message::Joined { ufrag, .. } => self.joined(&ufrag).await,
            Message::Candidate { ufrag, candidate, .. } => {
                let attribute = candidate;
                self.remote_candidate(Candidate { attribute, ufrag }).await
            }
            Message::TryAgain { attempt, .. } => self.asked_to_try_again(attempt).await,
            // That it rings, and the end of candidates, change nothing here; who is absent will be there for the
            // next attempt.
            _ => Ok(()),
        }
    }

    /// Says that a step went wrong, if it did.
    fn report(&self, done: Result<(), StepError>) {
        match done {
            Ok(()) | Err(StepError::Superseded) => {}
            Err(error) => self.phone.failed(&self.handle.call, &error),
        }
    }

    /// Ends everything of the call, the peers first.
    async fn tear_down(&self, ending: &Ending) {
        let (phone, call) = (&self.phone, self.handle.call.as_str());
        self.fall_silent();
        self.close_peers().await;
        let stream = self.state().stream.take();
        if phone.makes(Mistake::StreamsStay) {
            std::mem::forget(stream);
        }
        if !phone.makes(Mistake::QueueKept) {
            phone.outbox.clear(call);
        }
        let untold = *ending == Ending::Ours(How::Elsewhere) && phone.makes(Mistake::OtherDevicesNotTold);
        if let Some(message) = ending.message(call).filter(|_| !untold) {
            phone.tell_end(call, &self.handle.other, message);
        }
        let outcome = ending.outcome(self.handle.side, self.handle.progress());
        phone.registry().close(call, ending.clone());
        phone.screen.over(call, outcome);
        // Its share of the factory goes last.
        let factory = self.state().factory.take();
        drop(factory);
    }

    /// Closes the peer of the attempt, and waits for those that are being made or closed.
    async fn close_peers(&self) {
        let attempt = self.state().attempt.take();
        if let Some(attempt) = attempt
            && (attempt.gathering.is_over() || !self.phone.makes(Mistake::CloseInCallback))
        {
            self.close(&attempt, Haste::Now);
        }
        if self.phone.makes(Mistake::LateClose) {
            return;
        }
        let all = async {
            let mut making = self.making.subscribe();
            // One that is made now is closed by whoever made it. The sender lives as long as the call.
            drop(making.wait_for(|making| *making == 0).await);
            let closing = std::mem::take(&mut self.state().closing);
            for closing in closing {
                // It ends when the stack has closed; nothing aborts it.
                let _ = closing.await;
            }
        };
        // A hangup that has waited for so long returns before the stack does.
        let _ = timeout(LONGEST_CLOSE, all).await;
    }

    /// Begins to close the peer of an attempt that is over, which nothing cuts short.
    pub fn close(&self, attempt: &Arc<Attempt>, haste: Haste) {
        attempt.note(|exchange| exchange.over = true);
        let lets_gather = haste == Haste::None && attempt.exchange().gathers;
        let late = self.phone.makes(Mistake::LateClose);
        let twice = self.phone.makes(Mistake::DoubleClose);
        let (phone, attempt) = (self.phone.clone(), attempt.clone());
        let closing = self.phone.host.spawn("close", async move {
            if late {
                phone.host.sim().sleep(LATE).await;
            }
            phone.pause("close").await;
            if lets_gather {
                let _ = timeout(LONGEST_GATHERING, attempt.gathering.until_over()).await;
            }
            attempt.peer.close().await;
            if twice {
                attempt.peer.close().await;
            }
        });
        self.state().closing.push(closing);
    }

    /// The phone rings no more, if it did.
    pub fn fall_silent(&self) {
        if std::mem::take(&mut self.state().shows_ring) {
            self.phone.screen.silent(&self.handle.call);
        }
    }

    /// The attempt that is under way.
    pub fn attempt(&self) -> Option<Arc<Attempt>> {
        self.state().attempt.clone()
    }

    /// Whether `attempt` is still what the call is about, and in its round `round`.
    pub fn check(&self, attempt: &Arc<Attempt>, round: u32) -> Result<(), StepError> {
        let current = self.attempt().is_some_and(|now| Arc::ptr_eq(&now, attempt));
        match current && attempt.exchange().round == round {
            true => Ok(()),
            false => Err(StepError::Superseded),
        }
    }

    /// Posts a message to the other end.
    pub fn say(&self, message: Message) -> Written {
        self.phone.outbox.post(&self.handle.other, message)
    }

    /// Reaches a step, which may take a while.
    pub async fn pause(&self, step: &str) {
        self.phone.pause(step).await;
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic while it is held")
    }
}
