//! The owner of one call: a task that does one thing after the other until the call ends.
//!
//! The end of the call ends whatever it is doing at that moment. Only making and closing a peer are never cut short: a
//! peer that nobody holds cannot be closed, and a close that was cut short cannot be taken up again (hazard 25).

use std::{sync::Arc, time::Duration};

use sleet::{
    peer::{Peer, PeerError},
    signaling::message::Message,
    trace::{CallEvent, Candidate, Point},
};
use thiserror::Error;
use tokio::{
    sync::mpsc::UnboundedReceiver,
    task::JoinHandle,
    time::{Instant, timeout},
};

use super::{
    Mistake, Phone,
    attempt::{Attempt, News, PATIENCE},
    factory::Factory,
    line::{Desk, Ending, How, Line, Side, Stage, Work},
};

/// How long the end of a call waits until the stack has closed its peers, which can take eight seconds
/// (docs/findings/0013): the rest happens behind its back.
const LONGEST_CLOSE: Duration = Duration::from_millis(2_200);
/// How long the broken client waits before it closes a peer.
const LATE: Duration = Duration::from_millis(700);

/// What can go wrong in a step of a call.
#[derive(Debug, Error)]
pub(super) enum CallError {
    #[error(transparent)]
    Peer(#[from] PeerError),
    #[error("the task that made the peer is gone")]
    Making,
}

/// A peer that is being made.
pub(super) type Making = JoinHandle<Result<Arc<dyn Peer>, PeerError>>;

/// A call, as its owner has it.
pub(super) struct Call {
    pub phone: Arc<Phone>,
    pub line: Line,
    /// Whether the user wants the call; the caller does.
    pub wanted: bool,
    pub factory: Arc<Factory>,
    /// The number of the newest attempt that is known of.
    pub newest: u32,
    pub attempt: Option<Attempt>,
    /// Candidates of the other end that wait for their description.
    pub waiting: Vec<Candidate>,
    pub making: Option<Making>,
    /// Peers that are being closed.
    pub closing: Vec<JoinHandle<()>>,
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
    pub fn new(phone: &Arc<Phone>, line: Line, welcome: bool) -> Self {
        let stream = phone.host.spawn("stream", std::future::pending());
        Self {
            phone: phone.clone(),
            wanted: line.side == Side::Caller || welcome,
            line,
            factory: phone.factories.share(),
            newest: 0,
            attempt: None,
            waiting: Vec::new(),
            making: None,
            closing: Vec::new(),
            stream: Some(Stream(stream)),
        }
    }

    /// Owns the call until it is over and nothing of it is left.
    pub async fn run(mut self, mut desk: Desk) {
        if self.wanted && self.line.side == Side::Callee {
            self.record(CallEvent::PickedUp);
            self.line.reach_stage(Stage::Answered);
        }
        let ending = loop {
            tokio::select! {
                biased;
                ending = desk.ending.wait_for(Option::is_some) => {
                    let ending = ending.expect("the line holds the sender, and the call holds the line");
                    break ending.clone().expect("waited for");
                }
                () = self.next(&mut desk.work) => {}
            }
        };
        self.tear_down(&ending).await;
        // Whoever waits for this call learns that nothing of it is left when the sender goes.
        drop(desk.gone);
    }

    /// Does the next thing.
    async fn next(&mut self, work: &mut UnboundedReceiver<Work>) {
        let news = async {
            match &mut self.attempt {
                Some(attempt) => attempt.news().await,
                None => std::future::pending().await,
            }
        };
        let done = tokio::select! {
            biased;
            work = work.recv() => match work {
                Some(work) => self.work(work).await,
                None => std::future::pending().await,
            },
            news = news => self.learn(news).await,
        };
        if let Err(error) = done {
            self.phone.failed(&self.line.call, &error);
        }
    }

    async fn work(&mut self, work: Work) -> Result<(), CallError> {
        match work {
            Work::Dial => self.dial().await,
            Work::PickUp => self.pick_up().await,
            Work::Gathered(attempt, candidate) => {
                self.gathered(attempt, candidate).await;
                Ok(())
            }
            Work::Handle(message) => self.handle(message).await,
        }
    }

    async fn handle(&mut self, message: Message) -> Result<(), CallError> {
        match message {
            Message::Ring { call } => {
                self.say(Message::Ringing { call }, None);
                Ok(())
            }
            Message::Ringing { .. } => {
                self.reach(Point::Ringing);
                if self.phone.makes(Mistake::PeerOnResponse) && self.newest == 0 {
                    return self.offer().await;
                }
                Ok(())
            }
            Message::Offer { attempt, sdp, .. } => self.offered(attempt, sdp).await,
            Message::Answer { offer, sdp, .. } => self.answered(&offer, sdp).await,
            Message::Joined { ufrag, .. } => {
                self.joined(&ufrag);
                Ok(())
            }
            Message::Candidate { ufrag, candidate, .. } => {
                let attribute = candidate;
                self.remote_candidate(Candidate { attribute, ufrag }).await;
                Ok(())
            }
            Message::TryAgain { attempt, .. } if attempt == self.newest => self.recover().await,
            // The end of candidates changes nothing here, and who is absent will be there for the next attempt.
            _ => Ok(()),
        }
    }

