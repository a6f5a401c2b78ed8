//! One run as an rtcstats dump: the recording that a browser with rtcstats would have made of the same peers.
//!
//! The format that its importers read: a magic line, a line of metadata, then a line for each call or event of a peer
//! connection, its time as milliseconds since the previous line. A trace holds no session descriptions: a description
//! contains only its generation.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sleet::{
    ambient::CALENDAR_START_S,
    run::RunRecord,
    trace::{Candidate, Event, EventKind, Machine, PeerId},
};

use crate::tracks::Tracks;

/// The version of the format.
const FORMAT: u32 = 3;

/// Returns the dump.
pub fn dump(record: &RunRecord, tracks: &Tracks) -> String {
    let start_ms = CALENDAR_START_S * 1_000;
    let about = json!({
        "fileFormat": FORMAT,
        "startTime": start_ms,
        "userAgent": "Sleet",
        "clientProtocol": "sleet",
        "url": format!("{}@{}", record.scenario, record.seed),
    });
    let mut lines = vec!["RTCStatsDump".to_owned(), about.to_string()];
    let mut last_ms = 0;
    let mut add = |method: &str, connection: &str, value: Value, at_ns: u64| {
        let at_ms = start_ms + at_ns / 1_000_000;
        lines.push(json!([method, connection, value, at_ms - last_ms]).to_string());
        last_ms = at_ms;
    };
    for event in &record.trace.events {
        let Some((peer, method, value)) = traced(event) else {
            continue;
        };
        let host = event.host.as_deref().unwrap_or_default();
        add(
            method,
            &connection(host, &peer.to_string()),
            value,
            event.at.as_nanos(),
        );
    }
    for (connection, stats) in stats(tracks, start_ms) {
        add("getStats", &connection, stats, tracks.ended_ns);
    }
    lines.join("\n") + "\n"
}

fn connection(host: &str, peer: &str) -> String {
    format!("{host}/{peer}")
}

/// Returns the call or event of a peer connection that `event` is, by its name in the API.
fn traced(event: &Event) -> Option<(&PeerId, &'static str, Value)> {
    let described = |kind: &str, ufrag: &str| {
        let sdp = format!("v=0\r\no=- 0 0 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=ice-ufrag:{ufrag}\r\n");
        json!({"type": kind, "sdp": sdp})
    };
    Some(match &event.kind {
        EventKind::PeerCreated { peer, .. } => (peer, "create", json!({})),
        EventKind::DescriptionCreated { peer, kind, ufrag } if kind == "offer" => {
            (peer, "createOfferOnSuccess", described(kind, ufrag))
        }
        EventKind::DescriptionCreated { peer, kind, ufrag } => {
            (peer, "createAnswerOnSuccess", described(kind, ufrag))
        }
        EventKind::Described {
            peer,
            remote: true,
            kind,
            ufrag,
        } => (peer, "setRemoteDescription", described(kind, ufrag)),
        EventKind::Described {
            peer,
            remote: false,
            kind,
            ufrag,
        } => (peer, "setLocalDescription", described(kind, ufrag)),
        EventKind::Gathered { peer, candidate } => (
            peer,
            "onicecandidate",
            candidate.as_ref().map_or(Value::Null, init),
        ),
        EventKind::CandidateApplied { peer, candidate, .. } => (peer, "addIceCandidate", init(candidate)),
        EventKind::CandidateRefused { peer, error, .. } => (peer, "addIceCandidateOnFailure", json!(error)),
        EventKind::State { peer, machine, state } => {
            let method = match machine {
                Machine::Ice => "oniceconnectionstatechange",
                Machine::Gathering => "onicegatheringstatechange",
                Machine::Connection => "onconnectionstatechange",
                Machine::Signaling => "onsignalingstatechange",
            };
            (peer, method, json!(state))
        }
        EventKind::Closing { peer } => (peer, "close", Value::Null),
        _ => return None,
    })
}

fn init(candidate: &Candidate) -> Value {
    json!({
        "candidate": format!("candidate:{}", candidate.attribute),
        "sdpMid": "0",
        "sdpMLineIndex": 0,
        "usernameFragment": candidate.ufrag,
    })
}

/// Returns the candidate pairs of each connection at the end, with the names of `getStats`.
fn stats(tracks: &Tracks, start_ms: u64) -> BTreeMap<String, Value> {
    let mut all = BTreeMap::<String, serde_json::Map<String, Value>>::new();
    let timestamp = start_ms + tracks.ended_ns / 1_000_000;
    for (i, pair) in tracks.pairs.iter().enumerate() {
        let stats = all
            .entry(connection(&tracks.hosts[pair.host].name, &pair.peer))
            .or_default();
        let ends = [
            ("local-candidate", &pair.local),
            ("remote-candidate", &pair.remote),
        ];
        for (kind, address) in ends {
            let (ip, port) = address.rsplit_once(':').unwrap_or((address, "0"));
            let port: u16 = port.parse().unwrap_or_default();
            stats.insert(
                format!("{kind} {address}"),
                json!({"type": kind, "timestamp": timestamp, "address": ip, "port": port, "protocol": "udp"}),
            );
        }
        let state = match (pair.answered, pair.checks) {
            (0, 0) => "frozen",
            (0, _) => "failed",
            _ => "succeeded",
        };
        stats.insert(
            format!("pair {i}"),
            json!({
                "type": "candidate-pair", "timestamp": timestamp, "state": state,
                "localCandidateId": format!("local-candidate {}", pair.local),
                "remoteCandidateId": format!("remote-candidate {}", pair.remote),
                "nominated": pair.nominated.is_some(), "requestsSent": pair.checks,
                "responsesReceived": pair.answered,
            }),
        );
    }
    all.into_iter()
        .map(|(connection, stats)| (connection, Value::Object(stats)))
        .collect()
}
