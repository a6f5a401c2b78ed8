//! Defects of the WebRTC stack that show in corners of promises, each as narrow as its cause: what may stay behind, and nothing else.
//!
//! A promise is judged by all its oracles in these corners too. What a defect does not explain fails the run.

mod wire;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
};

use sleet::{
    oracle::{
        peers::{self, Closing, Leak},
        silent,
    },
    prelude::*,
    trace::{Event, EventKind, StunLine, Trace},
};
pub(crate) use wire::on_the_wire;

/// The tasks of a peer connection that was closed while its DTLS server waited for its client, or while its SCTP association began
/// (finding 0011).
const HANDSHAKE: [&str; 3] = [
    "dtls-",
    "webrtc-0.17.2/src/peer_connection/operation/",
    "webrtc-0.17.2/src/sctp_transport/",
];

/// Where a short RTCP packet ends the task that reads it (finding 0021).
const READS_RTCP: &str = "webrtc-srtp-0.17.2/src/context/srtcp.rs:";

/// The tasks of gathering, and of a TURN client, that closing does not end (findings 0012 and 0013).
const RELAY: [&str; 2] = ["turn-", "webrtc-ice-"];

/// How the trace describes a STUN message that goes over a channel of a TURN server: its beginning, and what follows the channel.
const OVER_A_CHANNEL: [&str; 2] = ["turn channel=", " carries stun "];

/// The tasks of the app that close a peer and talk over it.
const OF_A_PEER: [&str; 2] = ["close", "talk"];

/// A defect that shows on some seeds, and takes nothing else with it.
fn may_show(explains: fn(Evidence<'_>) -> bool) -> KnownDefect {
    KnownDefect {
        always: false,
        explains,
        with: &[],
    }
}

/// A peer connection that is closed in its DTLS handshake leaves the handshake behind.
pub(crate) fn of_full_peers(scenario: Scenario) -> Scenario {
    let shows = |_: &Plan| {
        Some(may_show(|evidence| {
            peers::leaks(evidence.trace).all(|leak| is_of(&leak, &HANDSHAKE))
        }))
    };
    scenario.expects(Expectation::known_defect(&TEAR_05_STACK_ENDS, shows))
}

/// Noise in the name of a peer may begin like an RTCP packet, and a network that cuts datagrams may leave the beginning of one.
pub(crate) fn of_noise(scenario: Scenario) -> Scenario {
    let shows = |_: &Plan| {
        Some(may_show(|evidence| {
            let mut events = evidence.trace.events.iter();
            events.all(
                |e| !matches!(&e.kind, EventKind::Panicked { place, .. } if !place.starts_with(READS_RTCP)),
            )
        }))
    };
    scenario.expects(Expectation::known_defect(&RUN_01_NO_PANIC, shows))
}

/// Where the callee adds candidates at once, and leaves generations to the stack, one of the attempt before is taken after a crash of the
/// callee (finding 0025): it knows of no attempt before.
pub(crate) fn of_any_generation(scenario: Scenario) -> Scenario {
    let shows = |_: &Plan| {
        Some(may_show(|evidence| {
            let Some(applied) = wire::decided(&CAND_02_OWN_GENERATION, evidence) else {
                return false;
            };
            let mut before = evidence.trace.events.iter().take_while(|e| e.seq < applied.seq);
            before.any(|e| e.kind == EventKind::Crashed && e.host == applied.host)
        }))
    };
    scenario.expects(Expectation::known_defect(&CAND_02_OWN_GENERATION, shows))
}

/// On a calm network, a TURN allocation outlives a peer that is closed while it gathers or whose closing waits for the TURN server;
/// so do their tasks.
pub(crate) fn of_relays(scenario: Scenario) -> Scenario {
    let shows = |plan: &Plan| {
        relays(plan).then_some(KnownDefect {
            always: false,
            explains: |evidence| explained(evidence, |closing| is_cut_short(closing) || is_slow(closing)),
            with: &CONSEQUENCES,
        })
    };
    teardown(scenario, shows)
}

/// In a storm, any peer may leave its allocation: its host crashes (RFC 8656, section 3.2, keeps it until it expires), or the one
/// packet that releases it is lost (finding 0018).
pub(crate) fn of_relays_in_a_storm(scenario: Scenario) -> Scenario {
    let shows = |plan: &Plan| {
        relays(plan).then_some(KnownDefect {
            always: false,
            explains: |evidence| explained(evidence, |_| true),
            with: &CONSEQUENCES,
        })
    };
    wire::of_deaf_clients(teardown(scenario, shows))
}

const CONSEQUENCES: [&Oracle; 5] = [
    &TEAR_01_CLOSES,
    &TEAR_02_NOTHING_LEFT,
    &TEAR_04_CLOSED_FIRST,
    &TEAR_05_STACK_ENDS,
    &TEAR_06_SILENT,
];

/// Any of the oracles of teardown may be the one that shows a defect of the TURN client.
fn teardown(scenario: Scenario, shows: fn(&Plan) -> Option<KnownDefect>) -> Scenario {
    [
        &TEAR_01_CLOSES,
        &TEAR_02_NOTHING_LEFT,
        &TEAR_05_STACK_ENDS,
        &TEAR_06_SILENT,
    ]
    .into_iter()
    .map(|oracle| Expectation::known_defect(oracle, shows))
    .fold(scenario, Scenario::expects)
}

fn relays(plan: &Plan) -> bool {
    plan.ice_servers.iter().any(|server| server.turn)
}

/// Whether everything that is left belongs to the TURN clients of peers, and no more allocations than peers that `may_leave` one.
fn explained(evidence: Evidence<'_>, may_leave: fn(&Closing<'_>) -> bool) -> bool {
    let closings: Vec<Closing<'_>> = peers::closings(evidence.trace).collect();
    let most = closings.iter().filter(|closing| may_leave(closing)).count()
        + crashes(evidence)
        + granted_again(evidence.trace);
    let waits = |host: &str| closings.iter().any(|c| c.host == host && is_slow(c));
    peers::leaks(evidence.trace).all(|leak| {
        let is_the_peer = match waits(leak.host) {
            // A peer whose closing has not returned still has everything.
            true => leak.of_the_app().all(|task| OF_A_PEER.contains(&task)),
            false => {
                leak.of_the_app().next().is_none()
                    && leak.sockets.is_empty()
                    && is_of(&leak, &[&RELAY[..], &HANDSHAKE].concat())
            }
        };
        is_the_peer && leak.allocations <= most as u64
    }) && only_goes_on(evidence, may_leave)
}

