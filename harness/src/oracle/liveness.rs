//! An oracle for a connected path that falls silent: the agent's timers.
//!
//! It judges by the packets that reached the host, never by the faults of the plan: an agent can know of a path only
//! what came out of it.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use super::{
    Evidence, Oracle, Verdict,
    machine::{BEHIND_A_NAT, Reports, address_of, peers, state_of},
    worst,
};
use crate::{
    peer::IceTimeouts,
    time::SimTime,
    trace::{Event, EventKind, Machine, PacketId, Trace},
};

/// A silent path is reported in time.
pub const TIME_01_TIMELY: Oracle = Oracle {
    id: "TIME-01",
    meaning: "ICE reports disconnected and failed when the selected path has been silent for as long as its timers say, and connected when it is heard again; each within one look of the agent.",
    source: "docs/stories.md#c-connection-state; RFC 7675 section 5.1; docs/nomination.md#how-long-a-silent-path-lasts",
    check: &timely,
};

/// The interval at which an agent looks at its pair: `connectivity_checks` starts every round from
/// `DEFAULT_CHECK_INTERVAL` and other intervals can only shorten it (`webrtc-ice` 0.17.2,
/// `src/agent/agent_internal.rs:267` to `290`, `src/agent/agent_config.rs:13`).
const LOOK: Duration = Duration::from_millis(200);
/// The time that a packet may take through the stack's own virtual network, and a state to its handler.
const INSIDE: Duration = Duration::from_millis(10);

/// A state that ICE reports between two times.
#[derive(Debug, PartialEq, Eq)]
struct Due {
    state: &'static str,
    from: SimTime,
    until: SimTime,
    /// Whether it must be reported; else it may be.
    must: bool,
}

impl Due {
    fn after(from: SimTime, state: &'static str, silent_until: SimTime) -> Self {
        let until = from + LOOK + INSIDE;
        Self {
            state,
            from,
            until,
            must: until < silent_until,
        }
    }
}

fn timely(evidence: Evidence<'_>) -> Verdict {
    let Evidence { trace, plan } = evidence;
    if !plan.topology.nats.is_empty() {
        return Verdict::Unknown(BEHIND_A_NAT.into());
    }
    let timeouts = plan.ice_timeouts.unwrap_or(IceTimeouts::OF_THE_STACK);
    let senders = senders(trace);
    worst(peers(trace).iter().map(|peer| {
        let ended = trace.events.last().map_or(SimTime::ZERO, |e| e.at);
        let closing = |e: &&&Event| matches!(e.kind, EventKind::Closing { .. });
        let end = peer.events.iter().find(closing).map_or(ended, |e| e.at);
        let heard = heard(trace, &senders, peer);
        judge(peer, &dues(&heard, end, timeouts), end)
    }))
}

/// Returns the source address of each packet.
fn senders(trace: &Trace) -> BTreeMap<PacketId, SocketAddr> {
    let sent = trace.events.iter().filter_map(|e| match &e.kind {
        EventKind::PacketSent { packet, flow, .. } => Some((*packet, flow.src)),
        _ => None,
    });
    sent.collect()
}

/// Returns the times at which packets of the remote candidate of `peer`'s selected pair arrived. The stack counts every
/// packet from there, STUN or not (`agent_internal.rs:977` and `991`).
fn heard(trace: &Trace, senders: &BTreeMap<PacketId, SocketAddr>, peer: &Reports<'_>) -> Vec<SimTime> {
    let mut remote = None;
    let heard = trace.of(peer.host).filter_map(|e| match &e.kind {
        // A pair is selected when one of its packets has arrived.
        EventKind::PairSelected { remote: to, .. } if peer.events.iter().any(|p| p.seq == e.seq) => {
            remote = address_of(to);
            Some(e.at)
        }
        EventKind::PacketDelivered { packet }
            if remote.is_some() && senders.get(packet) == remote.as_ref() =>
        {
            Some(e.at)
        }
        _ => None,
    });
    heard.collect()
}

