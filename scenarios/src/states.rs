//! Story C: clients that report states wrongly, each breaking one oracle of the state machines.
//!
//! No stack runs here: a task of alice records what a client with one mistake would report. The promises of the other
//! families check that the real stack reports correctly; nothing here may depend on it.

use std::time::Duration;

use sleet::{
    oracle::connection, oracle::events, oracle::gathering, oracle::ice, oracle::signaling, prelude::*,
    trace::Candidate, trace::EventKind, trace::Machine,
};

use crate::network::story_a;

/// Every oracle of the family, so that each mistake is seen by its own oracle and by no other.
const STATES: [&Oracle; 6] = [
    &ice::STATE_01_EDGES,
    &connection::STATE_02_COMPUTED,
    &gathering::STATE_03_ONE_END,
    &signaling::STATE_04_TURNS,
    &events::STATE_05_NEWS,
    &events::STATE_06_LAST_WORD,
];

/// The peer whose states are reported.
const PEER: &str = "c1";

/// The states of `webrtc_ice::state::ConnectionState` by their numbers.
const AGENT: [&str; 8] = [
    "unspecified",
    "new",
    "checking",
    "connected",
    "completed",
    "failed",
    "disconnected",
    "closed",
];

/// The states of `webrtc`'s `RTCIceConnectionState`, where failed and disconnected are swapped.
const ICE_CONNECTION: [&str; 8] = [
    "unspecified",
    "new",
    "checking",
    "connected",
    "completed",
    "disconnected",
    "failed",
    "closed",
];

/// The states of `webrtc`'s `RTCPeerConnectionState`, where disconnected is 4 and closed is 6.
const PEER_CONNECTION: [&str; 7] = [
    "unspecified",
    "new",
    "connecting",
    "connected",
    "disconnected",
    "failed",
    "closed",
];

/// The reports at one point in time.
type Moment = Vec<EventKind>;

/// Returns the scenarios of the family.
pub fn family() -> Vec<Scenario> {
    vec![
        reporter("ice-by-number", &ice::STATE_01_EDGES, ice_by_number).about(
            "A broken reporter that takes the agent's numbers for RTCIceConnectionState's: disconnected becomes failed.",
        ),
        reporter("connection-by-number", &connection::STATE_02_COMPUTED, connection_by_number).about(
            "A broken reporter that takes the agent's numbers for RTCPeerConnectionState's: disconnected becomes closed.",
        ),
        reporter("connected-without-ice", &connection::STATE_02_COMPUTED, connected_without_ice)
            .about("A broken reporter that says connected as soon as the answer is there, while ICE still checks."),
        reporter("ends-twice", &gathering::STATE_03_ONE_END, ends_twice)
            .about("A broken reporter that ends the candidates of one generation twice."),
        reporter("pranswer-to-no-offer", &signaling::STATE_04_TURNS, pranswer_to_no_offer)
            .about("A broken reporter that jumps from stable to have-remote-pranswer, without an offer."),
        reporter("repeats", &events::STATE_05_NEWS, repeats)
            .about("A broken reporter that reports a state whenever it looks, not when it changed."),
        reporter("after-close", &events::STATE_06_LAST_WORD, after_close)
            .about("A broken reporter that reports a state of a peer that is already closed."),
    ]
}

fn reporter(name: &str, oracle: &'static Oracle, says: fn() -> Vec<Moment>) -> Scenario {
    let story = move |sim: sleet::world::Sim, _| async move {
        let (alice, reporting) = (sim.host("alice"), sim.clone());
        alice.spawn("reporter", async move {
            for moment in says() {
                reporting.sleep(Duration::from_millis(10)).await;
                moment.into_iter().for_each(|kind| reporting.record(kind));
            }
        });
        sim.sleep(Duration::from_millis(500)).await;
    };
    let others: Vec<&'static Oracle> = STATES.into_iter().filter(|o| o.id != oracle.id).collect();
    Scenario::new(Kind::Demonstration, &format!("state/{name}"), quiet, story)
        .from("docs/stories.md#c-connection-state")
        .holds(&others)
        .expects(Expectation::broken(oracle, 1))
}

/// A network without calls.
fn quiet(seed: Seed) -> Plan {
    Plan {
        script: Vec::new(),
        budget_ms: 1_000,
        horizon_ms: 5_000,
        ..story_a(seed)
    }
}

/// The states of an agent whose path breaks for a while.
const BROKEN_PATH: [&str; 4] = ["checking", "connected", "disconnected", "connected"];

/// Reads the number of the agent's `state` as one of `names`: the mistake of story C.
fn misread(state: &str, names: &[&'static str]) -> &'static str {
    let number = AGENT.iter().position(|name| *name == state);
    number.and_then(|n| names.get(n)).unwrap_or(&names[0])
}

fn ice_by_number() -> Vec<Moment> {
    let reported = BROKEN_PATH.map(|state| misread(state, &ICE_CONNECTION));
    reported.map(|state| vec![is(Machine::Ice, state)]).into()
}

fn connection_by_number() -> Vec<Moment> {
    let both = |state| {
        let connection = misread(state, &PEER_CONNECTION);
        vec![is(Machine::Ice, state), is(Machine::Connection, connection)]
    };
    BROKEN_PATH.map(both).into()
}

fn connected_without_ice() -> Vec<Moment> {
    vec![
        vec![
            is(Machine::Ice, "checking"),
            is(Machine::Connection, "connecting"),
        ],
        vec![is(Machine::Connection, "connected")],
    ]
}

fn ends_twice() -> Vec<Moment> {
    let ufrag = "once".to_owned();
    let described = EventKind::Described {
        peer: PEER.into(),
        remote: false,
        kind: "offer".into(),
        ufrag: ufrag.clone(),
    };
    let candidate = Candidate {
        attribute: "1 1 udp 2130706431 10.1.0.1 50000 typ host".into(),
        ufrag,
    };
    vec![
        vec![described, is(Machine::Gathering, "gathering")],
        vec![gathered(Some(candidate))],
        vec![is(Machine::Gathering, "complete"), gathered(None)],
        vec![gathered(None)],
    ]
}

fn pranswer_to_no_offer() -> Vec<Moment> {
    vec![vec![is(Machine::Signaling, "have-remote-pranswer")]]
}

fn repeats() -> Vec<Moment> {
    ["checking", "connected", "connected", "connected"]
        .map(|state| vec![is(Machine::Ice, state)])
        .into()
}

fn after_close() -> Vec<Moment> {
    let peer = || PEER.into();
    vec![
        vec![is(Machine::Ice, "checking")],
        vec![
            EventKind::Closing { peer: peer() },
            EventKind::Closed { peer: peer() },
        ],
        vec![is(Machine::Ice, "failed")],
    ]
}

fn is(machine: Machine, state: &str) -> EventKind {
    EventKind::State {
        peer: PEER.into(),
        machine,
        state: state.into(),
    }
}

fn gathered(candidate: Option<Candidate>) -> EventKind {
    EventKind::Gathered {
        peer: PEER.into(),
        candidate,
    }
}
