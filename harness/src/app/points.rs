//! Places inside an app where the plan of a run takes effect: checkpoints and fault points.

use std::{sync::Arc, time::Duration};

use crate::{
    fault::{self, Checkpoints, Plan, Points},
    trace::EventKind,
    world::{Host, Sim},
};

/// Makes [`checkpoint`] and [`fault_point`] of the code in `sim` follow `plan`. A run of a scenario does this by
/// itself; a story run by [`crate::world::run`] follows no plan until this is called.
pub fn follow(sim: &Sim, plan: &Arc<Plan>) {
    sim.attach(plan.clone());
}

/// Marks a step of the app: it takes its time if the plan names it for this host (`slow_steps`); if the plan keeps an
/// order in which the step is free, it waits for its turn instead.
///
/// Between two steps a real app waits for databases, users and disks: name the places between two steps that can cross
/// with something else, in clients and servers alike. Outside a run it does nothing.
///
/// ```
/// # async fn code() {
/// sleet::app::checkpoint("before-answer").await;
/// # }
/// ```
pub async fn checkpoint(step: &str) {
    let Ok(host) = Host::current() else { return };
    if let Some(plan) = host.sim().attached::<Plan>() {
        Checkpoints::new(&host, &plan).pause(step).await;
    }
}

/// The ruling on a message at a fault point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PointRuling {
    /// The message passes.
    Pass,
    /// The message passes after this delay.
    Delay(Duration),
    /// The message is lost.
    Drop,
    /// The message passes twice.
    Double,
}

/// Returns the plan's ruling on a message at the point called `point`; `detail` identifies the message in the trace.
/// The plan decides by the point and by the number of messages there before (the fault `point-verdict`). Outside a run,
/// and after the chaos phase, every message passes.
///
/// ```
/// use sleet::app::{PointRuling, fault_point};
///
/// let mut outbox = Vec::new();
/// match fault_point("relay", "candidate of alice") {
///     PointRuling::Pass | PointRuling::Delay(_) => outbox.push("candidate"),
///     PointRuling::Drop => {}
///     PointRuling::Double => outbox.extend(["candidate"; 2]),
/// }
/// assert_eq!(outbox, ["candidate"], "a test is no run");
/// ```
///
/// # Panics
/// Panics if a thread panicked while it counted.
pub fn fault_point(point: &str, detail: impl AsRef<str>) -> PointRuling {
    let Ok(host) = Host::current() else {
        return PointRuling::Pass;
    };
    // A message of a dead process does not count.
    if !host.is_up() {
        return PointRuling::Pass;
    }
    let Some((fault, verdict)) = host.sim().part::<Points>().meets(point) else {
        return PointRuling::Pass;
    };
    host.sim().record(EventKind::PointImpaired {
        fault,
        point: point.to_owned(),
        detail: detail.as_ref().to_owned(),
    });
    match verdict {
        fault::MessageFate::Delay { ms } => PointRuling::Delay(Duration::from_millis(ms)),
        fault::MessageFate::Drop => PointRuling::Drop,
        fault::MessageFate::Duplicate => PointRuling::Double,
    }
}
