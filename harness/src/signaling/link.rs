//! The bookkeeping of a client for at-least-once delivery and exactly-once handling of messages.
//!
//! It is told the time: nothing here sends or awaits.

use std::{collections::BTreeSet, time::Duration};

use super::message::{Envelope, Message};
use crate::time::SimTime;

/// The time that a client waits for an acknowledgement before it sends a message again: longer than the slowest message
/// of the story network and its answer take (1.5 s, `scenarios/src/network.rs`).
const PATIENCE: Duration = Duration::from_secs(2);

/// The unacknowledged messages, and those that have arrived.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    sent: u64,
    unacknowledged: Vec<(SimTime, Envelope)>,
    handled: BTreeSet<(Option<String>, String, u64)>,
    heard_of: BTreeSet<String>,
}

impl Ledger {
    /// Creates a ledger whose first message has the number after `sent`.
    pub fn beginning_at(sent: u64) -> Self {
        Self {
            sent,
            ..Self::default()
        }
    }

    /// Numbers a message that is sent for the first time, and keeps it.
    pub fn sends(&mut self, envelope: &mut Envelope, now: SimTime) {
        self.sent += 1;
        envelope.seq = Some(self.sent);
        self.unacknowledged.push((now + PATIENCE, envelope.clone()));
    }

    /// Returns when the next message is due for retransmission.
    pub fn next_due(&self) -> Option<SimTime> {
        self.unacknowledged.iter().map(|(due, _)| *due).min()
    }

    /// Returns the messages that are due at `now`, in the order in which they were sent first; each waits again.
    pub fn due(&mut self, now: SimTime) -> Vec<Envelope> {
        let due = self.unacknowledged.iter_mut().filter(|(at, _)| *at <= now);
        due.map(|(at, envelope)| {
            *at = now + PATIENCE;
            envelope.clone()
        })
        .collect()
    }

    /// Makes all unacknowledged messages due, because there is a new connection.
    pub fn reconnected(&mut self, now: SimTime) {
        for (due, _) in &mut self.unacknowledged {
            *due = now;
        }
    }

    /// Handles an acknowledgement from `from`.
    pub fn acknowledged(&mut self, from: &str, of: u64, absent: bool) {
        if !absent || !self.heard_of.contains(from) {
            self.unacknowledged
                .retain(|(_, envelope)| envelope.seq != Some(of));
        }
    }

    /// Handles a message; returns its acknowledgement, if it has a number, and whether it came for the first time.
    pub fn receives(&mut self, envelope: &Envelope) -> (Option<Envelope>, bool) {
        let (Some(from), Some(of)) = (&envelope.from, envelope.seq) else {
            return (None, true);
        };
        self.heard_of.insert(from.clone());
        let call = envelope.message.call().map(str::to_owned);
        let first = self.handled.insert((call, from.clone(), of));
        (
            Some(Envelope::to(from, Message::Ack { of, absent: false })),
            first,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hangup() -> Envelope {
        let call = "c1".to_owned();
        Envelope::to("bob", Message::Hangup { call })
    }

    #[test]
    fn a_message_is_due_again_until_it_is_acknowledged() {
        let mut ledger = Ledger::default();
        let (start, later) = (SimTime::ZERO, SimTime::ZERO + PATIENCE);
        let mut message = hangup();
        ledger.sends(&mut message, start);
        assert_eq!((message.seq, ledger.next_due()), (Some(1), Some(later)));
        assert_eq!(ledger.due(start), []);
        assert_eq!(ledger.due(later), std::slice::from_ref(&message));
        assert_eq!(ledger.due(later), []);
        ledger.reconnected(later);
        assert_eq!(ledger.due(later), [message]);
        ledger.acknowledged("bob", 1, false);
        assert_eq!(ledger.next_due(), None);
    }

    #[test]
    fn who_was_heard_of_is_only_gone_for_a_moment() {
        let mut ledger = Ledger::default();
        ledger.sends(&mut hangup(), SimTime::ZERO);
        let mut theirs = hangup();
        theirs.from = Some("bob".into());
        theirs.seq = Some(7);
        ledger.receives(&theirs);
        ledger.acknowledged("bob", 1, true);
        assert!(ledger.next_due().is_some());

        let mut unheard = Ledger::default();
        unheard.sends(&mut hangup(), SimTime::ZERO);
        unheard.acknowledged("bob", 1, true);
        assert_eq!(unheard.next_due(), None);
    }

    #[test]
    fn every_copy_is_acknowledged_and_one_is_handled() {
        let mut ledger = Ledger::default();
        let mut message = hangup();
        message.from = Some("alice".into());
        assert_eq!(ledger.receives(&message), (None, true));
        message.seq = Some(7);
        let ack = Some(Envelope::to("alice", Message::Ack { of: 7, absent: false }));
        assert_eq!(ledger.receives(&message), (ack.clone(), true));
        assert_eq!(ledger.receives(&message), (ack, false));
    }
}
