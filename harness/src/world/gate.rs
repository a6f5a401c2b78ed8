//! The gate: holds free steps back until their turn comes, where a run keeps an [`Order`].
//!
//! A waiting step is woken when no other has come for a while, so that everything that the previous step caused waits
//! as well, or is done. Without an order nothing ever waits here.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard},
};

use tokio::sync::{oneshot, watch};

use crate::{
    explore::{Chooser, Order, Pick, Step},
    trace::EventKind,
};

/// The waiting steps of a run.
#[derive(Default)]
pub(super) struct Gate {
    kept: Mutex<Option<Kept>>,
    pub(super) state: watch::Sender<GateState>,
    // Counts the steps that have come or gone.
    pub(super) news: watch::Sender<u64>,
}

struct Kept {
    order: Order,
    chooser: Chooser,
    waiting: BTreeMap<Step, oneshot::Sender<()>>,
    // The number of steps of each name so far.
    come: BTreeMap<Step, u32>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum GateState {
    #[default]
    Choosing,
    /// No step waits, and none has come for a while.
    Idle,
    /// Only steps that another order has taken are left.
    Redundant,
}

impl Gate {
    /// Makes the free steps of `order` wait from now on.
    pub(super) fn keep(&self, order: &Order) {
        *self.kept() = Some(Kept {
            chooser: Chooser::new(order),
            order: order.clone(),
            waiting: BTreeMap::new(),
            come: BTreeMap::new(),
        });
    }

    /// Lets every step pass from now on.
    pub(super) fn open(&self) {
        *self.kept() = None;
    }

    /// Returns how long nothing must come before a step is woken, in milliseconds; `None` without an order.
    pub(super) fn quiet_ms(&self) -> Option<u64> {
        self.kept().as_ref().map(|kept| kept.order.quiet_ms)
    }

    fn kept(&self) -> MutexGuard<'_, Option<Kept>> {
        self.kept.lock().expect("choosing does not panic")
    }

    /// Registers a step as waiting; returns `None` if the step is not free.
    pub(super) fn wait(&self, host: &str, kind: &str, name: &str) -> Option<(Step, oneshot::Receiver<()>)> {
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
    pub(super) fn withdraw(&self, step: &Step) {
        if let Some(kept) = self.kept().as_mut()
            && kept.waiting.remove(step).is_some()
        {
            self.news.send_modify(|news| *news += 1);
        }
    }

    /// Wakes the step whose turn it is, and returns the event to record.
    pub(super) fn wake_next(&self) -> Option<EventKind> {
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

    pub(super) fn is_empty(&self) -> bool {
        self.kept().as_ref().is_none_or(|kept| kept.waiting.is_empty())
    }
}