/// Whether the only closed peers that speak are those that `may_leave` a TURN client, and those that had asked a TURN server something
/// that was not answered: closing does not end that. When it has been given up, the agent goes on where it waited, with its next
/// check (finding 0013). None of them answers a check.
fn only_goes_on(evidence: Evidence<'_>, may_leave: fn(&Closing<'_>) -> bool) -> bool {
    let mut explained = BTreeSet::new();
    silent::said_after(evidence.trace).iter().all(|said| {
        let line = StunLine::read(said.says);
        let asks_again = line.as_ref().is_some_and(|line| {
            let leaves =
                || closing_of(evidence.trace, said.closed).is_some_and(|closing| may_leave(&closing));
            line.method != "binding" && (asked_before(evidence.trace, said.closed, line) || leaves())
        });
        if asks_again {
            explained.insert(said.closed.seq);
        }
        let goes_on = || match line {
            Some(line) => !line.is_answer(),
            None => said.says.starts_with(OVER_A_CHANNEL[0]) && said.says.contains(OVER_A_CHANNEL[1]),
        };
        asks_again || explained.contains(&said.closed.seq) && goes_on()
    })
}

/// Whether a request was first sent before the peer was closed, or as it was.
fn asked_before(trace: &Trace, closed: &Event, line: &StunLine<'_>) -> bool {
    let before = trace
        .of(closed.host.as_deref().unwrap_or_default())
        .take_while(|e| e.at <= closed.at + silent::UNDER_WAY);
    let mut said = before.filter_map(|e| match &e.kind {
        EventKind::PacketSent { says, .. } => StunLine::read(says),
        _ => None,
    });
    line.id.is_some() && said.any(|earlier| earlier.id == line.id)
}

fn closing_of<'a>(trace: &'a Trace, closed: &Event) -> Option<Closing<'a>> {
    let (host, peer) = (closed.host.as_deref()?, closed.kind.peer()?);
    peers::closings(trace)
        .filter(|c| c.host == host && c.peer == peer)
        .last()
}

/// How many allocations a server granted for a request that it had granted one for: sent again through a NAT that has moved its mapping
/// meanwhile, it comes from somebody else.
fn granted_again(trace: &Trace) -> usize {
    let mut granted: BTreeMap<String, BTreeSet<SocketAddr>> = BTreeMap::new();
    for event in &trace.events {
        if let EventKind::PacketSent { flow, says, .. } = &event.kind
            && let Some(line) = StunLine::read(says)
            && (line.method, line.class) == ("allocate", "success")
            && let Some(id) = line.id
        {
            granted.entry(id.to_owned()).or_default().insert(flow.dst);
        }
    }
    granted.values().map(|to| to.len() - 1).sum()
}

fn crashes(evidence: Evidence<'_>) -> usize {
    let events = evidence.trace.events.iter();
    let crashed = events.filter(|event| event.kind == EventKind::Crashed);
    crashed.count()
}

fn is_of(leak: &Leak<'_>, places: &[&str]) -> bool {
    let is_known = |task: &str| places.iter().any(|place| task.starts_with(place));
    leak.of_the_stack().all(is_known)
}

