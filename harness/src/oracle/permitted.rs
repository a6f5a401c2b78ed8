//! An oracle on the wire for what goes through a TURN server: who sends has been granted it.
//!
//! It judges by what the client knows: the answers that have reached it. What the server makes of it does not matter here.

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use super::{Evidence, Oracle, Verdict, Violation};
use crate::{
    time::SimTime,
    trace::{Event, EventKind, Flow, PacketId, Proto, StunLine, channel_of},
};

/// Who sends through a TURN server has a permission.
pub const TURN_01_PERMITTED: Oracle = Oracle {
    id: "TURN-01",
    meaning: "Who sends to a peer through a TURN server has been granted a permission for its address in the last five minutes, and over a channel the channel in the last ten.",
    source: "RFC 8656 section 9; RFC 8656 section 11.1; RFC 8656 section 12",
    check: &permitted,
};

/// The lifetime of a permission (RFC 8656, section 9).
const PERMISSION: Duration = Duration::from_mins(5);
/// The lifetime of a channel binding (RFC 8656, section 12).
const CHANNEL: Duration = Duration::from_mins(10);

/// An allocation: the client's host, the port of its socket, and the server. Its address changes when the host changes networks, of which the
/// client knows nothing.
type Allocation<'a> = (&'a str, u16, SocketAddr);

/// A request that a client has sent.
struct Request<'a> {
    allocation: Allocation<'a>,
    line: StunLine<'a>,
}

/// What a client was granted.
#[derive(Default)]
struct Granted<'a> {
    /// The transaction that made the allocation: its answer may arrive twice.
    made_by: &'a str,
    permissions: BTreeMap<IpAddr, SimTime>,
    channels: BTreeMap<u16, (SocketAddr, SimTime)>,
}

#[derive(Default)]
struct Clients<'a> {
    servers: Vec<&'a str>,
    requests: BTreeMap<(&'a str, &'a str), Request<'a>>,
    answers: BTreeMap<PacketId, &'a str>,
    granted: BTreeMap<Allocation<'a>, Granted<'a>>,
}

fn permitted(evidence: Evidence<'_>) -> Verdict {
    let servers = evidence.plan.ice_servers.iter();
    let mut clients = Clients {
        servers: servers.map(|server| server.host.as_str()).collect(),
        ..Clients::default()
    };
    for event in &evidence.trace.events {
        let Some(host) = event.host.as_deref() else {
            continue;
        };
        match &event.kind {
            EventKind::PacketSent { packet, says, .. } if clients.servers.contains(&host) => {
                let line = StunLine::read(says).filter(|line| line.class == "success");
                clients
                    .answers
                    .extend(line.and_then(|line| line.id).map(|id| (*packet, id)));
            }
            EventKind::PacketSent { flow, says, .. } if flow.proto == Proto::Udp => {
                if let Some(without) = clients.send(event, (host, *flow), says) {
                    return Verdict::Fail(Violation::at(event, without));
                }
            }
            EventKind::PacketDelivered { packet } => clients.receive(event.at, host, *packet),
            _ => {}
        }
    }
    Verdict::Pass
}

