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
