//! One small call in every order, instead of a sample of orders.
//!
//! The network is good and the same on every seed. The free steps are the deliveries of messages by the server, the
//! continuations of clients after an await, and the users' dials and hangups. Each seed goes through its part of all
//! orders (docs/exhaustive.md).

use sleet::{explore::Free, explore::Order, explore::Part, explore::Repeats, prelude::*, signaling};

use crate::{
    client::{
        Make, Policy,
        policy::{ReceivePolicy, SendPolicy},
    },
    fixture::played,
    network::{answers, dials, story_a},
};

/// The number of parts of all orders: the seeds that the smoke suite runs of every scenario.
const PARTS: u64 = 100;
/// The time at which all clients are online, in milliseconds.
const ONLINE_MS: u64 = 100;
/// The time at which bob's phone rings, if alice dials when online, in milliseconds.
const RINGING_MS: u64 = ONLINE_MS + 20;
/// A time longer than any step takes to cause all its effects, in milliseconds: three round trips of 14 ms to come
/// online.
const QUIET_MS: u64 = 80;

const NAIVE: Policy = Policy::NAIVE;
const SEQUENTIAL: Policy = NAIVE.sending(SendPolicy::AfterDescription);
const BUFFER_RECEIVER: Policy = NAIVE.receiving(ReceivePolicy::Buffer);
const BUFFER_SENDER: Policy = NAIVE.sending(SendPolicy::OnceJoined);
const BUFFER_BOTH: Policy = BUFFER_SENDER.receiving(ReceivePolicy::Buffer);

/// The oracles for every call, except those for leftovers.
const KEPT: [&Oracle; 7] = [
    &CAND_01_APPLIED,
    &CAND_02_OWN_GENERATION,
    &CONN_01_CONNECTS,
    &TEAR_01_CLOSES,
    &STATE_01_EDGES,
    &STATE_02_COMPUTED,
    &STATE_04_TURNS,
];
/// The page of the defect that hangups trigger on peer connections.
const HANDSHAKE: &str = "docs/findings/0011-closed-in-handshake.md";

/// The messages of a call. The ring is left out: clients do not react to it.
const MESSAGES: [&str; 5] = ["offer", "answer", "joined", "candidate", "end-of-candidates"];
/// The same without the end of candidates, to which clients do not react either, and with the hangup.
const CALL: [&str; 5] = ["offer", "answer", "joined", "candidate", "hangup"];
/// For two calls, the messages that set them up, and the ring of the second: it ends the first call, if that still
/// exists.
const REDIAL: [&str; 5] = ["offer", "answer", "joined of c1", "hangup", "dial of c2"];
/// The awaits of a client while it applies what it received.
const APPLYING: [&str; 2] = ["set-remote", "add-candidate"];
/// The awaits of a client while it creates its description and applies the remote one.
const DESCRIBING: [&str; 3] = ["set-local", "create-answer", "set-remote"];
/// The awaits of a caller's client until its offer is sent and set.
const DIALING: [&str; 5] = [
    "connect",
    "create-peer",
    "create-offer",
    "send-description",
    "set-local",
];

/// Returns the scenarios of the family.
pub fn family() -> Vec<Scenario> {
    let families = [candidates(), attempts(), hangups(), on_the_stack()];
    families.into_iter().flatten().collect()
}

/// Field report A.
fn candidates() -> Vec<Scenario> {
    let (messages, in_order) = (call(&MESSAGES), in_order(call(&MESSAGES)));
    let applying = awaiting(messages.clone(), "*", &APPLYING);
    let describing = awaiting(messages.clone(), "*", &DESCRIBING);
    let in_order = awaiting(in_order, "*", &APPLYING);
    vec![
        broken("naive", NAIVE.bare(), messages.clone(), &CONN_01_CONNECTS)
            .about("The client of the report, in every order: which of them lose the call."),
        broken("sequential", SEQUENTIAL.bare(), messages, &CONN_01_CONNECTS).about(
            "Producing no candidate before the description is written: the server reorders all the same.",
        ),
        broken(
            "sequential-in-order",
            SEQUENTIAL.bare(),
            in_order.clone(),
            &CONN_01_CONNECTS,
        )
        .about("The server keeps the order, and the tasks of the receiver do not."),
        connects("sequential-end-to-end", SEQUENTIAL.in_order().bare(), in_order)
            .about("Server and receiver keep the order: what is left are crossings of the two directions."),
        connects("buffer-receiver", BUFFER_RECEIVER.bare(), applying)
            .about("The receiver buffers: messages in every order, also while it applies one."),
        connects("buffer-sender", BUFFER_SENDER.bare(), describing.clone())
            .about("The sender buffers: messages in every order, also while descriptions are set."),
        connects("buffer-both", BUFFER_BOTH.bare(), describing)
            .about("Sender and receiver buffer: messages in every order, also while descriptions are set."),
        connects("buffer-both-full", BUFFER_BOTH.full(), call(&MESSAGES))
            .about("Sender and receiver buffer, with peer connections: messages in every order."),
    ]
}

