//! Helpers for the kinds that act on single signaling messages.

use crate::{
    fault::{Befalls, Fault, FaultKind, InForce, Plan},
    seed::Stream,
    signaling::conditions::{Conditions, MessageFate},
    world::Controls,
};

/// Draws one to three faults for each client. An attempt takes about ten messages of each side.
pub(super) fn some_of_each<K: Into<FaultKind>>(
    draws: &mut Stream,
    plan: &Plan,
    kind: impl Fn(&mut Stream, u64) -> K,
) -> Vec<Fault> {
    let mut faults = Vec::new();
    for client in Befalls::Client.all(plan) {
        for _ in 0..draws.between(1, 3) {
            let message = draws.below(12);
            faults.push(Fault::new(client.clone(), kind(draws, message), 0, None));
        }
    }
    faults
}

/// Returns an error if another fault has a verdict on `message` of the same client.
pub(super) fn check(fault: &Fault, message: u64, before: &[Fault]) -> Result<(), String> {
    let same = |other: &Fault| other.target == fault.target && on(&other.kind) == Some(message);
    match before.iter().find(|other| same(other)) {
        Some(other) => Err(format!(
            "kind.{}.message: fault {} falls on message {message} of {} already",
            fault.spec().name,
            other.id,
            fault.target.name()
        )),
        None => Ok(()),
    }
}

/// Returns the number of the message that a fault acts on, if it acts on one.
fn on(kind: &FaultKind) -> Option<u64> {
    match kind {
        FaultKind::SignalDelay(fault) => Some(fault.message),
        FaultKind::SignalDrop(fault) => Some(fault.message),
        FaultKind::SignalDuplicate(fault) => Some(fault.message),
        _ => None,
    }
}

pub(super) fn lay(at: &InForce<'_>, world: &mut Controls<'_, '_>, message: u64, verdict: MessageFate) {
    let conditions = world.sim().part::<Conditions>();
    conditions.lay(at.fault.id, at.fault.target.name(), message, verdict);
}

pub(super) fn lift(at: &InForce<'_>, world: &mut Controls<'_, '_>) {
    world.sim().part::<Conditions>().lift(at.fault.id);
}
