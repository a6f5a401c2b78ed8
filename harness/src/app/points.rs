//! Places inside an app where the plan of a run takes effect: checkpoints and fault points.

use std::{sync::Arc, time::Duration};

use crate::{
    fault::{self, Checkpoints, Plan, Points},
    trace::EventKind,
    world::{Host, Sim},
};

/// Makes `plan` the one that [`checkpoint`] and [`fault_point`] of the code in `sim` follow. A scenario's run does it by
/// itself; a story that is played by [`crate::world::run`] follows none until this is called.
pub fn follow(sim: &Sim, plan: &Arc<Plan>) {
    sim.attach(plan.clone());
}

/// A step of the app, which takes its time where the plan names it for this host (`slow_steps`), and waits for its turn where
/// the plan keeps an order in which it is free.
///
/// Between two steps a real app waits for databases, users and disks: name what lies between two steps that can cross
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

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PointRuling {
    /// It goes on.
    Pass,
    /// It goes on later, by that much.
    Delay(Duration),
    /// It is lost.
    Drop,
    /// It goes on twice.
    Double,
}

/// Asks what becomes of a message at the point called `point`; `detail` says in the trace which message it was. The plan
/// decides by the point and by how many have come there before (the fault `point-verdict`). Outside a run, and after the chaos
/// phase, everything passes.
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
/// If a thread panicked while it counted.
pub fn fault_point(point: &str, detail: impl AsRef<str>) -> PointRuling {
    let Ok(host) = Host::current() else {
        return PointRuling::Pass;
    };
    // What a dead process does counts for nothing.
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
