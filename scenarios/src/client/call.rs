//! One call: its state, its owner, and its end.
//!
//! Everything done for a call is a step. The owner takes one after the other, or launches each as it comes; either way
//! the end of the call ends all of them where they are. Only creating and closing a peer are never cut short: a peer
//! without a holder cannot be closed, and a close that was cut short cannot be resumed.

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

/// The time that the end of a call waits until the stack has created and closed its peers, which can take eight seconds
/// (docs/findings/0013): after that the close goes on in the background.
const LONGEST_CLOSE: Duration = Duration::from_millis(2_200);
/// The time that a replaced attempt may gather before its peer is closed. A peer closed at the instant at which
/// gathering begins leaves a task of the stack behind (`webrtc-ice` 0.17.2, `src/agent/agent_internal.rs:1047`).
const LONGEST_GATHERING: Duration = Duration::from_millis(500);
/// The time that the broken client waits before it closes a peer.
const LATE: Duration = Duration::from_millis(700);

/// The reason why a step did not go on.
#[derive(Debug, Error)]
pub(super) enum StepError {
    #[error(transparent)]
    Peer(#[from] PeerError),
    #[error("the task that made the peer is gone")]
    Making,
    /// Another attempt, or the end of the call, came in between: this is no failure.
    #[error("the attempt is over")]
    Superseded,
}

/// Whether the close of a peer is awaited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Haste {
    /// A user waits for it.
    Now,
    /// It is not awaited: another attempt has replaced this one.
    None,
}

/// A call.
pub(super) struct Call {
    pub phone: Arc<Phone>,
    pub handle: CallHandle,
    /// The number of peers that are being created.
    pub making: watch::Sender<u32>,
    state: Mutex<State>,
}

/// The state that the steps of a call share.
pub(super) struct State {
    /// Whether the user wants the call; a caller does.
    pub wanted: bool,
    /// Whether the screen shows that the phone rings.
    pub shows_ring: bool,
    /// The number of the newest known attempt, or ICE restart.
    pub newest: u32,
    pub attempt: Option<Arc<Attempt>>,
    pub remote: RemoteCandidates,
    /// When the last message of the other end arrived.
    pub heard: Instant,
    /// A share of the factory for as long as the call lives.
    pub factory: Option<Arc<Factory>>,
    /// The peers that are being closed.
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

impl Phone {
    /// Begins a call: from here on it has an owner.
    pub fn open(self: &Arc<Self>, call: &str, other: &str, side: Side, welcome: bool) -> CallHandle {
        let (handle, mailbox) = CallHandle::new(call, other, side);
        let early = {
            let mut registry = self.registry();
            registry.open(handle.clone());
            registry.kept(call)
        };
        let owned = Call::new(self, handle.clone(), welcome);
        owned.mind_silence();
        owned.end_without_cause();
        self.host.spawn("call", owned.run(mailbox));
        for candidate in early {
            handle.ask(Work::Message(Message::Candidate {
                call: call.to_owned(),
                ufrag: candidate.ufrag,
                candidate: candidate.attribute,
            }));
        }
        handle
    }
}

impl Call {
    /// Creates a call; with `welcome`, an incoming one is accepted before it rings.
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
        // Dropping the sender tells waiters that nothing of this call is left.
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
            Message::TryAgain { attempt, slow, .. } => self.asked_to_try_again(attempt, slow).await,
            // *ringing* and the end of candidates change nothing here; a client that is absent will be there for the
            // next attempt.
            _ => Ok(()),
        }
    }

    /// Reports the error of a step, if it failed.
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
        // The share of the factory goes last.
        let factory = self.state().factory.take();
        drop(factory);
    }

    /// Closes the peer of the attempt, and waits for those that are being created or closed.
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
            // A peer under creation is closed by its creator. The sender lives as long as the call.
            drop(making.wait_for(|making| *making == 0).await);
            let closing = std::mem::take(&mut self.state().closing);
            for closing in closing {
                // The task ends when the stack has closed; nothing aborts it.
                let _ = closing.await;
            }
        };
        // A hangup that has waited for so long returns before the stack does.
        let _ = timeout(LONGEST_CLOSE, all).await;
    }

    /// Starts to close the peer of an attempt that is over; nothing cuts this short.
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

    /// Stops the ringing, if the phone rings.
    pub fn fall_silent(&self) {
        if std::mem::take(&mut self.state().shows_ring) {
            self.phone.screen.silent(&self.handle.call);
        }
    }

    /// Returns the attempt that is under way.
    pub fn attempt(&self) -> Option<Arc<Attempt>> {
        self.state().attempt.clone()
    }

    /// Checks that `attempt` is still current, and in its round `round`.
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

    /// Marks a step, which may take a while.
    pub async fn pause(&self, step: &str) {
        self.phone.pause(step).await;
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic while it is held")
    }
}
