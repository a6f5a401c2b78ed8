//! Warnings and errors in the log of the app under test.
//!
//! A warning decides nothing. It is part of a chain because it describes in the app's words what the network did to it.

use std::collections::BTreeMap;

use super::Link;
use crate::{
    oracle::calls::{Call, first_end},
    trace::{Event, EventKind, Trace},
};

/// Returns the warnings and errors that apps and servers logged from the dial of `call` until its first end: each text
/// once, with its count.
pub(super) fn complaints(trace: &Trace, call: &Call<'_>) -> Vec<Link> {
    let end = first_end(trace, call);
    let mut complaints: BTreeMap<(&str, &str), (&Event, u64)> = BTreeMap::new();
    for event in trace.events.iter().filter(|e| e.at >= call.dialed && e.seq < end) {
        if let (Some(host), Some(message)) = (event.host.as_deref(), complaint(event)) {
            let first = complaints.entry((host, message)).or_insert((event, 0));
            first.1 += 1;
        }
    }
    let link = |((host, message), (event, times)): ((&str, &str), (&Event, u64))| {
        let more = match times {
            1 => String::new(),
            n => format!(" ({n} times)"),
        };
        Link::new(event, format!("{host} complains: {message}{more}"))
    };
    complaints.into_iter().map(link).collect()
}

fn complaint(event: &Event) -> Option<&str> {
    match &event.kind {
        EventKind::Line { level, message, .. } if level == "warn" || level == "error" => Some(message),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{time::SimTime, trace::Intent};

    #[test]
    fn what_an_app_warns_of_during_a_call_is_told_once() {
        let line = |level: &str, message: &str| EventKind::Line {
            level: level.into(),
            target: "app".into(),
            message: message.into(),
        };
        let dial = Intent::Dial {
            call: "c1".into(),
            to: "bob".into(),
        };
        let events = [
            ("bob", line("warn", "before the call")),
            ("alice", EventKind::Intended { id: 0, intent: dial }),
            ("bob", line("info", "signed in")),
            ("bob", line("warn", "a lost candidate")),
            ("bob", line("warn", "a lost candidate")),
            ("alice", EventKind::CleanUp),
            ("bob", line("error", "after it")),
        ];
        let event = |(seq, (host, kind)): (u64, (&str, EventKind))| Event {
            seq,
            at: SimTime::from_millis(seq),
            host: Some(host.to_owned()),
            kind,
        };
        let trace = Trace::from_events((0..).zip(events).map(event).collect());
        let calls = crate::oracle::calls::calls(&trace);
        let told = complaints(&trace, &calls[0]);
        let told: Vec<(u64, &str)> = told.iter().map(|l| (l.event, l.what.as_str())).collect();
        assert_eq!(told, [(3, "bob complains: a lost candidate (2 times)")]);
    }
}
