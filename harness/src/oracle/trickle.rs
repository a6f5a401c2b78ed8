//! An oracle for the order in which an app passes its candidates on.

use std::collections::BTreeMap;

use super::{Evidence, Oracle, Verdict, Violation};
use crate::trace::{Event, EventKind, SERVICE, SignalDirection};

/// Nothing comes after the end of candidates.
pub const TRIC_01_ENDS: Oracle = Oracle {
    id: "TRIC-01",
    meaning: "An app sends no candidate of a generation after it has said that there are no more.",
    source: "RFC 8838 section 13; W3C webrtc-pc section 4.8.2",
    check: &ends,
};

/// The message that says so.
const END: &str = "end-of-candidates";

fn ends(evidence: Evidence<'_>) -> Verdict {
    // By sender, call and generation.
    let mut ended: BTreeMap<(&str, &str, &str), &Event> = BTreeMap::new();
    for event in &evidence.trace.events {
        let EventKind::Signal {
            direction: SignalDirection::Sent,
            with,
            message,
            call: Some(call),
            ufrag: Some(ufrag),
            ..
        } = &event.kind
        else {
            continue;
        };
        let Some(host) = event.host.as_deref().filter(|_| with == SERVICE) else {
            continue;
        };
        let key = (host, call.as_str(), ufrag.as_str());
        match message.as_str() {
            END => {
                ended.entry(key).or_insert(event);
            }
            "candidate" => {
                if let Some(end) = ended.get(&key) {
                    let why = format!(
                        "{host} sent a candidate of {call} at {}, and had said at {} that there are no more",
                        event.at, end.at
                    );
                    return Verdict::Fail(Violation::at(event, why));
                }
            }
            _ => {}
        }
    }
    Verdict::Pass
}

#[cfg(test)]
mod tests {
    use super::{super::machine::testing::*, *};

    fn said(message: &str, ufrag: &str) -> EventKind {
        EventKind::Signal {
            direction: SignalDirection::Sent,
            with: SERVICE.into(),
            message: message.into(),
            call: Some("c1".into()),
            ufrag: Some(ufrag.into()),
            candidate: None,
        }
    }

    #[test]
    fn no_candidate_follows_the_end_of_its_generation() {
        let judge = |kinds| decided(&judged(&TRIC_01_ENDS, kinds));
        assert_eq!(judge(vec![said("candidate", "a"), said(END, "a")]), None);
        assert_eq!(judge(vec![said(END, "a"), said("candidate", "a")]), Some(1));
        assert_eq!(
            judge(vec![said(END, "a"), said("candidate", "b")]),
            None,
            "another generation"
        );
    }
}