/// Several attempts, several calls.
fn attempts() -> Vec<Scenario> {
    let any_generation = NAIVE.receiving(ReceivePolicy::BufferAnyGeneration).bare();
    vec![
        connects("retry", BUFFER_BOTH.bare(), retried(call(&CALL)))
            .about("The caller gives up at any time and tries again: messages of both attempts in every order."),
        broken(
            "stale-generation",
            any_generation,
            retried(call(&["offer", "candidate"])),
            &CAND_02_OWN_GENERATION,
        )
        .about("A receiver that buffers without looking at the generation gives old candidates to a new attempt."),
        connects("redial", BUFFER_BOTH.bare(), redialed(call(&REDIAL)))
            .from("docs/stories.md#b-rapid-dial-and-hangup")
            .about("The caller dials, hangs up and dials again at any time: the second call connects."),
    ]
}

/// Field report B, with the client that keeps every call.
fn hangups() -> Vec<Scenario> {
    let ends =
        |name, plan| connects(name, BUFFER_BOTH.bare(), plan).from("docs/stories.md#b-rapid-dial-and-hangup");
    let dialing = awaiting(call(&CALL), "alice", &DIALING);
    let answering = awaiting(awaiting(call(&CALL), "bob", &["create-peer"]), "bob", &DESCRIBING);
    let describing = awaiting(answering.clone(), "alice", &DESCRIBING);
    let waiting = NAIVE.sending(SendPolicy::OnceJoinedInCallback).bare();
    vec![
        ends("dial-hangup", dialed_freely(dialing))
            .about("The caller dials and hangs up at any time, between any two steps of her client."),
        ends("reject", hung_up_by(&["bob"], describing))
            .about("The callee hangs up at any time from the first ring on, also before the offer has come."),
        ends("both-hang-up", hung_up_by(&["alice", "bob"], answering))
            .about("Both hang up, and the two hangups cross everything else."),
        broken(
            "wait-in-callback",
            waiting,
            hung_up_by(&["alice"], call(&CALL)),
            &TEAR_01_CLOSES,
        )
        .from("docs/hazards.md#4-waiting-inside-a-callback")
        .about(
            "Buffering by waiting inside the stack's callback: the orders in which a hangup never returns.",
        ),
    ]
}

/// A defect of the stack that the client cannot prevent.
fn on_the_stack() -> Vec<Scenario> {
    let both = hung_up_by(&["alice", "bob"], call(&CALL));
    vec![
        scenario(Kind::Demonstration, "both-hang-up-full", BUFFER_BOTH.full(), both.clone())
            .about("Both hang up, with peer connections: the orders in which the stack leaves a handshake behind.")
            .from("docs/stories.md#b-rapid-dial-and-hangup")
            .from(HANDSHAKE)
            .holds(&KEPT)
            .holds(&[&TEAR_02_NOTHING_LEFT])
            .expects(Expectation::broken(&TEAR_05_STACK_ENDS, PARTS)),
        played(
            Kind::Finding,
            "findings/hangup-in-handshake",
            move |_| in_handshake(both.clone()),
            BUFFER_BOTH.full(),
        )
        .about("Closed while it waits for the second ClientHello, a peer connection leaves its handshake behind.")
        .from("docs/stories.md#b-rapid-dial-and-hangup")
        .from(HANDSHAKE)
        .holds(&KEPT)
        .holds(&[&TEAR_02_NOTHING_LEFT])
        .expects(Expectation::broken(&TEAR_05_STACK_ENDS, 1)),
    ]
}

/// Returns `plan` with the order in which alice, who is the DTLS server, hangs up between two flights of the handshake.
fn in_handshake(mut plan: Plan) -> Plan {
    if let Some(order) = &mut plan.order {
        order.choices = vec![1, 0, 0, 1, 0, 0, 0, 0];
        // The length of a turn decides between which flights it comes.
        order.quiet_ms = 50;
    }
    plan
}

/// A client that keeps every call that is not hung up.
fn connects(name: &str, app: impl Into<Make>, plan: Plan) -> Scenario {
    scenario(Kind::Promise, name, app, plan)
        .from("docs/stories.md#a-lost-candidates")
        .holds(&KEPT)
        .holds(&[&TEAR_02_NOTHING_LEFT, &TEAR_05_STACK_ENDS])
}

