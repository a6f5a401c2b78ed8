//! Oracles on the wire: what a connectivity check may be, from its bytes.
//!
//! They judge what hosts send, whichever client it comes from, and never what strangers send.

mod triggered;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

pub use triggered::WIRE_05_TRIGGERED;

use super::{Evidence, Oracle, Verdict, Violation, wanted::due};
use crate::{
    fault::Plan,
    time::SimTime,
    trace::{Event, EventKind, IceRole, PacketId, PeerId, StunLine, Trace},
};

/// Checks and their answers are protected.
pub const WIRE_01_PROTECTED: Oracle = Oracle {
    id: "WIRE-01",
    meaning: "Every connectivity check and every answer to one is under the password of the end that is asked, and has a fingerprint.",
    source: "RFC 8445 section 7.1; RFC 8489 section 9.1; RFC 8489 section 14.7",
    check: &protected,
};

/// Only who controls nominates.
pub const WIRE_02_ROLES: Oracle = Oracle {
    id: "WIRE-02",
    meaning: "Every check names a role: the one who offered controls, until a conflict of roles is told, and only who controls nominates.",
    source: "RFC 8445 section 6.1.1; RFC 8445 section 7.1.2; RFC 8445 section 7.1.3",
    check: &roles,
};

/// A check says what a candidate that it makes known is worth.
pub const WIRE_03_PRIORITY: Oracle = Oracle {
    id: "WIRE-03",
    meaning: "The priority in a check is that of a peer-reflexive candidate, and no candidate's that the agent gathered.",
    source: "RFC 8445 section 7.1.1; RFC 8445 section 5.1.2.1",
    check: &priorities,
};

/// A conflict of roles ends.
pub const WIRE_04_CONFLICT: Oracle = Oracle {
    id: "WIRE-04",
    meaning: "Who receives a check in the role that it has itself answers 487 or changes its role within three seconds.",
    source: "RFC 8445 section 7.3.1.1",
    check: &conflicts,
};

/// How long an end may take to settle a conflict: an agent of the stack checks each 200 ms.
const SETTLES: Duration = Duration::from_secs(3);
/// The code of a role conflict.
const ROLE_CONFLICT: u16 = 487;

/// An end of a call: one generation of a peer.
#[derive(Clone, Copy)]
struct End<'a> {
    host: &'a str,
    peer: &'a PeerId,
}

/// The ends of a run and what they sent, filled as the events are read.
#[derive(Default)]
struct Wire<'a> {
    offered: BTreeSet<(&'a str, &'a PeerId)>,
    ends: BTreeMap<&'a str, End<'a>>,
    // The role that an end has by its own checks, or by its descriptions as long as it has sent none.
    roles: BTreeMap<(&'a str, &'a PeerId), IceRole>,
    sent: BTreeMap<PacketId, StunLine<'a>>,
}

impl<'a> Wire<'a> {
    /// Reads `event`; returns the STUN message that a host sends with it.
    fn read(&mut self, event: &'a Event) -> Option<(&'a str, StunLine<'a>)> {
        if let EventKind::PacketCorrupted { packet, .. } | EventKind::PacketTruncated { packet, .. } =
            &event.kind
        {
            // Who receives it need not understand it.
            self.sent.remove(packet);
        }
        let host = event.host.as_deref()?;
        match &event.kind {
            EventKind::PeerCreated { peer, offers: true } => {
                self.offered.insert((host, peer));
            }
            EventKind::DescriptionCreated { peer, ufrag, .. } => {
                self.ends.insert(ufrag, End { host, peer });
            }
            EventKind::PacketSent { packet, says, .. } => {
                let line = StunLine::between_ends(says)?;
                self.sent.insert(*packet, line.clone());
                return Some((host, line));
            }
            _ => {}
        }
        None
    }

