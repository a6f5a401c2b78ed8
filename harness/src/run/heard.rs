//! What the ends of calls heard of each other, as marks: that they talked to the end, and through silences.
//!
//! Derived from what adapters recorded: nothing here is told by the app under test.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    time::SimTime,
    trace::{EventKind, Trace},
};

/// From when on somebody who hears nothing notices.
const SILENCE: Duration = Duration::from_secs(2);

/// Marks for each end of a call that talks: that it heard the other end until the run was cleaned up, and each time that it heard
/// it again after a silence.
pub(super) fn marks(trace: &Trace) -> Vec<&'static str> {
    let mut heard: BTreeMap<(Option<&str>, &str), SimTime> = BTreeMap::new();
    let mut marks = Vec::new();
    for event in &trace.events {
        match &event.kind {
            EventKind::Heard { peer } => {
                let before = heard.insert((event.host.as_deref(), peer.call.as_str()), event.at);
                if before.is_some_and(|before| event.at - before >= SILENCE) {
                    marks.push("silence-ended");
                }
            }
            EventKind::CleanUp => {
                let still = heard.values().filter(|last| event.at - **last < SILENCE);
                marks.extend(still.map(|_| "talked-to-the-end"));
                break;
            }
            _ => {}
        }
    }
    marks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::Event;

    /// The marks of an end that heard something at `heard_ms`, until the run was cleaned up at 10 s.
    fn marked(heard_ms: &[u64]) -> Vec<&'static str> {
        let heard = heard_ms
            .iter()
            .map(|ms| (*ms, EventKind::Heard { peer: "c1".into() }));
        let events = heard.chain([
            (10_000, EventKind::CleanUp),
            (10_500, EventKind::Heard { peer: "c1".into() }),
        ]);
        let event = |(seq, (ms, kind)): (usize, (u64, EventKind))| Event {
            seq: seq as u64,
            at: SimTime::from_millis(ms),
            host: Some("alice".into()),
            kind,
        };
        marks(&Trace::from_events(events.enumerate().map(event).collect()))
    }

    #[test]
    fn who_is_heard_at_the_end_and_after_a_silence_is_marked() {
        assert_eq!(marked(&[7_000, 8_001, 9_000]), ["talked-to-the-end"]);
        assert_eq!(
            marked(&[5_000, 7_000, 9_000]),
            ["silence-ended", "silence-ended", "talked-to-the-end"]
        );
        assert_eq!(
            marked(&[7_000, 8_000]),
            [""; 0],
            "what comes after the end does not count"
        );
    }
}
