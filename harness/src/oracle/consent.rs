//! An oracle on the wire for consent: who sends to an address has been answered from there.
//!
//! It judges by packets: what a peer says of its state does not matter here, nor what the plan did to its path.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use super::{
    Evidence, Oracle, Verdict,
    machine::{BEHIND_A_NAT, Reports, address_of, peers},
    worst,
};
use crate::{
    time::SimTime,
    trace::{Event, EventKind, Flow, PacketId, StunLine, Trace},
};

/// Nothing but checks is sent without consent.
pub const CONS_01_ANSWERED: Oracle = Oracle {
    id: "CONS-01",
    meaning: "Thirty seconds after the last answer to its checks on the selected pair, a peer sends nothing but checks there.",
    source: "RFC 7675 section 5.1",
    check: &answered,
};

/// The time after which consent expires.
const EXPIRES: Duration = Duration::from_secs(30);
/// The time within which an agent notices it.
const LOOK: Duration = Duration::from_secs(1);

/// A packet that a host sent.
struct Sent<'a> {
    host: &'a str,
    flow: Flow,
    // Nothing for what is no STUN message.
    stun: Option<StunLine<'a>>,
}

fn answered(evidence: Evidence<'_>) -> Verdict {
    let Evidence { trace, plan } = evidence;
    if !plan.topology.nats.is_empty() {
        return Verdict::Unknown(BEHIND_A_NAT.into());
    }
    let sent = sent(trace);
    worst(peers(trace).iter().map(|peer| judge(trace, &sent, peer)))
}

/// Returns the packets that hosts of the world sent: what strangers send is no answer of anybody.
fn sent(trace: &Trace) -> BTreeMap<PacketId, Sent<'_>> {
    let by_hosts = trace.events.iter().filter_map(|e| match &e.kind {
        EventKind::PacketSent {
            packet, flow, says, ..
        } => {
            let (host, flow) = (e.host.as_deref()?, *flow);
            let stun = StunLine::read(says);
            Some((*packet, Sent { host, flow, stun }))
        }
        _ => None,
    });
    by_hosts.collect()
}

fn judge(trace: &Trace, sent: &BTreeMap<PacketId, Sent<'_>>, peer: &Reports<'_>) -> Verdict {
    let mut remote: Option<SocketAddr> = None;
    let mut last = SimTime::ZERO;
    for event in trace.of(peer.host) {
        match &event.kind {
            EventKind::Closing { peer: closing } if closing == peer.peer => break,
            // A pair is selected when a check on it has been answered.
            EventKind::PairSelected {
                peer: of, remote: to, ..
            } if of == peer.peer => {
                remote = address_of(to);
                last = event.at;
            }
            EventKind::PacketDelivered { packet } => {
                let answers = |s: &&Sent<'_>| {
                    Some(s.flow.src) == remote && s.stun.as_ref().is_some_and(StunLine::is_answer)
                };
                if sent.get(packet).filter(answers).is_some() {
                    last = event.at;
                }
            }
            EventKind::PacketSent { packet, .. } => {
                let is_data =
                    |s: &&Sent<'_>| s.host == peer.host && Some(s.flow.dst) == remote && s.stun.is_none();
                if event.at > last + EXPIRES + LOOK && sent.get(packet).filter(is_data).is_some() {
                    return without(peer, event, last);
                }
            }
            _ => {}
        }
    }
    Verdict::Pass
}

fn without(peer: &Reports<'_>, event: &Event, last: SimTime) -> Verdict {
    peer.fail(
        event,
        &format!("had its last check answered at {last}, and sent data"),
    )
}

#[cfg(test)]
mod tests {
    use super::{super::machine::testing::*, *};
    use crate::{fault::Plan, net::topology::Topology};

    const US: &str = "10.0.0.1:1";
    const THEM: &str = "10.0.0.2:1";

    /// A call whose pair is selected at 0: an answer to a check comes at `answered_ms`, from `whom`, and data is sent at `sent_ms`.
    fn verdict(answered_ms: u64, whom: Option<&str>, sent_ms: u64, says: &str) -> Verdict {
        let selected = EventKind::PairSelected {
            peer: "c1".into(),
            local: format!("host {US}"),
            remote: format!("host {THEM}"),
        };
        let at =
            |ms: u64, host: Option<&str>, kind| (SimTime::from_millis(ms), host.map(str::to_owned), kind);
        let events = [
            at(0, Some("alice"), selected),
            at(
                answered_ms,
                whom,
                packet(1, [THEM, US], "stun binding success mapped=10.0.0.1:1"),
            ),
            at(
                answered_ms,
                Some("alice"),
                EventKind::PacketDelivered { packet: 1 },
            ),
            at(sent_ms, Some("alice"), packet(2, [US, THEM], says)),
        ];
        let event = |(seq, (at, host, kind)): (usize, (SimTime, Option<String>, EventKind))| Event {
            seq: seq as u64,
            at,
            host,
            kind,
        };
        let trace = Trace::from_events(events.into_iter().enumerate().map(event).collect());
        let plan = Plan::new(Topology::default());
        answered(Evidence {
            trace: &trace,
            plan: &plan,
        })
    }

    #[test]
    fn who_was_not_answered_for_half_a_minute_sends_checks_alone() {
        let bob = Some("bob");
        assert_eq!(verdict(5_000, bob, 35_900, "data"), Verdict::Pass);
        assert_eq!(decided(&verdict(5_000, bob, 36_100, "data")), Some(3));
        assert_eq!(
            verdict(5_000, bob, 36_100, "stun binding request a:b"),
            Verdict::Pass
        );
    }

    #[test]
    fn what_a_stranger_sends_is_no_answer() {
        assert_eq!(decided(&verdict(20_000, None, 36_100, "data")), Some(3));
    }
}
