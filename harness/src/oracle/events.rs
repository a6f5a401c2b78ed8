//! Oracles for the events of peers: they report changes only, and none after the close.
//!
//! They judge when something is reported, never what: the oracles of the state machines judge which state may follow
//! which.

use std::collections::BTreeMap;

use super::{
    Evidence, Oracle, Verdict,
    machine::{Reports, peers, state},
    worst,
};
use crate::trace::{EventKind, Machine};

/// Events report changes only.
pub const STATE_05_NEWS: Oracle = Oracle {
    id: "STATE-05",
    meaning: "A state is reported only when it changed.",
    source: "docs/stories.md#c-connection-state; W3C webrtc-pc section 4.4.1, update the connection state",
    check: &|evidence| of_each(evidence, only_changes),
};

/// No events after the close.
pub const STATE_06_LAST_WORD: Oracle = Oracle {
    id: "STATE-06",
    meaning: "Nothing is reported for a peer whose close has returned.",
    source: "docs/stories.md#c-connection-state; W3C webrtc-pc section 4.4.2, close",
    check: &|evidence| of_each(evidence, silent_when_closed),
};

fn of_each(evidence: Evidence<'_>, judge: fn(&Reports<'_>) -> Verdict) -> Verdict {
    worst(peers(evidence.trace).iter().map(judge))
}

/// Judges that no state is reported twice in a row.
fn only_changes(peer: &Reports<'_>) -> Verdict {
    let mut now = BTreeMap::from([
        (Machine::Ice, "new"),
        (Machine::Gathering, "new"),
        (Machine::Connection, "new"),
        (Machine::Signaling, "stable"),
    ]);
    for event in &peer.events {
        if let Some((machine, to)) = state(event)
            && now.insert(machine, to) == Some(to)
        {
            return peer.fail(
                event,
                &format!("reported {machine} {to} again, which was no change"),
            );
        }
    }
    Verdict::Pass
}

/// Judges that nothing is reported after the close has returned. States that the close itself causes come before.
fn silent_when_closed(peer: &Reports<'_>) -> Verdict {
    let closed = |kind: &EventKind| matches!(kind, EventKind::Closed { .. });
    for event in peer.events.iter().skip_while(|e| !closed(&e.kind)) {
        let what = match &event.kind {
            EventKind::State { machine, state, .. } => format!("{machine} {state}"),
            EventKind::Gathered { candidate, .. } => match candidate {
                Some(candidate) => format!("the candidate {candidate}"),
                None => "the end of its candidates".to_owned(),
            },
            EventKind::PairSelected { local, remote, .. } => format!("the pair {local} and {remote}"),
            EventKind::Data {
                received: true, text, ..
            } => format!("the message {text}"),
            _ => continue,
        };
        return peer.fail(event, &format!("was closed and reported {what}"));
    }
    Verdict::Pass
}

#[cfg(test)]
mod tests {
    use super::{super::machine::testing::*, *};

    #[test]
    fn changes_before_the_end_are_legal() {
        let events = vec![
            reports(Machine::Ice, "checking"),
            reports(Machine::Connection, "connecting"),
            reports(Machine::Ice, "connected"),
            reports(Machine::Ice, "checking"),
            heard(),
            heard(),
            closing(),
            reports(Machine::Ice, "closed"),
            closed(),
        ];
        assert_eq!(judged(&STATE_05_NEWS, events.clone()), Verdict::Pass);
        assert_eq!(judged(&STATE_06_LAST_WORD, events), Verdict::Pass);
    }

    #[test]
    fn a_repeated_state_fails_even_if_it_is_the_first() {
        for (machine, first, next) in [
            (Machine::Ice, "new", "checking"),
            (Machine::Signaling, "stable", "have-local-offer"),
        ] {
            assert_eq!(
                decided(&judged(&STATE_05_NEWS, vec![reports(machine, first)])),
                Some(0)
            );
            let twice = vec![reports(machine, next), closing(), reports(machine, next)];
            assert_eq!(decided(&judged(&STATE_05_NEWS, twice)), Some(2));
        }
    }

    #[test]
    fn anything_after_the_end_fails() {
        let late = [
            reports(Machine::Ice, "closed"),
            gathered(Some("a")),
            gathered(None),
            heard(),
            EventKind::PairSelected {
                peer: "c1".into(),
                local: "host 10.0.0.1:1".into(),
                remote: "host 10.0.0.2:1".into(),
            },
        ];
        for event in late {
            let verdict = judged(&STATE_06_LAST_WORD, vec![closing(), closed(), event.clone()]);
            assert_eq!(decided(&verdict), Some(2), "{event:?}");
        }
    }
}
