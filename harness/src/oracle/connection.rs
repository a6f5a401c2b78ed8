//! An oracle for the state of a peer connection: it follows from the states of its transports.
//!
//! It judges only peers that have such a state, and never guesses DTLS: if the trace leaves the DTLS state open, so
//! does the oracle.

use super::{
    Evidence, Oracle, Verdict,
    machine::{Reports, Table, peers, state_of},
    worst,
};
use crate::{
    time::SimTime,
    trace::{Event, EventKind, Machine},
};

/// The connection state follows from the transports.
pub const STATE_02_COMPUTED: Oracle = Oracle {
    id: "STATE-02",
    meaning: "The state of a peer connection is the one that follows from closed, ICE and DTLS, at every change of them.",
    source: "docs/stories.md#c-connection-state; W3C webrtc-pc section 4.3.3, RTCPeerConnectionState; W3C webrtc-pc section 4.4.1, update the connection state",
    check: &computed,
};

const TABLE: Table = Table {
    machine: Machine::Connection,
    first: "new",
    edges: &[
        ("new", &["connecting", "closed"]),
        (
            "connecting",
            &["new", "connected", "disconnected", "failed", "closed"],
        ),
        (
            "connected",
            &["new", "connecting", "disconnected", "failed", "closed"],
        ),
        (
            "disconnected",
            &["new", "connecting", "connected", "failed", "closed"],
        ),
        ("failed", &["new", "connecting", "closed"]),
        ("closed", &[]),
    ],
};

fn computed(evidence: Evidence<'_>) -> Verdict {
    let ended = evidence.trace.events.last().map_or(SimTime::ZERO, |e| e.at);
    let whole = |peer: &&Reports<'_>| {
        let machines = [Machine::Connection, Machine::Signaling, Machine::Gathering];
        machines.iter().any(|machine| peer.has(*machine))
    };
    let peers = peers(evidence.trace);
    worst(peers.iter().filter(whole).map(|peer| judge(peer, ended)))
}

/// The known state of a peer connection.
struct StatesSoFar<'a> {
    closing: bool,
    ice: &'a str,
    dtls: &'static [&'static str],
    connection: &'a str,
}

/// The possible DTLS states before a path was found: nothing can have been negotiated.
const DTLS_UNSTARTED: &[&str] = &["new", "closed"];
/// The possible DTLS states once there was a path.
const DTLS_STARTED: &[&str] = &["new", "connecting", "connected", "closed", "failed"];
/// The possible DTLS states once data came through: it was connected, and cannot begin again.
const DTLS_CONNECTED: &[&str] = &["connected", "closed", "failed"];

fn judge(peer: &Reports<'_>, ended: SimTime) -> Verdict {
    let mut known = StatesSoFar {
        closing: false,
        ice: "new",
        dtls: DTLS_UNSTARTED,
        connection: TABLE.first,
    };
    for (i, event) in peer.events.iter().enumerate() {
        let verdict = match &event.kind {
            EventKind::Closing { .. } => {
                known.closing = true;
                Verdict::Pass
            }
            EventKind::State {
                machine: Machine::Ice,
                state,
                ..
            } => known.ice_changed(peer, i, state, ended),
            EventKind::State {
                machine: Machine::Connection,
                state,
                ..
            } => known.connection_changed(peer, event, state),
            EventKind::Data { .. } => known.data_flows(peer, event),
            _ => Verdict::Pass,
        };
        if verdict != Verdict::Pass {
            return verdict;
        }
    }
    Verdict::Pass
}

impl<'a> StatesSoFar<'a> {
    /// Reports whether `connection` can be the state of the peer connection.
    fn may_be(&self, connection: &str) -> bool {
        self.dtls
            .iter()
            .any(|dtls| by_rules(self.ice, dtls) == connection)
    }

    /// Handles a change of the ICE state: if it changes the connection state, that event follows at the same time.
    fn ice_changed(&mut self, peer: &Reports<'_>, i: usize, ice: &'a str, ended: SimTime) -> Verdict {
        self.ice = ice;
        if matches!(ice, "connected" | "completed") && self.dtls == DTLS_UNSTARTED {
            self.dtls = DTLS_STARTED;
        }
        if self.closing || self.may_be(self.connection) {
            return Verdict::Pass;
        }
        let event = peer.events[i];
        let follows = |e: &&&Event| {
            matches!(e.kind, EventKind::Closing { .. }) || state_of(e, Machine::Connection).is_some()
        };
        let mut now = peer.events[i..].iter().take_while(|e| e.at == event.at);
        match now.find(follows) {
            Some(_) => Verdict::Pass,
            None if event.at == ended => {
                Verdict::Unknown(format!("the run ended while ICE of {peer} changed"))
            }
            None => {
                let what = format!(
                    "reported ice {ice}, and its connection state stayed {}",
                    self.connection
                );
                peer.fail(event, &what)
            }
        }
    }

    fn connection_changed(&mut self, peer: &Reports<'_>, event: &Event, to: &'a str) -> Verdict {
        let from = std::mem::replace(&mut self.connection, to);
        if let Some(what) = TABLE.wrong(from, to) {
            return peer.fail(event, &what);
        }
        // Changes under way when the client began to close may still be reported.
        let legal = self.may_be(to) || (self.closing && to == "closed");
        if legal || from == to {
            return Verdict::Pass;
        }
        let open = if to == "closed" {
            "nobody closed it and "
        } else {
            ""
        };
        let what = format!("reported connection {to} while {open}ICE was {}", self.ice);
        peer.fail(event, &what)
    }

