//! What connectivity checks may be, by their bytes: what the stack does otherwise (findings 0022 and 0023), and ends that are broken
//! on purpose.
//!
//! The calling app has no part in it: two bare agents are told of each other by hand, over no signaling.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use sleet::{
    peer::{self, Description, Peer, PeerKind, PeerSpec, Role},
    prelude::*,
    socket::UdpSocket,
    trace::{Candidate, EventKind},
};
use stun::{
    agent::TransactionId,
    attributes::ATTR_USERNAME,
    fingerprint::FINGERPRINT,
    integrity::MessageIntegrity,
    message::{BINDING_REQUEST, Message, Setter},
    textattrs::Username,
};
use tokio::sync::mpsc;

use crate::{
    client::{Make, Policy, policy::ReceivePolicy},
    fixture::played,
    network::open,
};

/// How long two ends that cannot connect try, which is longer than a check list takes to fail.
const TRIES: Duration = Duration::from_secs(10);
/// How long checks go both ways before one end is broken.
const CHECKS: Duration = Duration::from_secs(2);
/// How long a packet is under way at most.
const TRAVELS: Duration = Duration::from_secs(1);
/// The port from which a broken end sends.
const PORT: u16 = 9;

/// Returns the findings, and the ends that are broken on purpose.
pub fn family() -> Vec<Scenario> {
    let client = Policy::NAIVE.receiving(ReceivePolicy::Buffer);
    vec![
        own_priority("findings/check-priority", client.full()),
        own_priority("findings/check-priority-bare", client.bare()),
        by_hand(
            Kind::Finding,
            "findings/role-conflict-bare",
            &WIRE_04_CONFLICT,
            |sim| async move {
                let ends = Ends::meet(&sim, Role::Offerer).await;
                sim.sleep(TRIES).await;
                ends.close().await;
            },
        )
        .about(
            "Both ends offered, so both control: neither says so, neither gives way, and they never connect.",
        )
        .from("docs/findings/0023-role-conflict.md"),
        broken("wire/unprotected", &WIRE_01_PROTECTED, |from, to| {
            vec![user(from, to), Box::new(FINGERPRINT)]
        })
        .about("A broken end: its check has no message integrity."),
        broken("wire/no-role", &WIRE_02_ROLES, |from, to| {
            let password = to.password().unwrap_or_default().to_owned();
            let integrity = MessageIntegrity::new_short_term_integrity(password);
            vec![user(from, to), Box::new(integrity), Box::new(FINGERPRINT)]
        })
        .about("A broken end: its check names no role."),
        by_hand(
            Kind::Demonstration,
            "wire/speaks-when-closed",
            &TEAR_06_SILENT,
            |sim| async move {
                let ends = Ends::meet(&sim, Role::Answerer).await;
                sim.sleep(CHECKS).await;
                let alice = sim.host("alice");
                alice.run(|| sim.record(EventKind::Closed { peer: "c1".into() }));
                sim.sleep(TRIES).await;
                ends.close().await;
            },
        )
        .about("A broken end: its peer is said to be closed, and goes on sending."),
    ]
}

/// A call whose checks carry the priority of the candidate that they are sent from.
fn own_priority(name: &str, app: Make) -> Scenario {
    played(Kind::Finding, name, open, app)
        .about(
            "The checks of an agent have the priority of a host candidate, not that of a peer-reflexive one.",
        )
        .from("docs/findings/0022-check-priority.md")
        .holds(&[&CAND_01_APPLIED, &CONN_01_CONNECTS])
        .expects(Expectation::broken(&WIRE_03_PRIORITY, 1))
}

/// Two ends that are told of each other by hand.
fn by_hand<F>(
    kind: Kind,
    name: &str,
    breaks: &'static Oracle,
    story: impl Fn(Sim) -> F + Send + Sync + 'static,
) -> Scenario
where
    F: Future<Output = ()> + Send + 'static,
{
    let nobody_calls = |seed| Plan {
        script: Vec::new(),
        ..open(seed)
    };
    Scenario::new(kind, name, nobody_calls, move |sim, _| story(sim))
        .from("docs/judging.md#the-wire")
        .expects(Expectation::broken(breaks, 1))
}

