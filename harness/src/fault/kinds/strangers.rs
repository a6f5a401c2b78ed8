//! Datagrams from strangers: what anybody in the network can send to an open port, and what somebody who has listened can send again.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use bytes::Bytes;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stun::{
    agent::TransactionId,
    attributes::{
        ATTR_ICE_CONTROLLING, ATTR_PRIORITY, ATTR_REQUESTED_TRANSPORT, ATTR_USE_CANDIDATE, ATTR_USERNAME,
    },
    fingerprint::FINGERPRINT,
    integrity::MessageIntegrity,
    message::{BINDING_REQUEST, CLASS_REQUEST, METHOD_ALLOCATE, Message, MessageType, Setter},
    textattrs::TextAttribute,
};

use crate::{
    fault::{
        Befalls, Behaviour, Fault, InForce, KindSpec, Plan, Span,
        drawing::{moment, one_of},
    },
    seed::Stream,
    world::Controls,
};

/// At one moment, every open UDP port of a host gets datagrams that its peers did not send.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Strangers {
    /// The address of the stranger, which nobody else ever has in the run.
    pub from: IpAddr,
    /// What is sent.
    pub send: Stray,
    /// How many datagrams each port gets: from 1 to 100.
    pub copies: u64,
}

/// A datagram that a peer did not send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stray {
    /// Random bytes, from the stranger.
    Noise,
    /// A STUN binding request without credentials, from the stranger.
    Request,
    /// A connectivity check that nominates, with credentials that are not those of the agent, from the stranger.
    WrongCredentials,
    /// A TURN allocate request, from the stranger.
    Allocate,
    /// A datagram that the port received before, from the stranger. Neither this nor the next two send a request for a TURN allocation
    /// again.
    Replay,
    /// A datagram that the port received before, in the name of who sent it: the network delivers it late and twice.
    Again,
    /// A datagram that another port of the host received before, in the name of who sent it: what was under way when a call ended comes
    /// in the next one.
    Earlier,
    /// Random bytes, in the name of somebody from whom the port received a datagram.
    Forged,
    /// The first 4 to 7 bytes of an RTCP packet, in the name of somebody from whom the port received a datagram.
    ShortRtcp,
}

impl Stray {
    /// All that a client can bear. The other, [`Stray::ShortRtcp`], ends a task of the stack (docs/findings/0021).
    pub const BEARABLE: [Self; 8] = [
        Self::Noise,
        Self::Request,
        Self::WrongCredentials,
        Self::Allocate,
        Self::Replay,
        Self::Again,
        Self::Forged,
        Self::Earlier,
    ];

    const fn describe(self) -> &'static str {
        match self {
            Self::Noise => "noise",
            Self::Request => "binding requests without credentials",
            Self::WrongCredentials => "checks with wrong credentials",
            Self::Allocate => "allocate requests",
            Self::Replay => "datagrams of its peers again",
            Self::Again => "datagrams of its peers again, in their name",
            Self::Forged => "noise in the name of its peers",
            Self::Earlier => "datagrams that came to other ports, in their senders' names",
            Self::ShortRtcp => "the beginnings of RTCP packets in the name of its peers",
        }
    }
}

/// The specification of the kind.
pub(super) const SPEC: KindSpec = KindSpec {
    name: "strangers",
    about: "Every open UDP port of a host gets datagrams that its peers did not send: noise, STUN without or with wrong \
            credentials, and replays, from a stranger or in the name of a peer.",
    befalls: Befalls::Reachable,
    parameters: "`from`: an address that nobody else ever has in the run; `send`: `noise`, `request`, `wrong-credentials`, \
                 `allocate`, `replay`, `again`, `earlier`, `forged`, `short-rtcp`; `copies`: 1 to 100 for each port",
    span: Span::Moment,
    marks: &["strangers-hit"],
    draw,
};

/// The port of the stranger's first datagram.
const FIRST_PORT: u16 = 40_000;

fn draw(draws: &mut Stream, plan: &Plan) -> Vec<Fault> {
    moment(draws, plan, Befalls::Reachable, |d| Strangers {
        from: Ipv4Addr::new(192, 0, 2, d.between(100, 250) as u8).into(),
        send: one_of(d, &Stray::BEARABLE),
        copies: d.between(1, 8),
    })
}

impl Behaviour for Strangers {
    fn describe(&self, fault: &Fault) -> String {
        let (host, at) = (fault.target.name(), fault.from_ms);
        let (what, copies) = (self.send.describe(), self.copies);
        format!("strangers send {what} to every port of {host}, {copies} each, at {at} ms")
    }

    fn check(&self, _: &Fault, _: &[Fault], plan: &Plan) -> Result<(), String> {
        let from = self.from;
        if plan.topology.addresses().any(|a| a == from) || from.is_loopback() || from.is_unspecified() {
            return Err(format!(
                "kind.strangers.from: {from} cannot be a stranger's address: take one that nobody has"
            ));
        }
        match self.copies {
            1..=100 => Ok(()),
            copies => Err(format!("kind.strangers.copies: {copies} is not from 1 to 100")),
        }
    }