    /// Returns the end that sends `check` from `host`.
    fn sender(&self, host: &str, check: &StunLine<'a>) -> Option<End<'a>> {
        let (_, ours) = check.asks.filter(|_| check.is_check())?;
        self.ends.get(ours).filter(|end| end.host == host).copied()
    }

    /// Returns the role that the end has by now.
    fn role(&self, end: End<'a>) -> IceRole {
        let key = (end.host, end.peer);
        let by_offer = match self.offered.contains(&key) {
            true => IceRole::Controlling,
            false => IceRole::Controlled,
        };
        self.roles.get(&key).copied().unwrap_or(by_offer)
    }
}

fn protected(evidence: Evidence<'_>) -> Verdict {
    let mut wire = Wire::default();
    for event in &evidence.trace.events {
        if let Some((host, line)) = wire.read(event)
            && !line.flaws.is_empty()
            // A relay passes on what the network has damaged.
            && wire.ends.values().any(|end| end.host == host)
        {
            let what = if line.is_check() {
                "a check"
            } else {
                "an answer to a check"
            };
            let why = format!(
                "{host} sent {what} with {} at {}",
                line.flaws.join(" and "),
                event.at
            );
            return Verdict::Fail(Violation::at(event, why));
        }
    }
    Verdict::Pass
}

fn roles(evidence: Evidence<'_>) -> Verdict {
    let mut wire = Wire::default();
    // The ends that know of a conflict: from then on they may have either role.
    let mut told = BTreeSet::new();
    for event in &evidence.trace.events {
        told.extend(told_of_conflict(&wire, event));
        let Some((host, line)) = wire.read(event) else {
            continue;
        };
        let Some(end) = wire.sender(host, &line) else {
            continue;
        };
        let key = (end.host, end.peer);
        let wrong = match line.role {
            None => Some("a check that names no role".to_owned()),
            Some(IceRole::Controlled) if line.nominates => {
                Some("a nomination, and does not control".to_owned())
            }
            Some(role) if role != wire.role(end) && !told.contains(&key) => {
                Some(format!("a check as {role:?}, which it is not").to_lowercase())
            }
            Some(role) => {
                wire.roles.insert(key, role);
                None
            }
        };
        if let Some(wrong) = wrong {
            let why = format!("{} of {host} sent {wrong}, at {}", key.1, event.at);
            return Verdict::Fail(Violation::at(event, why));
        }
    }
    Verdict::Pass
}

/// Returns the message that a host receives with `event`, unless a stranger sent it.
fn received<'w, 'a>(wire: &'w Wire<'a>, event: &'w Event) -> Option<(&'w str, &'w StunLine<'a>)> {
    let EventKind::PacketDelivered { packet } = &event.kind else {
        return None;
    };
    Some((event.host.as_deref()?, wire.sent.get(packet)?))
}

/// Returns the ends that may change their role after `event`: the one that is asked in its own role, or all of a host that receives
/// the error, since nothing but its transaction says whose check it answers.
fn told_of_conflict<'a>(wire: &Wire<'a>, event: &Event) -> Vec<(&'a str, &'a PeerId)> {
    let refused = received(wire, event).filter(|(_, line)| line.code == Some(ROLE_CONFLICT));
    let all = wire
        .ends
        .values()
        .filter(|end| refused.is_some_and(|(host, _)| end.host == host));
    let all = all.copied().chain(in_conflict(wire, event));
    all.map(|end| (end.host, end.peer)).collect()
}

/// Returns the end that receives a check in its own role with `event`.
fn in_conflict<'a>(wire: &Wire<'a>, event: &Event) -> Option<End<'a>> {
    let (host, line) = received(wire, event)?;
    let (asked, _) = line.asks.filter(|_| line.is_check())?;
    let end = wire.ends.get(asked).filter(|end| end.host == host)?;
    (line.role == Some(wire.role(*end))).then_some(*end)
}

fn priorities(evidence: Evidence<'_>) -> Verdict {
    let mut wire = Wire::default();
    let mut gathered: BTreeMap<(&str, &PeerId), BTreeSet<u32>> = BTreeMap::new();
    for event in &evidence.trace.events {
        if let (
            Some(host),
            EventKind::Gathered {
                peer,
                candidate: Some(candidate),
            },
        ) = (event.host.as_deref(), &event.kind)
        {
            let priority: Option<u32> = candidate.attribute.split(' ').nth(3).and_then(|p| p.parse().ok());
            gathered.entry((host, peer)).or_default().extend(priority);
        }
        let Some((host, line)) = wire.read(event) else {
            continue;
        };
        let Some(end) = wire.sender(host, &line) else {
            continue;
        };
        let own = gathered.get(&(end.host, end.peer));
        let wrong = match line.priority {
            None => Some("without a priority".to_owned()),
            Some(priority) if own.is_some_and(|own| own.contains(&priority)) => Some(format!(
                "with the priority of a candidate that it gathered, {priority}"
            )),
            Some(_) => None,
        };
        if let Some(wrong) = wrong {
            let why = format!("{} of {host} sent a check {wrong}, at {}", end.peer, event.at);
            return Verdict::Fail(Violation::at(event, why));
        }
    }
    Verdict::Pass
}

/// A conflict that an end has learned of and not settled yet.
struct Open<'a> {
    event: &'a Event,
    role: IceRole,
}

fn conflicts(evidence: Evidence<'_>) -> Verdict {
    let trace: &Trace = evidence.trace;
    let mut wire = Wire::default();
    let mut open: BTreeMap<(&str, &PeerId), Open<'_>> = BTreeMap::new();
    for event in &trace.events {
        if let Some(late) = overdue(evidence.plan, &open, event.at) {
            return late;
        }
        if let Some(end) = in_conflict(&wire, event) {
            let role = wire.role(end);
            open.entry((end.host, end.peer)).or_insert(Open { event, role });
        }
        match &event.kind {
            EventKind::Closing { peer } => open.retain(|(_, of), _| *of != peer),
            EventKind::Crashed => open.retain(|(host, _), _| Some(*host) != event.host.as_deref()),
            _ => {}
        }
        let Some((host, line)) = wire.read(event) else {
            continue;
        };
        if line.code == Some(ROLE_CONFLICT) {
            open.retain(|(of, _), _| *of != host);
        }
        if let (Some(end), Some(role)) = (wire.sender(host, &line), line.role) {
            let key = (end.host, end.peer);
            wire.roles.insert(key, role);
            if open.get(&key).is_some_and(|o| o.role != role) {
                open.remove(&key);
            }
        }
    }
    Verdict::Pass
}

fn overdue(plan: &Plan, open: &BTreeMap<(&str, &PeerId), Open<'_>>, now: SimTime) -> Option<Verdict> {
    let is_late = |host: &str, open: &Open<'_>| now > due(plan, host, open.event.at, SETTLES);
    let ((host, peer), late) = open.iter().find(|((host, _), open)| is_late(host, open))?;
    let why = format!(
        "{peer} of {host} received a check in its own role at {}, and neither said so nor changed",
        late.event.at
    );
    Some(Verdict::Fail(Violation::at(late.event, why)))
}

#[cfg(test)]
mod tests;
