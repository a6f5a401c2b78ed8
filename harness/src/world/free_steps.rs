//! Free steps: the tasks of a run wait at its [`Gate`], and one after the other is let through.

use std::time::Duration;

use super::{
    Host, Sim,
    gate::{Gate, GateState},
};
use crate::{
    explore::{Order, Step},
    trace::EventKind,
};

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
        self.gate().keep(order);
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
        let Some(quiet) = gate.quiet_ms() else {
            return;
        };
        let mut state = gate.state.subscribe();
        // The effects of the last step have not come yet.
        self.sleep(Duration::from_millis(quiet)).await;
        let idle = |state: &GateState| *state == GateState::Idle && gate.is_empty();
        drop(state.wait_for(idle).await);
        gate.open();
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
