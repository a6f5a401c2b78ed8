//! Watches an attempt, and tells its call the news: connected, stuck or broken.
//!
//! It does not react by itself, and ends with its attempt.

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, sleep, timeout};

use super::{
    attempt::{Attempt, is_up},
    call::Call,
    ending::{Ending, How, Side},
    handle::{CallHandle, News, Work},
    mistake::Mistake,
    policy::Recovery,
    wrongly,
};

/// How often an app that gives up looks whether the other end is still there.
const LOOKS_EVERY: Duration = Duration::from_secs(1);

/// The watcher of one attempt.
struct Watcher {
    handle: CallHandle,
    attempt: Arc<Attempt>,
    recovery: Recovery,
    by_number: bool,
}

impl Call {
    /// Watches `attempt` for as long as it is current.
    pub fn watch_over(&self, attempt: &Arc<Attempt>) {
        let watcher = Watcher {
            handle: self.handle.clone(),
            attempt: attempt.clone(),
            recovery: self.recovery(),
            by_number: self.phone.makes(Mistake::StateByNumber),
        };
        self.phone.host.spawn("watch", async move {
            tokio::select! {
                biased;
                () = watcher.handle.ended() => {}
                () = watcher.attempt.until(|exchange| exchange.over) => {}
                ((), (), ()) = async { tokio::join!(watcher.connection(), watcher.trouble(), watcher.numbers()) } => {}
            }
        });
    }

    /// Ends the call by itself when the other end has been neither connected nor heard for as long as the policy tolerates.
    pub fn mind_silence(self: &Arc<Self>) {
        let Some(bound) = self.phone.make.policy.gives_up_after else {
            return;
        };
        let call = self.clone();
        self.launch(async move {
            loop {
                let talks = call
                    .attempt()
                    .is_some_and(|a| is_up(&a.peer.ice_state().borrow()));
                let heard = {
                    let mut state = call.state();
                    if talks {
                        state.heard = Instant::now();
                    }
                    state.heard
                };
                if heard + bound <= Instant::now() {
                    call.handle.end(Ending::Ours(How::GaveUp));
                    return Ok(());
                }
                sleep(LOOKS_EVERY).await;
            }
        });
    }

    /// Returns how this client recovers when an attempt fails.
    pub fn recovery(&self) -> Recovery {
        match self.phone.makes(Mistake::NoRecovery) {
            true => Recovery::Never,
            false => self.phone.make.policy.recover,
        }
    }
}

impl Watcher {
    fn tell(&self, news: News) {
        self.handle.ask(Work::Learn(self.attempt.number, news));
    }

    /// Reports that the peer is connected.
    async fn connection(&self) {
        let mut connected = self.attempt.peer.connected();
        if connected.wait_for(|connected| *connected).await.is_ok() {
            self.tell(News::Connected);
        }
    }

    /// Reports problems, again and again for as long as they last.
    async fn trouble(&self) {
        let (after, bears) = match self.recovery {
            Recovery::Never => return,
            Recovery::Retry { after } => (after, None),
            Recovery::Restart { after, bears } => (after, Some(bears)),
        };
        loop {
            let round = self.attempt.exchange().round;
            let news = self.first_trouble(after, bears).await;
            let why = match news {
                News::Broken(_) => {
                    self.tell(news);
                    let restarted = self.attempt.until(|exchange| exchange.round != round);
                    if timeout(after, restarted).await.is_err()
                        || timeout(after, self.leaves_failed()).await.is_ok()
                    {
                        continue;
                    }
                    "ICE does not restart"
                }
                News::Stuck(why) => why,
                News::Connected => continue,
            };
            loop {
                self.tell(News::Stuck(why));
                // The other end, which is asked, may be gone for a moment.
                if timeout(after, self.up()).await.is_ok() {
                    break;
                }
            }
        }
    }

    async fn first_trouble(&self, after: Duration, bears: Option<Duration>) -> News {
        tokio::select! {
            biased;
            () = self.fails() => {}
            news = self.slow_or_silent(after, bears) => return news,
        }
        let was_up = *self.attempt.peer.connected().borrow();
        match self.handle.side {
            _ if bears.is_none() || !was_up => News::Stuck("ICE failed"),
            Side::Caller => News::Broken("ICE failed"),
            // Only the caller restarts ICE.
            Side::Callee => match timeout(after, self.leaves_failed()).await {
                Ok(()) => Box::pin(self.first_trouble(after, bears)).await,
                Err(_) => News::Stuck("ICE failed"),
            },
        }
    }

    /// Returns when a step took longer than `after`, or a silence is not tolerated any more.
    async fn slow_or_silent(&self, after: Duration, bears: Option<Duration>) -> News {
        match self.handle.side {
            Side::Caller => {
                let answered = self.attempt.until(|exchange| exchange.described);
                if timeout(after, answered).await.is_err() {
                    return News::Stuck("no answer");
                }
            }
            // Users take as long as they like.
            Side::Callee => {
                let answers = self.attempt.until(|exchange| exchange.answering);
                answers.await;
            }
        }
        if timeout(after, self.up()).await.is_err() {
            return News::Stuck("not connected");
        }
        match (bears, self.handle.side) {
            (Some(bears), Side::Caller) => self.silence(bears).await,
            _ => std::future::pending().await,
        }
    }

    /// Returns when ICE has been disconnected for as long as the client tolerates.
    async fn silence(&self, bears: Duration) -> News {
        let mut ice = self.attempt.peer.ice_state();
        loop {
            if ice.wait_for(|state| state == "disconnected").await.is_err() {
                return std::future::pending().await;
            }
            let returned = ice.wait_for(|state| state != "disconnected");
            if timeout(bears, returned).await.is_err() {
                return News::Broken("ICE is disconnected");
            }
        }
    }

    /// Waits until the peer is connected and ICE is up.
    async fn up(&self) {
        let (mut connected, mut ice) = (self.attempt.peer.connected(), self.attempt.peer.ice_state());
        let never = connected.wait_for(|connected| *connected).await.is_err();
        if never || ice.wait_for(|state| is_up(state)).await.is_err() {
            std::future::pending().await
        }
    }

    async fn fails(&self) {
        let mut ice = self.attempt.peer.ice_state();
        if ice.wait_for(|state| state == "failed").await.is_err() {
            std::future::pending().await
        }
    }

    async fn leaves_failed(&self) {
        let mut ice = self.attempt.peer.ice_state();
        if ice.wait_for(|state| state != "failed").await.is_err() {
            std::future::pending().await
        }
    }

    /// Lets the broken client end the call at a state that is none of its business.
    async fn numbers(&self) {
        if self.by_number {
            wrongly::end_by_number(&self.handle, &self.attempt).await;
        }
    }
}