/// Two ends that connect, at one of which somebody sends a check with its name and the attributes `what`, made of the descriptions
/// of the two ends.
fn broken(
    name: &str,
    breaks: &'static Oracle,
    what: fn(&Description, &Description) -> Vec<Box<dyn Setter>>,
) -> Scenario {
    by_hand(Kind::Demonstration, name, breaks, move |sim| async move {
        let ends = Ends::meet(&sim, Role::Answerer).await;
        sim.sleep(CHECKS).await;
        let check = check(what(&ends.alice.1, &ends.bob.1));
        let host = sim.host("alice");
        let at = |name: &str| SocketAddr::new(sim.host(name).addresses()[0], PORT);
        let socket = UdpSocket::bind(&host, at("alice"))
            .await
            .expect("the port is free");
        let _ = socket.send_to(&check, at("bob")).await;
        sim.sleep(TRAVELS).await;
        ends.close().await;
    })
}

/// A check with `attributes`.
fn check(attributes: Vec<Box<dyn Setter>>) -> Vec<u8> {
    let mut check = Message::new();
    let head: [Box<dyn Setter>; 2] = [Box::new(BINDING_REQUEST), Box::new(TransactionId([7; 12]))];
    let all: Vec<_> = head.into_iter().chain(attributes).collect();
    check.build(&all).expect("it is well formed");
    check.raw
}

/// The name under which the end of `from` asks that of `to` (RFC 8445, section 7.2.2).
fn user(from: &Description, to: &Description) -> Box<dyn Setter> {
    let name = |d: &Description| d.ufrag().unwrap_or_default().to_owned();
    Box::new(Username::new(
        ATTR_USERNAME,
        format!("{}:{}", name(to), name(from)),
    ))
}

/// Two bare agents that know of each other, each with its description.
struct Ends {
    alice: (Arc<dyn Peer>, Description),
    bob: (Arc<dyn Peer>, Description),
}

impl Ends {
    /// Makes alice, who offers, and bob, and tells each of the other.
    async fn meet(sim: &Sim, bob: Role) -> Self {
        let (alice, for_bob) = end(sim, "alice", Role::Offerer).await;
        let (bob, for_alice) = end(sim, "bob", bob).await;
        for ((of, _), (_, theirs)) in [(&alice, &bob), (&bob, &alice)] {
            of.set_remote(theirs.clone()).await.expect("it has credentials");
        }
        for ((of, ours), hears) in [(&alice, for_alice), (&bob, for_bob)] {
            of.set_local(ours.clone()).await.expect("it gathers");
            pass_on(sim, of.clone(), hears);
        }
        Self { alice, bob }
    }

    async fn close(self) {
        self.alice.0.close().await;
        self.bob.0.close().await;
    }
}

type End = (Arc<dyn Peer>, Description);

/// Makes an end, and what it gathers.
async fn end(sim: &Sim, host: &str, role: Role) -> (End, mpsc::UnboundedReceiver<Candidate>) {
    let (tell, gathered) = mpsc::unbounded_channel();
    let spec = PeerSpec::new(PeerKind::Bare, "c1", role);
    let on_candidate = Box::new(move |candidate: Option<Candidate>| {
        // Nobody listens once the story is over.
        let _ = candidate.map(|c| tell.send(c));
        Box::pin(async {}) as _
    });
    let peer = peer::create(&sim.host(host), spec, on_candidate)
        .await
        .expect("it has an interface");
    let description = match role {
        Role::Offerer => peer.offer().await,
        Role::Answerer => peer.answer().await,
    };
    (
        (peer, description.expect("a bare agent always has one")),
        gathered,
    )
}

/// Tells `peer` of what the other end gathers.
fn pass_on(sim: &Sim, peer: Arc<dyn Peer>, mut gathered: mpsc::UnboundedReceiver<Candidate>) {
    sim.host("alice").spawn("pass-on", async move {
        while let Some(candidate) = gathered.recv().await {
            let _ = peer.add_candidate(candidate).await;
        }
    });
}
