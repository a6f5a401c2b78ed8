//! The gate: holds free steps back until their turn comes, where a run keeps an [`Order`].
//!
//! A waiting step is woken when no other has come for a while, so that everything that the previous step caused waits
//! as well, or is done. Without an order nothing ever waits here.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard},
    time::Duration,
};

use tokio::sync::{oneshot, watch};

use super::{Host, Sim};
use crate::{
    explore::{Chooser, Order, Pick, Step},
    trace::EventKind,
};

/// The waiting steps of a run.
#[derive(Default)]
pub(super) struct Gate {
    kept: Mutex<Option<Kept>>,
    state: watch::Sender<GateState>,
    // Counts the steps that have come or gone.
    news: watch::Sender<u64>,
}

struct Kept {
    order: Order,
    chooser: Chooser,
    waiting: BTreeMap<Step, oneshot::Sender<()>>,
    // The number of steps of each name so far.
    come: BTreeMap<Step, u32>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum GateState {
    #[default]
    Choosing,
    /// No step waits, and none has come for a while.
    Idle,
    /// Only steps that another order has taken are left.
    Redundant,
}

impl Gate {
    fn kept(&self) -> MutexGuard<'_, Option<Kept>> {
        self.kept.lock().expect("choosing does not panic")
    }

    /// Registers a step as waiting; returns `None` if the step is not free.
    fn wait(&self, host: &str, kind: &str, name: &str) -> Option<(Step, oneshot::Receiver<()>)> {
        let mut kept = self.kept();
        let kept = kept
            .as_mut()
            .filter(|kept| kept.order.is_free(host, kind, name))?;
        let mut step = Step {
            host: host.to_owned(),
            name: name.to_owned(),
        };
        let come = kept.come.entry(step.clone()).or_default();
        *come += 1;
        if *come > 1 {
            step.name = format!("{name} ({come})");
        }
        let (wake, woken) = oneshot::channel();
        kept.waiting.insert(step.clone(), wake);
        self.news.send_modify(|news| *news += 1);
        Some((step, woken))
    }

    /// Removes a step that waited, because its task is gone.
    fn withdraw(&self, step: &Step) {
        if let Some(kept) = self.kept().as_mut()
            && kept.waiting.remove(step).is_some()
        {
            self.news.send_modify(|news| *news += 1);
        }
    }

    /// Wakes the step whose turn it is, and returns the event to record.
    fn wake_next(&self) -> Option<EventKind> {
        let mut kept = self.kept();
        let kept = kept.as_mut()?;
        let (taken, awake) = match kept.chooser.choose(kept.waiting.keys()) {
            Pick::Take { taken, awake } => (Some(awake[taken].clone()), awake),
            Pick::Again(step) => (Some(step), Vec::new()),
            Pick::Redundant => (None, Vec::new()),
        };
        let asleep = kept.waiting.keys().filter(|step| !awake.contains(step));
        let turn = EventKind::Decision {
            taken: taken.as_ref().map(Step::to_string),
            asleep: asleep.map(Step::to_string).collect(),
            awake: awake.iter().map(Step::to_string).collect(),
        };
        if let Some(wake) = taken.and_then(|step| kept.waiting.remove(&step)) {
            // The task that waited may have been dropped meanwhile.
            let _ = wake.send(());
        }
        Some(turn)
    }

    fn is_empty(&self) -> bool {
        self.kept().as_ref().is_none_or(|kept| kept.waiting.is_empty())
    }
}

/// A guard that withdraws a step when its task is dropped while it waits.
struct Place<'a> {
    gate: &'a Gate,
    step: Step,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.gate.withdraw(&self.step);
    }
}

impl Sim {
    /// Makes the free steps of `order` wait for their turn from now on.
    pub(crate) fn keep(&self, order: &Order) {
        *self.gate().kept() = Some(Kept {
            chooser: Chooser::new(order),
            order: order.clone(),
            waiting: BTreeMap::new(),
            come: BTreeMap::new(),
        });
        let (sim, quiet) = (self.clone(), Duration::from_millis(order.quiet_ms));
        self.spawn("order", async move { sim.choose(quiet).await });
    }

    /// Wakes one step after the other until all that are left would repeat another order.
    async fn choose(&self, quiet: Duration) {
        let gate = self.gate();
        let mut news = gate.news.subscribe();
        loop {
            // The sender lives as long as the world.
            while tokio::time::timeout(quiet, news.changed()).await.is_ok() {}
            if gate.is_empty() {
                gate.state.send_replace(GateState::Idle);
                let _ = news.changed().await;
                gate.state.send_replace(GateState::Choosing);
                continue;
            }
            let Some(turn) = gate.wake_next() else { return };
            let is_redundant = matches!(turn, EventKind::Decision { taken: None, .. });
            self.record(turn);
            if is_redundant {
                gate.state.send_replace(GateState::Redundant);
                return;
            }
        }
    }

    /// Returns when the run turns out to repeat another order; never if it keeps no order.
    pub(crate) async fn redundant(&self) {
        let mut state = self.gate().state.subscribe();
        // The sender lives as long as the world.
        drop(state.wait_for(|state| *state == GateState::Redundant).await);
    }

    /// Waits until every free step of the run has been taken; from then on nothing waits any more.
    pub async fn all_turns_taken(&self) {
        let gate = self.gate();
        let Some(quiet) = gate.kept().as_ref().map(|kept| kept.order.quiet_ms) else {
            return;
        };
        let mut state = gate.state.subscribe();
        // The effects of the last step have not come yet.
        self.sleep(Duration::from_millis(quiet)).await;
        let idle = |state: &GateState| *state == GateState::Idle && gate.is_empty();
        drop(state.wait_for(idle).await);
        *gate.kept() = None;
    }
}

impl Host {
    /// If the run keeps an order in which steps of `kind` on this host are free, waits for the turn of the step `name`;
    /// returns whether it waited.
    pub async fn turn(&self, kind: &str, name: &str) -> bool {
        let gate = self.sim().gate();
        let Some((step, woken)) = gate.wait(self.name(), kind, name) else {
            return false;
        };
        let _place = Place { gate, step };
        // An error means that the order is over.
        let _ = woken.await;
        true
    }
}
