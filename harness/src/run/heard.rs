//! Marks and statistics of what the ends of calls heard of each other: whether they talked to the end, and through which silences.
//!
//! Derived from what adapters recorded: nothing here is told by the app under test.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    time::SimTime,
    trace::{EventKind, Trace},
};

/// The silence from which on a user notices it.
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

/// The longest silence of a run, and the longest time that a call took to recover from one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Silences {
    /// The longest time between two messages in a row that an end of a call heard; `None` if no end heard two.
    pub longest: Option<Duration>,
    /// Of silences of two seconds or more, the longest time from the last fault that began or ended within one to its end.
    pub recovery: Option<Duration>,
}

/// The silences of the calls of `trace`, before the run is cleaned up. A silence that nothing ends is no silence here: TALK-01 judges
/// it.
pub(super) fn silences(trace: &Trace) -> Silences {
    let mut heard: BTreeMap<(Option<&str>, &str), SimTime> = BTreeMap::new();
    let mut fault: Option<SimTime> = None;
    let mut silences = Silences::default();
    for event in &trace.events {
        match &event.kind {
            EventKind::FaultStarted { .. } | EventKind::FaultEnded { .. } => fault = Some(event.at),
            EventKind::Heard { peer } => {
                let end = (event.host.as_deref(), peer.call.as_str());
                let Some(before) = heard.insert(end, event.at) else {
                    continue;
                };
                let silence = event.at - before;
                silences.longest = silences.longest.max(Some(silence));
                if silence >= SILENCE {
                    let last = fault.filter(|fault| *fault >= before);
                    let recovery = event.at - last.unwrap_or(before);
                    silences.recovery = silences.recovery.max(Some(recovery));
                }
            }
            EventKind::CleanUp => break,
            _ => {}
        }
    }
    silences
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::{Event, FaultId};

    /// A run in which an end heard something at `heard_ms`, a fault ended at `fault_ms`, and the clean-up was at 10 s.
    fn run(heard_ms: &[u64], fault_ms: &[u64]) -> Trace {
        let heard = heard_ms
            .iter()
            .map(|ms| (*ms, EventKind::Heard { peer: "c1".into() }));
        let fault = FaultId(1);
        let faults = fault_ms.iter().map(|ms| (*ms, EventKind::FaultEnded { fault }));
        let mut events: Vec<_> = heard.chain(faults).collect();
        events.extend([
            (10_000, EventKind::CleanUp),
            (10_500, EventKind::Heard { peer: "c1".into() }),
        ]);
        events.sort_by_key(|(ms, _)| *ms);
        let event = |(seq, (ms, kind)): (usize, (u64, EventKind))| Event {
            seq: seq as u64,
            at: SimTime::from_millis(ms),
            host: Some("alice".into()),
            kind,
        };
        Trace::from_events(events.into_iter().enumerate().map(event).collect())
    }

    fn marked(heard_ms: &[u64]) -> Vec<&'static str> {
        marks(&run(heard_ms, &[]))
    }

    #[test]
    fn a_call_recovers_from_the_last_fault_within_a_silence() {
        let of = |heard_ms: &[u64], fault_ms: &[u64]| {
            let silences = silences(&run(heard_ms, fault_ms));
            [silences.longest, silences.recovery].map(|d| d.map(|d| d.as_millis()))
        };
        assert_eq!(of(&[1_000], &[]), [None, None]);
        assert_eq!(
            of(&[1_000, 1_200, 2_900], &[1_500]),
            [Some(1_700), None],
            "nobody notices"
        );
        assert_eq!(
            of(&[1_000, 6_000], &[500, 2_000, 4_500]),
            [Some(5_000), Some(1_500)]
        );
        assert_eq!(
            of(&[1_000, 6_000], &[500]),
            [Some(5_000), Some(5_000)],
            "without a fault"
        );
        assert_eq!(
            of(&[1_000, 9_000], &[]),
            [Some(8_000), Some(8_000)],
            "what comes after the end does not count"
        );
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