/// Closed while it gathered: nobody releases what the TURN server grants afterwards (finding 0012).
fn is_cut_short(closing: &Closing<'_>) -> bool {
    !closing.gathered
}

/// Waits for a request that the TURN server does not answer (findings 0008 and 0013).
fn is_slow(closing: &Closing<'_>) -> bool {
    closing.took.is_none_or(|took| took > peers::PATIENCE)
}

#[cfg(test)]
mod tests {
    use sleet::{
        net::topology::Topology,
        time::SimTime,
        trace::{Candidate, Flow, PeerId, Proto},
    };

    use super::*;

    const ASKS: &str = "stun channel-bind request sleet channel=16385 id=aa";
    const CHECK: &str = "stun binding request A:B controlled priority=7 id=bb";

    /// A packet.
    fn sent(packet: u64, to: &str, says: &str) -> EventKind {
        EventKind::PacketSent {
            packet,
            flow: Flow {
                proto: Proto::Udp,
                src: "10.0.0.1:5001".parse().expect("an address"),
                dst: to.parse().expect("an address"),
            },
            len: 0,
            hash: String::new(),
            says: says.into(),
        }
    }

    /// A trace of what happens on one host, each at a time in milliseconds.
    fn trace(events: Vec<(u64, EventKind)>) -> Trace {
        let event = |(seq, (at, kind)): (usize, (u64, EventKind))| Event {
            seq: seq as u64,
            at: SimTime::from_millis(at),
            host: Some("alice".into()),
            kind,
        };
        Trace::from_events(events.into_iter().enumerate().map(event).collect())
    }

    #[test]
    fn a_request_is_granted_again_to_those_who_send_it_from_elsewhere() {
        let granted = |to: &[(&str, &str)]| {
            let success = |id: &str| format!("stun allocate success lifetime=600 id={id}");
            let events = to.iter().map(|(to, id)| (0, sent(1, to, &success(id))));
            granted_again(&trace(events.collect()))
        };
        assert_eq!(
            granted(&[("198.51.100.1:1", "aa"), ("198.51.100.1:1", "aa")]),
            0,
            "sent again"
        );
        assert_eq!(
            granted(&[("198.51.100.1:1", "aa"), ("198.51.100.1:2", "bb")]),
            0,
            "two clients"
        );
        assert_eq!(granted(&[("198.51.100.1:1", "aa"), ("198.51.100.1:2", "aa")]), 1);
    }

    /// Whether it is explained that a peer says all that, each at a time in milliseconds, when its close returned at 1,000.
    fn is_explained(says: &[(u64, &str)]) -> bool {
        let peer = PeerId::from("c1");
        let relay = Candidate {
            attribute: "1 1 udp 9 192.0.2.1 49152 typ relay raddr 0.0.0.0 rport 5001".into(),
            ufrag: "A".into(),
        };
        let gathered = |candidate| EventKind::Gathered {
            peer: peer.clone(),
            candidate,
        };
        let packet = |(number, (at, says)): (u64, &(u64, &str))| (*at, sent(number, "192.0.2.1:3478", says));
        let closes = [
            (0, gathered(Some(relay))),
            (1, gathered(None)),
            (1_000, EventKind::Closing { peer: peer.clone() }),
            (1_000, EventKind::Closed { peer: peer.clone() }),
        ];
        let mut events: Vec<_> = closes.into_iter().chain((1..).zip(says).map(packet)).collect();
        events.sort_by_key(|(at, _)| *at);
        let trace = &trace(events);
        let plan = &Plan::new(Topology::default());
        only_goes_on(Evidence { trace, plan }, |_| false)
    }

    #[test]
    fn a_closed_peer_goes_on_only_where_it_waited_for_its_turn_server() {
        assert!(is_explained(&[(900, ASKS), (1_700, ASKS), (9_000, CHECK)]));
        assert!(
            is_explained(&[(1_000, ASKS), (1_700, ASKS)]),
            "it asks as it is closed"
        );
        assert!(!is_explained(&[(1_700, ASKS)]), "it asked nothing before");
        assert!(
            !is_explained(&[(900, ASKS), (1_700, CHECK), (1_800, ASKS)]),
            "it does not wait"
        );
        let answer = "stun binding success mapped=10.0.0.2:1 id=cc";
        assert!(!is_explained(&[(900, ASKS), (1_700, ASKS), (9_000, answer)]));
        let data = "turn channel=16385 carries data";
        assert!(!is_explained(&[(900, ASKS), (1_700, ASKS), (9_000, data)]));
        let over_a_channel = "turn channel=16385 carries stun binding request A:B controlled";
        assert!(is_explained(&[
            (900, ASKS),
            (1_700, ASKS),
            (9_000, over_a_channel)
        ]));
    }
}