    fn data_flows(&mut self, peer: &Reports<'_>, event: &Event) -> Verdict {
        self.dtls = DTLS_CONNECTED;
        if self.closing || self.may_be(self.connection) {
            return Verdict::Pass;
        }
        let what = format!(
            "had data on its channel while its connection state was {} and ICE was {}",
            self.connection, self.ice
        );
        peer.fail(event, &what)
    }
}

/// Computes the connection state by the ordered rules of RTCPeerConnectionState, for one transport of a connection that
/// is not closed.
fn by_rules(ice: &str, dtls: &str) -> &'static str {
    if ice == "failed" || dtls == "failed" {
        "failed"
    } else if ice == "disconnected" {
        "disconnected"
    } else if matches!(ice, "new" | "closed") && matches!(dtls, "new" | "closed") {
        "new"
    } else if matches!(ice, "connected" | "completed" | "closed") && matches!(dtls, "connected" | "closed") {
        "connected"
    } else {
        "connecting"
    }
}

#[cfg(test)]
mod tests {
    use super::{super::machine::testing::*, *};

    /// Creates events from reports (time, machine, state); ICE and connection change in the same millisecond.
    fn script(reported: &[(u64, Machine, &str)]) -> Vec<(u64, EventKind)> {
        let event = |(at, machine, state): &(u64, Machine, &str)| (*at, reports(*machine, state));
        reported.iter().map(event).collect()
    }

    fn decided_by(reported: &[(u64, Machine, &str)]) -> Option<u64> {
        decided(&judged_timed(&STATE_02_COMPUTED, script(reported)))
    }

    use Machine::{Connection as C, Ice as I};

    const CONNECTED: [(u64, Machine, &str); 4] = [
        (0, I, "checking"),
        (0, C, "connecting"),
        (1, I, "connected"),
        (2, C, "connected"),
    ];

    fn after(more: &[(u64, Machine, &'static str)]) -> Vec<(u64, Machine, &'static str)> {
        [&CONNECTED, more].concat()
    }

    #[test]
    fn the_rules_are_the_specifications_in_their_order() {
        let expected = [
            ("failed", "connected", "failed"),
            ("connected", "failed", "failed"),
            ("disconnected", "connecting", "disconnected"),
            ("new", "new", "new"),
            ("closed", "closed", "new"),
            ("completed", "connected", "connected"),
            ("connected", "new", "connecting"),
            ("checking", "connected", "connecting"),
        ];
        for (ice, dtls, connection) in expected {
            assert_eq!(by_rules(ice, dtls), connection, "{ice} {dtls}");
        }
    }

    #[test]
    fn a_call_that_connects_breaks_recovers_fails_and_closes_is_legal() {
        let mut events = script(&after(&[
            (3, I, "disconnected"),
            (3, C, "disconnected"),
            (4, I, "connected"),
            (4, C, "connected"),
            (5, I, "disconnected"),
            (5, C, "disconnected"),
            (6, I, "failed"),
            (6, C, "failed"),
        ]));
        events.insert(4, (2, heard()));
        events.extend([(7, closing()), (7, reports(C, "closed")), (7, closed())]);
        assert_eq!(judged_timed(&STATE_02_COMPUTED, events), Verdict::Pass);
    }

    #[test]
    fn a_state_that_does_not_follow_fails_at_its_event() {
        assert_eq!(decided_by(&[(0, C, "connecting")]), Some(0), "ICE is new");
        assert_eq!(decided_by(&[(0, C, "Connecting")]), Some(0), "no such name");
        assert_eq!(decided_by(&[(0, C, "connected")]), Some(0), "not from new");
        let early = [(0, I, "checking"), (0, C, "connecting"), (1, C, "connected")];
        assert_eq!(decided_by(&early), Some(2), "ICE never connected");
        for wrong in ["disconnected", "closed", "new"] {
            assert_eq!(decided_by(&after(&[(3, C, wrong)])), Some(4), "{wrong}");
        }
        let kept = after(&[(3, I, "disconnected"), (3, C, "connecting")]);
        assert_eq!(decided_by(&kept), Some(5), "ICE is disconnected");
    }

    #[test]
    fn a_change_of_ice_that_the_connection_does_not_follow_fails_there() {
        for ice in ["disconnected", "checking"] {
            assert_eq!(decided_by(&after(&[(3, I, ice)])), Some(4), "{ice}");
            assert_eq!(
                decided_by(&after(&[(3, I, ice), (4, C, "failed")])),
                Some(4),
                "late"
            );
        }
    }

    #[test]
    fn data_on_the_channel_needs_a_connected_connection() {
        let mut events = script(&CONNECTED[..3]);
        events.push((3, heard()));
        assert_eq!(decided(&judged_timed(&STATE_02_COMPUTED, events)), Some(3));
    }

    #[test]
    fn closed_is_terminal_and_bare_agents_are_not_judged() {
        let mut events = script(&CONNECTED);
        events.extend([
            (3, closing()),
            (3, reports(C, "closed")),
            (4, reports(C, "failed")),
        ]);
        assert_eq!(decided(&judged_timed(&STATE_02_COMPUTED, events)), Some(6));
        let bare = [(0, I, "checking"), (1, I, "connected")];
        assert_eq!(judged_timed(&STATE_02_COMPUTED, script(&bare)), Verdict::Pass);
    }
}