fn broken(name: &str, app: impl Into<Make>, plan: Plan, oracle: &'static Oracle) -> Scenario {
    scenario(Kind::Demonstration, name, app, plan)
        .from("docs/stories.md#a-lost-candidates")
        .expects(Expectation::broken(oracle, PARTS))
}

fn scenario(kind: Kind, name: &str, app: impl Into<Make>, plan: Plan) -> Scenario {
    let bound = bound(&plan);
    played(kind, &format!("exhaustive/{name}"), move |_| plan.clone(), app)
        .from("docs/judging.md#every-order")
        .explores(PARTS, &bound)
}

/// Describes the free steps of `plan`.
fn bound(plan: &Plan) -> String {
    let free = plan.order.iter().flat_map(|order| &order.free);
    let steps = free.map(|free| match free.host.as_str() {
        "*" => free.step.clone(),
        host => format!("{host}'s {}", free.step),
    });
    let acts = plan.script.iter().filter(|s| matches!(s.when, When::Free { .. }));
    let acts = acts.map(|s| format!("{} {}", s.host, s.act.name()));
    steps.chain(acts).collect::<Vec<_>>().join(", ")
}

/// Returns a plan in which alice dials bob over a good network, who answers at once. The messages of `free` are
/// delivered in any order.
fn call(free: &[&str]) -> Plan {
    let mut plan = story_a(Seed(0));
    for host in &mut plan.topology.hosts {
        let ms = if host.name == "server" { 2 } else { 5 };
        for interface in &mut host.interfaces {
            interface.up = LinkProfile::good(Latency::constant_ms(ms));
            interface.down = interface.up.clone();
        }
    }
    plan.service().descriptions = Latency::constant_ms(1);
    plan.service().others = Latency::constant_ms(1);
    plan.slow_steps.clear();
    plan.script = vec![dials("alice", "bob", "c1", ONLINE_MS), answers("bob", 0)];
    plan.talk_ms = 100;
    plan.budget_ms = 5_000;
    plan.horizon_ms = 30_000;
    plan.order = Some(Order {
        free: Vec::new(),
        quiet_ms: QUIET_MS,
        choices: Vec::new(),
        part: Part::WHOLE,
        repeats: Repeats::CutOff,
    });
    awaiting(plan, "*", free)
}

/// Makes `steps` of `host` wait for their turn too.
fn awaiting(mut plan: Plan, host: &str, steps: &[&str]) -> Plan {
    if let Some(order) = &mut plan.order {
        order.free.extend(steps.iter().map(|step| Free {
            host: host.to_owned(),
            step: (*step).to_owned(),
        }));
    }
    plan
}

/// Makes the server keep the order of each sender's messages.
fn in_order(mut plan: Plan) -> Plan {
    plan.service().ordering = signaling::Ordering::InOrder;
    plan
}

/// Makes each of `hosts` hang up at some time after the ringing starts.
fn hung_up_by(hosts: &[&str], mut plan: Plan) -> Plan {
    let hangup = |host: &&str| freely(host, RINGING_MS, hangs_up("c1"));
    plan.script.extend(hosts.iter().map(hangup));
    plan
}

/// Makes alice retry at some time.
fn retried(mut plan: Plan) -> Plan {
    let call = "c1".to_owned();
    plan.script.push(freely("alice", RINGING_MS, Act::Retry { call }));
    plan
}

/// Makes alice dial at any time, also before she is online, and hang up at any time after it.
fn dialed_freely(mut plan: Plan) -> Plan {
    plan.script.retain(|s| s.host != "alice");
    let dial = dials("alice", "bob", "c1", ONLINE_MS);
    plan.script.push(freely("alice", 0, dial.act));
    plan.script.push(freely("alice", 0, hangs_up("c1")));
    plan
}

/// Makes alice hang up at some time and then dial again.
fn redialed(mut plan: Plan) -> Plan {
    plan.script.push(freely("alice", RINGING_MS, hangs_up("c1")));
    let again = dials("alice", "bob", "c2", RINGING_MS);
    plan.script.push(freely("alice", RINGING_MS, again.act));
    plan
}

fn hangs_up(call: &str) -> Act {
    Act::Hangup { call: call.into() }
}

/// Returns an act of the user at `host` at any time that the order allows.
fn freely(host: &str, from_ms: u64, act: Act) -> Scripted {
    Scripted {
        host: host.into(),
        when: When::Free { from_ms },
        act,
    }
}