impl<'a> Clients<'a> {
    /// Takes note of a request; returns what is wrong with sending data.
    fn send(&mut self, event: &Event, (host, flow): (&'a str, Flow), says: &'a str) -> Option<String> {
        let allocation = (host, flow.src.port(), flow.dst);
        if let Some(channel) = channel_of(says) {
            let granted = self.granted.get(&allocation);
            let bound = granted.and_then(|granted| granted.channels.get(&channel));
            let Some((peer, _)) = bound.filter(|(_, at)| event.at <= *at + CHANNEL) else {
                return Some(format!(
                    "{host} sent over channel {channel}, which it has not bound, at {}",
                    event.at
                ));
            };
            return self.without(event, allocation, peer.ip());
        }
        let line = StunLine::read(says)?;
        if line.method == "send" {
            return self.without(event, allocation, line.peers.first()?.ip());
        }
        if let Some(id) = line.id {
            self.requests.insert((host, id), Request { allocation, line });
        }
        None
    }

    /// Returns an explanation if nothing permits the client to send to `peer` now.
    fn without(&self, event: &Event, allocation: Allocation<'a>, peer: IpAddr) -> Option<String> {
        let granted = self.granted.get(&allocation);
        let since = granted.and_then(|granted| granted.permissions.get(&peer));
        let (host, now) = (allocation.0, event.at);
        match since {
            Some(since) if now <= *since + PERMISSION => None,
            Some(since) => Some(format!(
                "{host} sent to {peer} at {now} by a permission of {since}"
            )),
            None => Some(format!("{host} sent to {peer} at {now} and had no permission")),
        }
    }

    /// Takes note of what an answer grants.
    fn receive(&mut self, now: SimTime, host: &'a str, packet: PacketId) {
        let Some(Request { allocation, line }) = self
            .answers
            .get(&packet)
            .and_then(|id| self.requests.get(&(host, *id)))
        else {
            return;
        };
        let granted = self.granted.entry(*allocation).or_default();
        match (line.method, line.channel) {
            ("allocate", _) if line.id != Some(granted.made_by) => {
                *granted = Granted {
                    made_by: line.id.unwrap_or_default(),
                    ..Granted::default()
                };
            }
            ("channel-bind", Some(channel)) => {
                granted
                    .channels
                    .extend(line.peers.first().map(|peer| (channel, (*peer, now))));
            }
            _ => {}
        }
        if matches!(line.method, "create-permission" | "channel-bind") {
            granted
                .permissions
                .extend(line.peers.iter().map(|peer| (peer.ip(), now)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::machine::testing::*, *};
    use crate::{fault::Plan, net::topology::Topology, servers::IceServerSpec};

    const ASKS: &str = "stun create-permission request sleet peer=10.0.0.2:7 peer=10.0.0.3:7 id=0a";
    const BINDS: &str = "stun channel-bind request sleet channel=16384 peer=10.0.0.2:7 id=0b";
    const SENDS: &str = "stun send indication peer=10.0.0.3:9 carries data";
    const OVER: &str = "turn channel=16384 carries data";

    /// What alice sends and what answers reach her, each at a time in seconds; returns the packet that decides.
    fn judged(does: &[(u64, &str)]) -> Option<u64> {
        judged_on_the_move(does, "10.0.0.1:1")
    }

    /// The same, where what she sends after ten seconds leaves from another address.
    fn judged_on_the_move(does: &[(u64, &str)], moves_to: &str) -> Option<u64> {
        let mut events = Vec::new();
        for (number, (at, says)) in (0..).zip(does) {
            let is_answer = says.contains("success");
            let sender = if is_answer { "relay" } else { "alice" };
            let from = if *at > 10 { moves_to } else { "10.0.0.1:1" };
            let sent = packet(number, [from, "192.0.2.1:3478"], says);
            events.push((at * 1_000, sender, sent));
            let host = if is_answer { "alice" } else { "relay" };
            events.push((at * 1_000, host, EventKind::PacketDelivered { packet: number }));
        }
        let plan = Plan {
            ice_servers: vec![IceServerSpec {
                host: "relay".into(),
                turn: true,
            }],
            ..Plan::new(Topology::default())
        };
        let verdict = (TURN_01_PERMITTED.check)(Evidence {
            trace: &trace_of(events),
            plan: &plan,
        });
        decided(&verdict).map(|event| event / 2)
    }

    #[test]
    fn a_permission_is_needed_answered_and_not_older_than_five_minutes() {
        let granted = "stun create-permission success id=0a";
        assert_eq!(judged(&[(1, SENDS)]), Some(0));
        assert_eq!(judged(&[(1, ASKS), (9, SENDS)]), Some(1), "nobody answered");
        assert_eq!(judged(&[(1, ASKS), (2, granted), (302, SENDS)]), None);
        assert_eq!(judged(&[(1, ASKS), (2, granted), (303, SENDS)]), Some(2));
        let later = [(1, ASKS), (2, granted), (11, SENDS)];
        assert_eq!(
            judged_on_the_move(&later, "10.7.0.1:1"),
            None,
            "another network, the same client"
        );
        assert_eq!(
            judged_on_the_move(&later, "10.0.0.1:2"),
            Some(2),
            "another client"
        );
        let anew = [
            (1, ASKS),
            (2, granted),
            (3, "stun allocate request id=0c"),
            (4, "stun allocate success id=0c"),
            (5, SENDS),
        ];
        assert_eq!(judged(&anew), Some(4), "another allocation has none");
        let twice = [
            (1, "stun allocate request id=0c"),
            (2, "stun allocate success id=0c"),
            (3, ASKS),
            (4, granted),
            (5, "stun allocate success id=0c"),
            (6, SENDS),
        ];
        assert_eq!(judged(&twice), None, "the answer was doubled on its way");
        assert_eq!(
            judged(&[(1, ASKS), (2, "stun create-permission success id=0d"), (3, SENDS)]),
            Some(2)
        );
    }

    #[test]
    fn a_channel_is_bound_before_it_is_used_and_permits_for_five_minutes() {
        let bound = "stun channel-bind success id=0b";
        assert_eq!(judged(&[(1, BINDS), (2, OVER)]), Some(1));
        assert_eq!(judged(&[(1, BINDS), (2, bound), (302, OVER)]), None);
        assert_eq!(
            judged(&[(1, BINDS), (2, bound), (303, OVER)]),
            Some(2),
            "its permission is over"
        );
        let refreshed = [
            (1, BINDS),
            (2, bound),
            (200, ASKS),
            (201, "stun create-permission success id=0a"),
            (400, ASKS),
            (401, "stun create-permission success id=0a"),
            (601, OVER),
            (603, OVER),
        ];
        assert_eq!(
            judged(&refreshed),
            Some(7),
            "the channel is over after ten minutes"
        );
    }
}
