//! An oracle for ICE states: which may follow which.
//!
//! It judges reported states, by name; it never asks whether connecting should have worked.

use super::{
    Evidence, Oracle, Verdict,
    machine::{Generations, Reports, Table, peers, state_of},
    worst,
};
use crate::trace::Machine;

/// ICE makes only legal state changes.
pub const STATE_01_EDGES: Oracle = Oracle {
    id: "STATE-01",
    meaning: "ICE reports only states of the specification, by name, and only legal changes between them.",
    source: "docs/stories.md#c-connection-state; W3C webrtc-pc section 5.6.4, RTCIceTransportState; RFC 8445 section 9",
    check: &edges,
};

/// The state diagram of RTCIceTransportState. *failed* and *completed* are left for a fresh attempt only by a restart.
const TABLE: Table = Table {
    machine: Machine::Ice,
    first: "new",
    edges: &[
        ("new", &["checking", "closed"]),
        (
            "checking",
            &["connected", "completed", "disconnected", "failed", "closed"],
        ),
        ("connected", &["completed", "checking", "disconnected", "closed"]),
        ("completed", &["disconnected", "failed", "connected", "closed"]),
        (
            "disconnected",
            &["checking", "connected", "completed", "failed", "closed"],
        ),
        ("failed", &["checking", "closed"]),
        ("closed", &[]),
    ],
};

/// The edges that require a restart.
const BY_RESTART: [(&str, &str); 2] = [("failed", "checking"), ("completed", "connected")];

fn edges(evidence: Evidence<'_>) -> Verdict {
    worst(peers(evidence.trace).iter().map(judge))
}

fn judge(peer: &Reports<'_>) -> Verdict {
    let mut generations = Generations::default();
    let mut now = TABLE.first;
    for event in &peer.events {
        generations.see(event);
        let Some(to) = state_of(event, TABLE.machine) else {
            continue;
        };
        if let Some(what) = TABLE.wrong(now, to) {
            return peer.fail(event, &what);
        }
        if BY_RESTART.contains(&(now, to)) && !generations.restarted {
            return peer.fail(event, &format!("went from ice {now} to {to} without a restart"));
        }
        if matches!(to, "checking" | "connected") {
            generations.restarted = false;
        }
        now = to;
    }
    Verdict::Pass
}

#[cfg(test)]
mod tests {
    use super::{super::machine::testing::*, *};

    fn ice(states: &[&str]) -> Vec<crate::trace::EventKind> {
        states.iter().map(|s| reports(Machine::Ice, s)).collect()
    }

    #[test]
    fn every_edge_of_the_figure_is_legal_and_no_other() {
        try_every_edge(&STATE_01_EDGES, &TABLE, &BY_RESTART);
    }

    #[test]
    fn failed_and_completed_are_left_by_a_restart_only() {
        for (before, after) in [("failed", "checking"), ("completed", "connected")] {
            let mut events = vec![described(false, "a")];
            events.extend(ice(&["checking", before, after]));
            assert_eq!(decided(&judged(&STATE_01_EDGES, events.clone())), Some(3));
            events.insert(3, described(false, "b"));
            assert_eq!(judged(&STATE_01_EDGES, events), Verdict::Pass);
        }
    }

    #[test]
    fn names_are_compared_as_the_specification_writes_them() {
        for wrong in ["Checking", "2", "unspecified", ""] {
            assert_eq!(
                decided(&judged(&STATE_01_EDGES, ice(&[wrong]))),
                Some(0),
                "{wrong}"
            );
        }
    }
}