    async fn learn(&mut self, news: News) -> Result<(), CallError> {
        match news {
            News::Connected => {
                self.line.reach_stage(Stage::Connected);
                self.reach(Point::Connected);
                self.pause("callback").await;
                Ok(())
            }
            News::Failed => {
                self.reach(Point::OnFailed);
                self.pause("callback").await;
                self.recover().await
            }
            News::TookTooLong => self.recover().await,
            News::Closed => {
                self.line.end(Ending::Theirs(How::Hangup));
                Ok(())
            }
        }
    }

    async fn dial(&mut self) -> Result<(), CallError> {
        self.reach(Point::Dialing);
        let call = self.line.call.clone();
        self.say(Message::Dial { call }, None);
        if self.phone.makes(Mistake::PeerOnResponse) {
            return Ok(());
        }
        self.offer().await
    }

    async fn pick_up(&mut self) -> Result<(), CallError> {
        if self.wanted {
            return Ok(());
        }
        self.wanted = true;
        self.record(CallEvent::Silent);
        self.record(CallEvent::PickedUp);
        self.line.reach_stage(Stage::Answered);
        self.answer().await
    }

    /// The attempt has come to nothing: the caller begins another, and the callee asks for one.
    async fn recover(&mut self) -> Result<(), CallError> {
        if self.phone.makes(Mistake::NoRecovery) {
            return Ok(());
        }
        self.reach(Point::Recovering);
        self.pause("recover").await;
        match self.line.side {
            Side::Caller => self.offer().await,
            Side::Callee => {
                let (call, attempt) = (self.line.call.clone(), self.newest);
                self.say(Message::TryAgain { call, attempt }, None);
                if let Some(attempt) = &mut self.attempt {
                    // Who is asked may be gone for a moment.
                    attempt.deadline = Some(Instant::now() + PATIENCE);
                }
                Ok(())
            }
        }
    }

    /// Ends everything of the call, the peer first.
    async fn tear_down(mut self, ending: &Ending) {
        if !self.wanted && self.line.side == Side::Callee {
            self.record(CallEvent::Silent);
        }
        self.close_peers().await;
        let stream = self.stream.take();
        if self.phone.makes(Mistake::StreamsStay) {
            std::mem::forget(stream);
        }
        let (phone, call) = (self.phone.clone(), self.line.call.clone());
        if !phone.makes(Mistake::QueueKept) {
            phone.post.clear(&call);
        }
        if let Some(message) = ending.message(&call) {
            self.say(message, None);
        }
        if phone.makes(Mistake::HangupCleared) {
            phone.post.clear(&call);
        }
        let outcome = ending.outcome(self.line.side, self.line.stage());
        phone.book().close(&call, ending.clone());
        phone.over(&call, outcome);
        // Its share of the factory goes last.
        drop(self);
    }

    /// Closes the peer of the attempt, one that is still being made, and waits for those that are being closed.
    async fn close_peers(&mut self) {
        if let Some(making) = self.making.take()
            && let Ok(Ok(peer)) = making.await
        {
            self.close(peer);
        }
        if let Some(attempt) = self.attempt.take() {
            let left_to_callback = self.phone.makes(Mistake::CloseInCallback) && !attempt.gathering.is_over();
            if !left_to_callback {
                self.close(attempt.peer);
            }
        }
        if self.phone.makes(Mistake::LateClose) {
            return;
        }
        let all = async {
            for closing in self.closing.drain(..) {
                // It ends when the stack has closed; nothing aborts it.
                let _ = closing.await;
            }
        };
        if timeout(LONGEST_CLOSE, all).await.is_err() {
            self.phone.host.sim().mark("hangup-did-not-wait");
        }
    }

    /// Begins to close a peer, which nothing cuts short.
    pub fn close(&mut self, peer: Arc<dyn Peer>) {
        let late = self.phone.makes(Mistake::LateClose);
        let twice = self.phone.makes(Mistake::DoubleClose);
        let (stretch, sim) = (self.phone.stretch.clone(), self.phone.host.sim().clone());
        self.closing.push(self.phone.host.spawn("close", async move {
            if late {
                sim.sleep(LATE).await;
            }
            stretch.pause("close").await;
            peer.close().await;
            if twice {
                peer.close().await;
            }
        }));
    }

    /// Comes to a point of its life.
    pub fn reach(&self, point: Point) {
        self.phone.reach(&self.line.call, point);
    }

    /// Posts a message to the other end.
    pub fn say(&self, message: Message, point: Option<Point>) {
        self.phone.tell(&self.line.other, message, point);
    }

    /// Reaches a step, which may take a while.
    pub async fn pause(&self, step: &str) {
        self.phone.stretch.pause(step).await;
    }

    pub fn record(&self, what: CallEvent) {
        self.phone.record(&self.line.call, what);
    }
}
