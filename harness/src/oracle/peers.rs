//! Oracles for the end of a peer: its close returns, and nothing of it is left.

use std::time::Duration;

use super::{Evidence, Oracle, Verdict, Violation, worst};
use crate::trace::{Event, EventKind, PeerId, Trace};

/// The close of a peer returns.
pub const TEAR_01_CLOSES: Oracle = Oracle {
    id: "TEAR-01",
    meaning: "Closing a peer returns within two seconds of simulated time, whatever it was doing.",
    source: "docs/stories.md#b-rapid-dial-and-hangup; docs/hazards.md#2-dial-and-accept-that-never-return; docs/hazards.md#3-closing-inside-a-callback; docs/hazards.md#4-waiting-inside-a-callback",
    check: &closes,
};

/// Nothing is left after the calls.
pub const TEAR_02_NOTHING_LEFT: Oracle = Oracle {
    id: "TEAR-02",
    meaning: "When every call is over, no task of the client, no socket and no TURN allocation of it is left. A life \
              that a crash ended has taken its tasks along.",
    source: "docs/stories.md#b-rapid-dial-and-hangup; docs/judging.md#teardown",
    check: &nothing_left,
};

/// The stack's tasks end.
pub const TEAR_05_STACK_ENDS: Oracle = Oracle {
    id: "TEAR-05",
    meaning: "When every peer is closed, no task that the WebRTC stack started is left.",
    source: "docs/stories.md#b-rapid-dial-and-hangup; docs/judging.md#teardown; docs/hazards.md#21-dropped-without-closing",
    check: &stack_ends,
};

/// How long a close may take. Nothing that it does waits for the other side.
pub const PATIENCE: Duration = Duration::from_secs(2);

fn closes(evidence: Evidence<'_>) -> Verdict {
    let trace = evidence.trace;
    worst(trace.events.iter().filter_map(|e| match &e.kind {
        EventKind::Closing { peer } => Some(judge(trace, e, peer)),
        _ => None,
    }))
}

fn nothing_left(evidence: Evidence<'_>) -> Verdict {
    leak_check(evidence, |tasks, sockets, allocations| {
        let ours = tasks.iter().filter(|task| !is_of_the_stack(task));
        let mut left: Vec<String> = ours.chain(sockets).cloned().collect();
        if allocations > 0 {
            left.push(format!("{allocations} allocations"));
        }
        left
    })
}

fn stack_ends(evidence: Evidence<'_>) -> Verdict {
    leak_check(evidence, |tasks, _, _| {
        let of_the_stack = tasks.iter().filter(|task| is_of_the_stack(task));
        of_the_stack.cloned().collect()
    })
}

/// Reports whether a dependency started a task: it has no name, only a place such as `dtls-0.17.2/src/conn/mod.rs:331`.
fn is_of_the_stack(task: &str) -> bool {
    let is_version =
        |version: &str| version.split('.').count() == 3 && version.starts_with(|c: char| c.is_ascii_digit());
    let package = task.split_once("/src/").map_or("", |(package, _)| package);
    package
        .rsplit_once('-')
        .is_some_and(|(_, version)| is_version(version))
}

/// What a host still had when everything was over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leak<'a> {
    /// The host.
    pub host: &'a str,
    /// Its tasks, by name or by place.
    pub tasks: &'a [String],
    /// Its sockets, by address.
    pub sockets: &'a [String],
    /// Allocations on the TURN server that it is.
    pub allocations: u64,
}

impl<'a> Leak<'a> {
    /// The tasks that the WebRTC stack started, each by its place in the stack, such as `dtls-0.17.2/src/conn/mod.rs:331`.
    pub fn of_the_stack(&self) -> impl Iterator<Item = &'a str> {
        let tasks = self.tasks.iter().map(String::as_str);
        tasks.filter(|task| is_of_the_stack(task))
    }

    /// The tasks that the stack did not start, each by its name.
    pub fn of_the_app(&self) -> impl Iterator<Item = &'a str> {
        let tasks = self.tasks.iter().map(String::as_str);
        tasks.filter(|task| !is_of_the_stack(task))
    }
}

/// The closing of a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closing<'a> {
    /// The host of the peer.
    pub host: &'a str,
    /// The peer.
    pub peer: &'a PeerId,
    /// Whether the peer had told of its last candidate before.
    pub gathered: bool,
    /// How long it took; `None` if it did not return within the run.
    pub took: Option<Duration>,
}

