//! Recovery: the caller restarts ICE when a connected call falls silent, and begins another attempt when one comes to
//! nothing.
//!
//! It lives as long as its attempt: the end of the call and the next attempt end it. It must not tell the trace
//! that the *user* tried again, because that would give the call another budget.

use std::{future, sync::Arc, time::Duration};

use tokio::time::timeout;

use super::{
    App, CallError,
    attempt::{Attempt, Stage},
    policy::Recover,
};

/// What is wrong with an attempt.
enum Trouble {
    /// It does not come further.
    Stuck(&'static str),
    /// It was connected, and is not any more.
    Broken(&'static str),
}

impl App {
    /// Watches over an attempt that we offered, if that is the policy.
    pub(super) fn recover(self: &Arc<Self>, call: &str, attempt: &Arc<Attempt>) {
        let (after, bears) = match self.policy.recover {
            Recover::Never => return,
            Recover::Retry { after } => (after, None),
            Recover::Restart { after, bears } => (after, Some(bears)),
        };
        let (app, call, attempt) = (self.clone(), call.to_owned(), attempt.clone());
        let watching = async move {
            let stuck = loop {
                let why = match trouble(&attempt, after, bears).await {
                    None => return,
                    Some(Trouble::Stuck(why)) => break why,
                    Some(Trouble::Broken(why)) => why,
                };
                app.host
                    .sim()
                    .step("restart ICE", format!("{}: {why}", attempt.name));
                if let Err(error) = app.restart(&call, &attempt).await {
                    app.report("restart ICE", Err(error));
                    break "ICE cannot be restarted";
                }
                let mut ice = attempt.peer.ice_state();
                if timeout(after, ice.wait_for(|state| state != "failed"))
                    .await
                    .is_err()
                {
                    break "ICE does not restart";
                }
            };
            app.begin_anew(call, &attempt, stuck).await;
        };
        self.host.spawn("recover", watching);
    }

    async fn begin_anew(self: &Arc<Self>, call: String, attempt: &Attempt, why: &str) {
        let sim = self.host.sim();
        sim.step("recover", format!("{}: {why}", attempt.name));
        sim.mark("attempt-recovered");
        match self.try_again(call).await {
            // The call ended in the same instant.
            Err(CallError::UnknownCall) => {}
            done => self.report("recover", done),
        }
    }
}

/// What becomes wrong with `attempt`; nothing when it is over. `bears` is how long a silence is borne where ICE can be
/// restarted.
async fn trouble(attempt: &Attempt, patience: Duration, bears: Option<Duration>) -> Option<Trouble> {
    let (mut stage, mut ice) = (attempt.stage.subscribe(), attempt.peer.ice_state());
    let failed = ice.wait_for(|state| state == "failed");
    tokio::select! {
        biased;
        _ = stage.wait_for(|stage| *stage == Stage::Over) => None,
        _ = failed => Some(match (bears, *attempt.peer.connected().borrow()) {
            (Some(_), true) => Trouble::Broken("ICE failed"),
            _ => Trouble::Stuck("ICE failed"),
        }),
        trouble = slow_or_silent(attempt, patience, bears) => Some(trouble),
    }
}

/// Ends with the step that took longer than `patience`, or with a silence that is not borne.
async fn slow_or_silent(attempt: &Attempt, patience: Duration, bears: Option<Duration>) -> Trouble {
    let (mut stage, mut connected) = (attempt.stage.subscribe(), attempt.peer.connected());
    let answered = stage.wait_for(|stage| *stage >= Stage::Described);
    if timeout(patience, answered).await.is_err() {
        return Trouble::Stuck("no answer");
    }
    let mut ice = attempt.peer.ice_state();
    let up = async {
        let _ = connected.wait_for(|connected| *connected).await;
        let _ = ice.wait_for(|state| state == "connected").await;
    };
    if timeout(patience, up).await.is_err() {
        return Trouble::Stuck("not connected");
    }
    match bears {
        None => future::pending().await,
        Some(bears) => silent(attempt, bears).await,
    }
}

/// Ends when ICE has been disconnected for as long as the client bears.
async fn silent(attempt: &Attempt, bears: Duration) -> Trouble {
    let mut ice = attempt.peer.ice_state();
    loop {
        let _ = ice.wait_for(|state| state == "disconnected").await;
        let returned = ice.wait_for(|state| state != "disconnected");
        if timeout(bears, returned).await.is_err() {
            return Trouble::Broken("ICE is disconnected");
        }
    }
}
