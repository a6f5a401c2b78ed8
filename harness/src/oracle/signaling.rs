//! An oracle for the signaling state: which may follow which.
//!
//! It judges reported states, by name; a refused description changes nothing and is not seen here.

use super::{
    Evidence, Oracle, Verdict,
    machine::{Table, peers},
    worst,
};
use crate::trace::Machine;

/// Offers and answers alternate.
pub const STATE_04_TURNS: Oracle = Oracle {
    id: "STATE-04",
    meaning: "The signaling state changes only as offers, answers, provisional answers and rollbacks may change it.",
    source: "docs/stories.md#c-connection-state; W3C webrtc-pc section 4.3.1, RTCSignalingState; RFC 8829 section 3.2",
    check: &turns,
};

/// The state diagram of RTCSignalingState. A rollback leads back to stable; an implicit one passes through it too.
const TABLE: Table = Table {
    machine: Machine::Signaling,
    first: "stable",
    edges: &[
        ("stable", &["have-local-offer", "have-remote-offer", "closed"]),
        ("have-local-offer", &["stable", "have-remote-pranswer", "closed"]),
        ("have-remote-offer", &["stable", "have-local-pranswer", "closed"]),
        ("have-local-pranswer", &["stable", "closed"]),
        ("have-remote-pranswer", &["stable", "closed"]),
        ("closed", &[]),
    ],
};

fn turns(evidence: Evidence<'_>) -> Verdict {
    worst(peers(evidence.trace).iter().map(|peer| peer.walk(&TABLE)))
}

#[cfg(test)]
mod tests {
    use super::{super::machine::testing::*, *};

    #[test]
    fn every_edge_of_the_figure_is_legal_and_no_other() {
        try_every_edge(&STATE_04_TURNS, &TABLE, &[]);
    }

    #[test]
    fn names_are_compared_as_the_specification_writes_them() {
        for wrong in ["HaveLocalOffer", "have_local_offer", "2"] {
            let verdict = judged(&STATE_04_TURNS, vec![reports(Machine::Signaling, wrong)]);
            assert_eq!(decided(&verdict), Some(0), "{wrong}");
        }
    }
}