/// Returns the states that are due for a peer that received packets at `heard` and lived until `end`.
fn dues(heard: &[SimTime], end: SimTime, timeouts: IceTimeouts) -> Vec<Due> {
    let mut dues = Vec::new();
    for (i, last) in heard.iter().enumerate() {
        let again = heard.get(i + 1).copied().filter(|at| *at < end);
        let silent_until = again.unwrap_or(end);
        let disconnects = *last + timeouts.disconnected();
        let fails = disconnects + timeouts.failed();
        if silent_until <= disconnects {
            continue;
        }
        dues.push(Due::after(disconnects, "disconnected", silent_until));
        if silent_until > fails {
            dues.push(Due::after(fails, "failed", silent_until));
            // *failed* is final, unless there is a restart.
            return dues;
        }
        if let Some(at) = again {
            let certain = dues.last().is_some_and(|due| due.must);
            let back = Due::after(at, "connected", end);
            dues.push(Due {
                must: back.must && certain,
                ..back
            });
        }
    }
    dues
}

fn judge(peer: &Reports<'_>, dues: &[Due], end: SimTime) -> Verdict {
    let reported = peer.events.iter().filter(|e| e.at < end);
    let reported = reported.filter_map(|e| Some((*e, state_of(e, Machine::Ice)?)));
    // Other oracles judge how a path comes to be.
    let reported = reported.skip_while(|(_, state)| *state != "connected").skip(1);
    let reported: Vec<(&Event, &str)> = reported.collect();
    let fits = |due: &Due, event: &Event, state: &str| {
        due.state == state && (due.from..=due.until).contains(&event.at)
    };
    for (event, state) in &reported {
        if !dues.iter().any(|due| fits(due, event, state)) {
            let when = match dues.iter().find(|due| due.state == *state) {
                Some(due) => format!(", due from {} to {}", due.from, due.until),
                None => ", which no silence of its path explains".to_owned(),
            };
            return peer.fail(event, &format!("reported ice {state}{when},"));
        }
    }
    let missing = dues.iter().filter(|due| due.must);
    let missing = missing.filter(|due| !reported.iter().any(|(event, state)| fits(due, event, state)));
    worst(missing.map(|due| peer.never(&format!("reported ice {} by {}", due.state, due.until))))
}

#[cfg(test)]
mod tests {
    use super::{super::machine::testing::*, *};

    fn selected() -> EventKind {
        EventKind::PairSelected {
            peer: "c1".into(),
            local: "host 10.0.0.1:1".into(),
            remote: "host 10.0.0.2:1".into(),
        }
    }

    /// Judges ICE states, by time, of a pair that is selected at 0 and closed at `end`, all in ms.
    fn verdict(reported: &[(u64, &str)], end: u64) -> Verdict {
        let ice = |(at, state): &(u64, &str)| (*at, reports(Machine::Ice, state));
        let mut events = vec![(0, selected()), (0, reports(Machine::Ice, "connected"))];
        events.extend(reported.iter().map(ice));
        events.push((end, closing()));
        judged_timed(&TIME_01_TIMELY, events)
    }

    #[test]
    fn a_path_that_is_never_heard_again_is_disconnected_and_then_failed() {
        let on_time = [(5_200, "disconnected"), (30_001, "failed")];
        assert_eq!(verdict(&on_time, 40_000), Verdict::Pass);
        assert_eq!(verdict(&[], 5_000), Verdict::Pass, "closed before");
        assert_eq!(
            verdict(&[], 5_100),
            Verdict::Pass,
            "closed before the agent looked"
        );
    }

    #[test]
    fn too_early_too_late_and_never_fail() {
        assert_eq!(decided(&verdict(&[(4_999, "disconnected")], 9_000)), Some(2));
        assert_eq!(decided(&verdict(&[(5_300, "disconnected")], 9_000)), Some(2));
        let early = [(5_100, "disconnected"), (29_000, "failed")];
        assert_eq!(decided(&verdict(&early, 40_000)), Some(3));
        assert_eq!(
            decided(&verdict(&[(100, "connected")], 1_000)),
            Some(2),
            "unexplained"
        );
        for (reported, end) in [(vec![], 6_000), (vec![(5_100, "disconnected")], 31_000)] {
            assert!(
                matches!(verdict(&reported, end), Verdict::Fail(_)),
                "{reported:?}"
            );
        }
    }

    #[test]
    fn who_is_heard_again_is_connected_again() {
        let [last, again, end] = [1_000, 12_000, 20_000].map(SimTime::from_millis);
        let states: Vec<(&str, u64, bool)> = dues(&[last, again], end, IceTimeouts::OF_THE_STACK)
            .iter()
            .map(|due| (due.state, due.from.as_millis(), due.must))
            .collect();
        let expected = [
            ("disconnected", 6_000, true),
            ("connected", 12_000, true),
            ("disconnected", 17_000, true),
        ];
        assert_eq!(states, expected);
    }
}
