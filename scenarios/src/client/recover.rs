//! Recovery: the caller begins another attempt when one comes to nothing.
//!
//! It lives as long as its attempt: the end of the call and the next attempt end it. It must not tell the trace
//! that the *user* tried again, because that would give the call another budget.

use std::{sync::Arc, time::Duration};

use tokio::time::timeout;

use super::{
    App, CallError,
    attempt::{Attempt, Stage},
    policy::Recover,
};

impl App {
    /// Watches over an attempt that we offered, if that is the policy.
    pub(super) fn recover(self: &Arc<Self>, call: &str, attempt: &Arc<Attempt>) {
        let Recover::Retry { after } = self.policy.recover else {
            return;
        };
        let (app, call, attempt) = (self.clone(), call.to_owned(), attempt.clone());
        self.host.spawn("recover", async move {
            let Some(why) = comes_to_nothing(&attempt, after).await else {
                return;
            };
            let sim = app.host.sim();
            sim.step("recover", format!("{}: {why}", attempt.name));
            sim.mark("attempt-recovered");
            match app.try_again(call).await {
                // The call ended in the same instant.
                Err(CallError::UnknownCall) => {}
                done => app.report("recover", done),
            }
        });
    }
}

/// Why `attempt` has to be given up; nothing when it is over.
async fn comes_to_nothing(attempt: &Attempt, patience: Duration) -> Option<&'static str> {
    let (mut stage, mut failed) = (attempt.stage.subscribe(), attempt.peer.ice_failed());
    tokio::select! {
        biased;
        _ = stage.wait_for(|stage| *stage == Stage::Over) => None,
        _ = failed.wait_for(|failed| *failed) => Some("ICE failed"),
        why = takes_too_long(attempt, patience) => Some(why),
    }
}

/// Ends with the step that took longer than `patience`, and never once `attempt` is connected.
async fn takes_too_long(attempt: &Attempt, patience: Duration) -> &'static str {
    let (mut stage, mut connected) = (attempt.stage.subscribe(), attempt.peer.connected());
    let answered = stage.wait_for(|stage| *stage >= Stage::Described);
    if timeout(patience, answered).await.is_err() {
        return "no answer";
    }
    if timeout(patience, connected.wait_for(|connected| *connected))
        .await
        .is_err()
    {
        return "not connected";
    }
    std::future::pending().await
}