/// Every closing of a peer in `trace`, in the order in which they began.
pub fn closings(trace: &Trace) -> impl Iterator<Item = Closing<'_>> {
    trace.events.iter().filter_map(|event| {
        let (EventKind::Closing { peer }, Some(host)) = (&event.kind, event.host.as_deref()) else {
            return None;
        };
        let is_last = |e: &&Event| {
            e.seq < event.seq
                && matches!(&e.kind, EventKind::Gathered { peer: p, candidate: None } if p == peer)
        };
        Some(Closing {
            host,
            peer,
            gathered: trace.of(host).any(|e| is_last(&e)),
            took: returned(trace, host, event, peer).map(|closed| closed.at - event.at),
        })
    })
}

/// Where a closing that began with `closing` returned.
fn returned<'a>(trace: &'a Trace, host: &str, closing: &Event, peer: &PeerId) -> Option<&'a Event> {
    trace
        .of(host)
        .find(|e| e.seq > closing.seq && matches!(&e.kind, EventKind::Closed { peer: p } if p == peer))
}

/// What was left at the leak checks of `trace`, host by host; hosts that had nothing are not among them.
pub fn leaks(trace: &Trace) -> impl Iterator<Item = Leak<'_>> {
    trace.events.iter().filter_map(|event| match &event.kind {
        EventKind::LeakCheck {
            tasks,
            sockets,
            allocations,
        } if !tasks.is_empty() || !sockets.is_empty() || *allocations > 0 => Some(Leak {
            host: event.host.as_deref().unwrap_or_default(),
            tasks,
            sockets,
            allocations: *allocations,
        }),
        _ => None,
    })
}

/// Judges every leak check by what `left` finds in it.
fn leak_check(evidence: Evidence<'_>, left: impl Fn(&[String], &[String], u64) -> Vec<String>) -> Verdict {
    let mut checks = 0;
    for event in &evidence.trace.events {
        if let EventKind::NotCounted { error } = &event.kind {
            let host = event.host.as_deref().unwrap_or_default();
            return Verdict::Fail(Violation::at(
                event,
                format!("the allocations of {host} could not be counted: {error}"),
            ));
        }
        let EventKind::LeakCheck {
            tasks,
            sockets,
            allocations,
        } = &event.kind
        else {
            continue;
        };
        checks += 1;
        let left = left(tasks, sockets, *allocations);
        if !left.is_empty() {
            let host = event.host.as_deref().unwrap_or_default();
            return Verdict::Fail(Violation::at(
                event,
                format!("at the end {host} still had {}", left.join(", ")),
            ));
        }
    }
    match checks {
        0 => Verdict::Unknown("the run ended before a leak check was made".into()),
        _ => Verdict::Pass,
    }
}

fn judge(trace: &Trace, closing: &Event, peer: &PeerId) -> Verdict {
    let host = closing.host.as_deref().unwrap_or_default();
    let closed = returned(trace, host, closing, peer);
    let over = trace
        .of(host)
        .find(|e| e.seq > closing.seq && e.kind == EventKind::Crashed)
        .or(trace.events.last());
    let ended = over.map_or(closing.at, |e| e.at);
    let fail = |how: String| {
        Verdict::Fail(Violation::at(
            closing,
            format!("{host} began to close {peer} at {}, which {how}", closing.at),
        ))
    };
    match closed {
        Some(closed) if closed.at - closing.at <= PATIENCE => Verdict::Pass,
        Some(closed) => fail(format!("took {} ms", (closed.at - closing.at).as_millis())),
        None if ended - closing.at <= PATIENCE => Verdict::Unknown(format!(
            "the run or the host ended while {host} was closing {peer}"
        )),
        None => fail("never returned".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::machine::testing::{decided, judged};

    fn leak_check_of(task: &str) -> EventKind {
        EventKind::LeakCheck {
            tasks: vec![task.to_owned()],
            sockets: Vec::new(),
            allocations: 0,
        }
    }

    #[test]
    fn what_the_client_leaves_and_what_the_stack_leaves_are_told_apart() {
        let (ours, theirs) = (
            leak_check_of("send candidate"),
            leak_check_of("dtls-0.17.2/src/conn/mod.rs:331"),
        );
        assert_eq!(
            decided(&judged(&TEAR_02_NOTHING_LEFT, vec![ours.clone()])),
            Some(0)
        );
        let unnamed = leak_check_of("own-client/src/main.rs:12");
        assert_eq!(decided(&judged(&TEAR_02_NOTHING_LEFT, vec![unnamed])), Some(0));
        assert_eq!(judged(&TEAR_02_NOTHING_LEFT, vec![theirs.clone()]), Verdict::Pass);
        assert_eq!(decided(&judged(&TEAR_05_STACK_ENDS, vec![theirs])), Some(0));
        assert_eq!(judged(&TEAR_05_STACK_ENDS, vec![ours]), Verdict::Pass);
    }
}
