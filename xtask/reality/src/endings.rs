//! Cases of how calls end: hung up by the caller again and again, closed while a server is silent, or lost when a NAT forgets; and of
//! how they go on, by a restart.

use sleet::fault::{
    Directions, Fault, FaultKind, Target, ice_server_down, kinds::NatRebind, kinds::NatReboot,
    network_switch, partition,
};

use crate::{
    cases::{Case, DIALS_MS, Hangups, Shape, Story},
    nat::Translation,
    world::Network,
};

/// How long after the last hangup it is looked what is left, in milliseconds: longer than a request to a TURN server is repeated.
const SETTLE_MS: u64 = 12_000;
/// How long after a NAT has started again a call is watched, in milliseconds: longer than ICE takes to say *failed*.
const WATCHED_MS: u64 = 40_000;
/// When it starts again, in milliseconds from dialing on: the call has connected.
const REBOOTS_MS: u64 = 4_000;
/// The caller restarts ICE a second after that.
const RESTARTS: Story = Story::Restarts {
    at_ms: REBOOTS_MS + 1_000,
    within_ms: 10_000,
};
/// After how many seconds of silence the NATs of `binding/…` forget.
const FORGETS_S: u64 = 10;

/// Every case.
pub fn all() -> Vec<Case> {
    let mut all = hangups();
    all.extend(slow_closes());
    all.extend(reboots());
    all.extend(bindings());
    all.extend(switches());
    all.extend(restarts());
    all
}

/// Rapid dial and hangup: four calls in a row on the same two phones, each hung up at a drawn moment.
fn hangups() -> Vec<Case> {
    let round = |most| {
        Story::HungUp(Hangups {
            calls: 4,
            after_ms: (0, most),
            settle_ms: SETTLE_MS,
        })
    };
    let shape = |most, turn| Shape {
        turn,
        story: round(most),
        ..Shape::default()
    };
    let symmetric = Shape {
        gates: [Translation::FullyRandom; 2],
        ..shape(4_000, true)
    };
    let dead = Shape {
        faults: vec![ice_server_down("stun", 0, None)],
        ..shape(3_000, true)
    };
    let round_of = |name, about, shape| Case {
        real: 100,
        ..Case::new(name, about, shape)
    };
    vec![
        round_of(
            "hangup/direct",
            "hung up within 3 s, four times",
            shape(3_000, false),
        ),
        round_of("hangup/relay", "the same, with a TURN server", shape(3_000, true)),
        round_of(
            "hangup/gathering",
            "hung up within 0.1 s, with a TURN server",
            shape(100, true),
        ),
        round_of(
            "hangup/relayed",
            "hung up within 4 s, and only the TURN server connects",
            symmetric,
        ),
        round_of(
            "hangup/dead-turn",
            "the TURN server is dead from the beginning",
            dead,
        ),
    ]
}

/// Finding 0013: the TURN server's network goes dark, the callee picks up, and the caller hangs up.
fn slow_closes() -> Vec<Case> {
    let closes = |after: u64| {
        let shape = Shape {
            turn: true,
            slow: Vec::new(),
            ring_ms: 2_000,
            faults: vec![partition(
                "stun",
                Directions::Both,
                DIALS_MS + 1_500,
                DIALS_MS + 120_000,
            )],
            story: Story::HungUp(Hangups {
                calls: 1,
                after_ms: (after, after),
                settle_ms: 25_000,
            }),
            ..Shape::default()
        };
        let about = "the TURN server falls silent 1.5 s after dialing, the callee picks up after 2 s, the caller hangs up after so many ms";
        Case::new(format!("slow-close/{after}"), about, shape).few()
    };
    [1_000, 1_800, 2_500, 4_000, 8_000]
        .into_iter()
        .map(closes)
        .collect()
}

/// Finding 0009: the caller's NAT starts again while they talk. The callee is behind nothing.
fn reboots() -> Vec<Case> {
    let again = |kind: FaultKind, callee| Shape {
        gates: [Translation::Masquerade, callee],
        slow: Vec::new(),
        faults: vec![Fault::new(
            Target::Nat("a".to_owned()),
            kind,
            DIALS_MS + REBOOTS_MS,
            None,
        )],
        story: Story::Lasts { ms: WATCHED_MS },
        ..Shape::default()
    };
    let (open, strict) = (Translation::Open, Translation::Masquerade);
    vec![
        Case::new(
            "nat-reboot/ports-stay",
            "the caller's NAT starts again and preserves ports",
            again(NatReboot {}.into(), open),
        ),
        Case::new(
            "nat-reboot/ports-move",
            "the same, and the next packets get other ports",
            again(NatRebind {}.into(), open),
        ),
        Case::new(
            "nat-reboot/both-filter",
            "the same, and the callee is behind a NAT too",
            again(NatRebind {}.into(), strict),
        ),
    ]
    .into_iter()
    .map(Case::few)
    .collect()
}

/// Restarts of ICE: on paths that are there, and as the remedy of finding 0009 after the caller's NAT started again.
fn restarts() -> Vec<Case> {
    let restarted = |faults| Shape {
        slow: Vec::new(),
        faults,
        story: RESTARTS,
        ..Shape::default()
    };
    let moves = Fault::new(
        Target::Nat("a".to_owned()),
        NatRebind {},
        DIALS_MS + REBOOTS_MS,
        None,
    );
    vec![
        Case::new(
            "restart/plain",
            "the caller restarts ICE while they talk",
            restarted(Vec::new()),
        ),
        Case::new(
            "restart/ports-move",
            "the caller's NAT gives other ports, and a second later the caller restarts ICE",
            restarted(vec![moves]),
        ),
    ]
}

/// The caller's machine leaves one network and goes on over another, behind the same NAT, while they talk.
fn switches() -> Vec<Case> {
    let [first, second] = [Network::First, Network::Second].map(Network::interface);
    let switched = |story| Shape {
        slow: Vec::new(),
        faults: vec![network_switch("alice", first, second, DIALS_MS + REBOOTS_MS)],
        story,
        ..Shape::default()
    };
    vec![
        Case::new(
            "switch/left",
            "the caller's machine changes networks, and the app does nothing",
            switched(Story::Lasts { ms: WATCHED_MS }),
        )
        .few(),
        Case::new(
            "switch/restart",
            "the same, and a second later the caller restarts ICE",
            switched(RESTARTS),
        ),
        Case::new(
            "switch/no-server",
            "the same without a STUN server; the callee is behind nothing",
            Shape {
                gates: [Translation::Masquerade, Translation::Open],
                stun: false,
                ..switched(RESTARTS)
            },
        ),
    ]
}

/// Finding 0010: NATs that give every mapping a port of its own and forget a silent one, and a callee who takes their time.
fn bindings() -> Vec<Case> {
    let rings = |ms: u64| {
        let shape = Shape {
            gates: [Translation::OwnPorts { forgets_s: FORGETS_S }; 2],
            slow: Vec::new(),
            ring_ms: ms,
            budget_ms: ms + 6_000,
            ..Shape::default()
        };
        let about = "NATs forget a silent port after 10 s, and the callee picks up after so many ms";
        Case::new(format!("binding/{ms}"), about, shape).few().crowded()
    };
    [5_000, 9_000, 9_500, 10_500, 11_000, 15_000]
        .into_iter()
        .map(rings)
        .collect()
}
