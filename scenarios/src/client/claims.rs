//! Outcomes without a cause: the broken client that ends a call by itself and claims an outcome.
//!
//! Nothing here runs in any other client.

use std::{sync::Arc, time::Duration};

use sleet::trace::CallOutcome;

use super::{
    call::Call,
    ending::{Ending, How, Progress, Side},
    mistake::Mistake,
    registry::Admission,
};

/// The time that the broken client waits before it ends an unanswered call.
const SOON: Duration = Duration::from_millis(300);
/// The time that it lets a connected call go on.
const TALK: Duration = Duration::from_secs(1);

impl Call {
    /// Ends the call by itself, if this client makes that mistake.
    pub fn end_without_cause(self: &Arc<Self>) {
        let Some(Mistake::Claims(outcome)) = self.phone.make.mistake else {
            return;
        };
        let call = self.clone();
        self.launch(async move {
            if let Some(ending) = call.moment_for(outcome).await {
                call.handle.end(ending);
            }
            Ok(())
        });
    }

    /// Waits for the time at which the call can end with `outcome`; `None` if it does not come.
    async fn moment_for(&self, outcome: CallOutcome) -> Option<Ending> {
        let handle = &self.handle;
        let sim = self.phone.host.sim();
        match (outcome, handle.side) {
            (CallOutcome::Cancelled, Side::Caller) => {
                sim.sleep(SOON).await;
                (handle.progress() == Progress::Begun).then_some(Ending::Ours(How::Hangup))
            }
            (CallOutcome::Rejected, Side::Callee) => {
                sim.sleep(SOON).await;
                handle.rings().then_some(Ending::Ours(How::Reject))
            }
            (CallOutcome::Elsewhere, Side::Callee) => {
                sim.sleep(SOON).await;
                handle.rings().then_some(Ending::Theirs(How::Elsewhere))
            }
            (CallOutcome::Dropped, Side::Caller) => {
                handle.reached(Progress::Answered).await;
                Some(Ending::Ours(How::Hangup))
            }
            (CallOutcome::Talked, Side::Caller) => {
                handle.reached(Progress::Connected).await;
                sim.sleep(TALK).await;
                Some(Ending::Ours(How::Hangup))
            }
            (CallOutcome::Failed, _) => {
                handle.reached(Progress::Connected).await;
                let mut ice = self.attempt()?.peer.ice_state();
                ice.wait_for(|state| state == "disconnected").await.ok()?;
                Some(Ending::Ours(How::GaveUp))
            }
            _ => None,
        }
    }
}

impl Mistake {
    /// Returns the broken client's decision about the incoming `call`, whatever else it is in.
    pub(super) fn verdict_without_cause(self, call: &str) -> Option<Admission> {
        match self {
            Self::Claims(CallOutcome::Busy) => Some(Admission::Busy),
            Self::Claims(CallOutcome::Glare) => Some(Admission::YieldTo(format!("{call}.instead"))),
            _ => None,
        }
    }
}
