//! Messages that wait at the server for their turn, where a run keeps an order.
//!
//! A message acts on its receiver, so its delivery counts as a step of the receiving client. Messages of one sender
//! wait together where the server handles them concurrently, and one at a time where it handles them in order.

use super::message::Envelope;
use crate::world::Host;

/// Waits for the turn of `envelope`, which `from` sent through `server`; returns whether it had to wait.
pub(super) async fn until_its_turn(server: &Host, from: &str, envelope: &Envelope) -> bool {
    let Some(to) = &envelope.to else { return false };
    let (kind, call) = (
        envelope.message.name(),
        envelope.message.call().unwrap_or_default(),
    );
    match server.sim().find_host(to) {
        Some(to) => to.turn(kind, &format!("{kind} of {call} from {from}")).await,
        None => false,
    }
}