    fn prepare(&self, at: &InForce<'_>, world: &mut Controls<'_, '_>) {
        world.remember_received(at.fault.target.name());
    }

    fn begin(&self, at: &InForce<'_>, world: &mut Controls<'_, '_>) {
        let (fault, host) = (at.fault.id, at.fault.target.name());
        let mut draws = world.sim().stream(&format!("strangers/{fault}"));
        let before = world.received(host);
        for port in world.open_ports(host) {
            let elsewhere = self.send == Stray::Earlier;
            let heard = before.iter().filter(|(flow, _)| (flow.dst == port) != elsewhere);
            // A TURN server grants a request for an allocation that it gets again later (its credentials hold for any address,
            // RFC 8656, section 21.1), and nobody would ever release that one. It is no harm to a call.
            let heard: Vec<_> = heard.filter(|(_, payload)| !is_allocate(payload)).collect();
            for copy in 0..self.copies {
                let stranger = SocketAddr::new(self.from, FIRST_PORT + copy as u16);
                let earlier = (!heard.is_empty()).then(|| heard[draws.below(heard.len() as u64) as usize]);
                let (from, payload) = match (self.send, earlier) {
                    (Stray::Replay, Some((_, payload))) => (stranger, payload.clone()),
                    (Stray::Again | Stray::Earlier, Some((flow, payload))) => (flow.src, payload.clone()),
                    (Stray::Forged, Some((flow, _))) => (flow.src, noise(&mut draws)),
                    (Stray::ShortRtcp, Some((flow, _))) => (flow.src, short_rtcp(&mut draws)),
                    (
                        Stray::Replay | Stray::Again | Stray::Earlier | Stray::Forged | Stray::ShortRtcp,
                        None,
                    ) => continue,
                    (Stray::Noise, _) => (stranger, noise(&mut draws)),
                    (Stray::Request, _) => (stranger, request(&mut draws, BINDING_REQUEST, &[])),
                    (Stray::WrongCredentials, _) => (stranger, check(&mut draws)),
                    (Stray::Allocate, _) => (stranger, allocate(&mut draws)),
                };
                world.send_stray(fault, from, port, &payload);
            }
        }
    }

    fn brings(&self) -> Option<IpAddr> {
        Some(self.from)
    }
}

/// Reports whether a datagram is a request for a TURN allocation.
fn is_allocate(payload: &[u8]) -> bool {
    payload.starts_with(
        &MessageType::new(METHOD_ALLOCATE, CLASS_REQUEST)
            .value()
            .to_be_bytes(),
    )
}

fn noise(draws: &mut Stream) -> Bytes {
    let mut bytes = vec![0; draws.between(1, 200) as usize];
    draws.fill(&mut bytes);
    bytes.into()
}

/// The beginning of a sender report (RFC 3550 section 6.4.1), which SRTCP would follow with the sender's SSRC.
fn short_rtcp(draws: &mut Stream) -> Bytes {
    let mut bytes = vec![0x80, 200, 0, 6];
    bytes.resize(draws.between(4, 7) as usize, 0);
    bytes.into()
}

/// A connectivity check (RFC 8445 section 7.1) of somebody who guesses the credentials.
fn check(draws: &mut Stream) -> Bytes {
    let password = format!("{:022}", draws.next_u64());
    request(
        draws,
        BINDING_REQUEST,
        &[
            Box::new(TextAttribute::new(ATTR_USERNAME, "abcd:efgh".into())),
            Box::new(Raw(ATTR_PRIORITY, vec![0x6e, 0xff, 0xff, 0xff])),
            Box::new(Raw(ATTR_ICE_CONTROLLING, vec![0xff; 8])),
            Box::new(Raw(ATTR_USE_CANDIDATE, Vec::new())),
            Box::new(MessageIntegrity::new_short_term_integrity(password)),
            Box::new(FINGERPRINT),
        ],
    )
}

/// An allocate request for UDP (RFC 8656 section 7.1), the first of a client, which has no credentials yet.
fn allocate(draws: &mut Stream) -> Bytes {
    let kind = MessageType::new(METHOD_ALLOCATE, CLASS_REQUEST);
    let udp = Raw(ATTR_REQUESTED_TRANSPORT, vec![17, 0, 0, 0]);
    request(draws, kind, &[Box::new(udp)])
}

fn request(draws: &mut Stream, kind: MessageType, attributes: &[Box<dyn Setter>]) -> Bytes {
    let mut id = TransactionId::default();
    draws.fill(&mut id.0);
    let mut message = Message::new();
    message
        .build(&[Box::new(kind), Box::new(id)])
        .and_then(|()| attributes.iter().try_for_each(|a| a.add_to(&mut message)))
        .expect("the attributes are well-formed");
    message.raw.into()
}

/// An attribute with its value.
struct Raw(stun::attributes::AttrType, Vec<u8>);

impl Setter for Raw {
    fn add_to(&self, message: &mut Message) -> Result<(), stun::Error> {
        message.add(self.0, &self.1);
        Ok(())
    }
}
