//! An oracle for the invariants of the app under test.

use super::{Evidence, Oracle, Verdict, Violation};
use crate::trace::EventKind;

/// The app's own invariants hold.
pub const APP_01_INVARIANTS: Oracle = Oracle {
    id: "APP-01",
    meaning: "Every invariant that the app states with `always!` holds.",
    source: "docs/your-client.md",
    check: &invariants,
};

fn invariants(evidence: Evidence<'_>) -> Verdict {
    for event in &evidence.trace.events {
        if let EventKind::Violated { invariant, detail } = &event.kind {
            let host = event.host.as_deref().unwrap_or("the run");
            let detail = match detail.as_str() {
                "" => String::new(),
                detail => format!(": {detail}"),
            };
            return Verdict::Fail(Violation::at(
                event,
                format!(
                    "the invariant '{invariant}' did not hold on {host} at {}{detail}",
                    event.at
                ),
            ));
        }
    }
    Verdict::Pass
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::machine::testing::{decided, judged};

    #[test]
    fn the_first_violation_decides() {
        let violated = EventKind::Violated {
            invariant: "one call".into(),
            detail: "two".into(),
        };
        assert_eq!(decided(&judged(&APP_01_INVARIANTS, vec![EventKind::Ended])), None);
        let events = vec![EventKind::Healed, violated.clone(), violated];
        assert_eq!(decided(&judged(&APP_01_INVARIANTS, events)), Some(1));
    }
}
