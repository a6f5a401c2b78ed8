//! Story B: users dial and hang up quickly, in groups, at each other and at who is busy.
//!
//! The fixed client holds everything in every scene; each broken client is judged by the oracle that names its
//! mistake alone, in a scene in which the mistake can show.

mod scenes;
mod stage;
mod story;

use sleet::{
    fault::Plan,
    oracle::{
        Oracle,
        after::{DEAD, QUIET},
        candidates::{APPLIED, OWN_GENERATION},
        connection::COMPUTED,
        events::NEWS,
        factory::AS_LONG_AS_CALLS,
        hangup::{CLOSED_FIRST, CLOSED_ONCE, RETURNS},
        ice::EDGES,
        outcomes::{AGREED, GOES_ON},
        peers::{CLOSES, NOTHING_LEFT, STACK_ENDS},
        ringing::CALLED,
        signaling::TURNS,
    },
    peer::PeerKind,
    scenario::{Kind, Known, Scenario},
    seed::Seed,
    trace::Point,
};

use crate::phone::{Make, Mistake};

/// Seeds that it takes to judge marks and demonstrations.
const ENOUGH: u64 = 200;

/// What the fixed client holds whatever the stack does.
const ITS_OWN: [&Oracle; 14] = [
    &AGREED,
    &GOES_ON,
    &QUIET,
    &DEAD,
    &CALLED,
    &AS_LONG_AS_CALLS,
    &RETURNS,
    &CLOSED_ONCE,
    &APPLIED,
    &OWN_GENERATION,
    &EDGES,
    &COMPUTED,
    &TURNS,
    &NEWS,
];

/// What it holds because the stack closes in time and completely: not where there is a TURN server, nor in a handshake
/// (docs/findings/0011 to 0013).
const WITH_THE_STACK: [&Oracle; 3] = [&CLOSED_FIRST, &CLOSES, &NOTHING_LEFT];

/// The scenarios of the family.
pub fn family() -> Vec<Scenario> {
    let everywhere = [&scenes::CALLER[..], &scenes::CALLEE].concat();
    let mut all = vec![
        fixed("rapid", PeerKind::Bare, scenes::rapid)
            .about("Dialed, hung up at every point of a call's life at either end, and dialed again within milliseconds.")
            .reaches(&hangups_at(&everywhere), ENOUGH),
        fixed("rapid-full", PeerKind::Full, scenes::rapid)
            .about("The same with peer connections instead of bare agents. One that is closed in its handshake leaves it behind (finding 0011).")
            .from("docs/findings/0011-closed-in-handshake.md")
            .reaches(&hangups_at(&everywhere), ENOUGH),
        fixed("impatient", PeerKind::Bare, scenes::impatient)
            .about("Dialed and hung up again and again before anything can come of it; the last call is let live.")
            .reaches(&hangups_at(&scenes::EARLY), ENOUGH),
        fixed("three-networks", PeerKind::Bare, scenes::rapid_on_three_networks)
            .about("The same from a phone that gathers three candidates: the stack has callbacks waiting when it is closed.")
            .from("docs/hazards.md#3-closing-inside-a-callback")
            .reaches(&hangups_at(&[Point::OnCandidate]), ENOUGH),
        fixed("on-the-move", PeerKind::Bare, scenes::on_the_move)
            .about("The same from a phone that leaves its Wi-Fi for cellular, before the call, in it or after it.")
            .from("docs/hazards.md#the-phone-moves")
            .reaches(&["network-switch-hit", "signaling-reconnected"], ENOUGH),
        fixed("glare", PeerKind::Bare, scenes::glare)
            .about("Two dial each other: the larger call id wins, and whoever yields picks up.")
            .reaches(&["glare"], ENOUGH),
        fixed("busy", PeerKind::Bare, scenes::busy)
            .about("A third caller is told that the line is busy, and the call that is there is not harmed.")
            .reaches(&["told-busy"], ENOUGH),
        fixed("groups", PeerKind::Bare, scenes::groups)
            .about("Two groups of calls that overlap are dialed and hung up, each as one.")
            .reaches(&["dialed-again"], ENOUGH),
        fixed("asleep", PeerKind::Bare, scenes::asleep)
            .about("The callee is asleep, and the caller may have gone when the push wakes it.")
            .reaches(&["push-woke-callee", "told-that-the-call-is-over"], ENOUGH),
        fixed("recovering", PeerKind::Bare, scenes::recovering)
            .about("The network goes dark, attempts fail and are made anew, and users hang up meanwhile.")
            .reaches(&hangups_at(&scenes::FAILING), ENOUGH),
    ];
    all.push(relayed());
    all.extend(Mistake::ALL.map(broken));
    all.push(hangup_while_gathering("hangup-while-gathering", PeerKind::Full));
    all.push(hangup_while_gathering(
        "hangup-while-gathering-bare",
        PeerKind::Bare,
    ));
    all.push(turn_falls_silent("close-waits-for-turn", PeerKind::Full));
    all.push(turn_falls_silent("close-waits-for-turn-bare", PeerKind::Bare));
    all
}

/// With a TURN server, what the stack leaves behind is not the client's.
fn relayed() -> Scenario {
    let make = Make {
        peers: PeerKind::Bare,
        mistake: None,
    };
    scenario(Kind::Promise, "relayed", make, scenes::relayed)
        .about("As rapid, with a TURN server: a hangup returns even where the stack does not, and may leave an allocation.")
        .from("docs/findings/0012-hangup-while-gathering.md")
        .from("docs/findings/0013-close-waits-for-turn.md")
        .holds(&ITS_OWN)
        .except_where(&NOTHING_LEFT, allocation_may_stay)
        .reaches(&hangups_at(&[Point::OnCandidate]), ENOUGH)
}

/// A defect of the stack, which the fixed client survives: its hangup returns before the stack has closed.
fn turn_falls_silent(name: &str, peers: PeerKind) -> Scenario {
    let make = Make { peers, mistake: None };
    let story = move |sim, plan| story::play(sim, plan, make);
    Scenario::new(
        Kind::Finding,
        &format!("findings/{name}"),
        scenes::turn_falls_silent,
        story,
    )
    .about("The TURN server has fallen silent when the caller hangs up: closing takes seconds.")
    .from("docs/findings/0013-close-waits-for-turn.md")
    .from("docs/hazards.md#17-a-turn-server-that-is-dead")
    .holds(&ITS_OWN)
    .trips(&CLOSES, 1)
    .reaches(&["hangup-did-not-wait"], 1)
}

/// A defect of the stack that no client can prevent, which shows on every seed.
fn hangup_while_gathering(name: &str, peers: PeerKind) -> Scenario {
    let make = Make { peers, mistake: None };
    let story = move |sim, plan| story::play(sim, plan, make);
    Scenario::new(
        Kind::Finding,
        &format!("findings/{name}"),
        scenes::hung_up_while_gathering,
        story,
    )
    .about("The caller hangs up while its TURN allocation is under way: nobody releases it.")
    .from("docs/findings/0012-hangup-while-gathering.md")
    .from("docs/hazards.md#1-hangup-while-gathering")
    .from("RFC 8656 section 8")
    .holds(&ITS_OWN)
    .trips(&NOTHING_LEFT, 1)
}

/// Whether a hangup at a bad time leaves an allocation on a server of `plan`.
fn allocation_may_stay(plan: &Plan) -> Option<Known> {
    let relays = plan.ice_servers.iter().any(|s| s.turn);
    relays.then_some(Known {
        oracle: NOTHING_LEFT.id,
        always: false,
    })
}

/// The marks of hangups at `points`.
fn hangups_at(points: &[Point]) -> Vec<String> {
    let mut marks: Vec<String> = points.iter().map(|p| format!("hangup-at-{p}")).collect();
    marks.sort_unstable();
    marks.dedup();
    marks
}

fn fixed(name: &str, peers: PeerKind, scene: fn(Seed) -> Plan) -> Scenario {
    scenario(Kind::Promise, name, Make { peers, mistake: None }, scene)
        .holds(&ITS_OWN)
        .holds(&WITH_THE_STACK)
        .holds(match peers {
            PeerKind::Bare => &[&STACK_ENDS],
            PeerKind::Full => &[],
        })
}

fn broken(mistake: Mistake) -> Scenario {
    let (scene, oracle, about): (fn(Seed) -> Plan, &'static Oracle, &str) = caught(mistake);
    let make = Make {
        peers: PeerKind::Bare,
        mistake: Some(mistake),
    };
    scenario(Kind::Demonstration, mistake.name(), make, scene)
        .about(about)
        .in_mistakes(mistake.name())
        .trips_first(oracle, ENOUGH)
}

/// Where a mistake shows, and by which oracle.
fn caught(mistake: Mistake) -> (fn(Seed) -> Plan, &'static Oracle, &'static str) {
    let (rapid, impatient) = (scenes::rapid, scenes::impatient);
    match mistake {
        Mistake::PeerOnResponse => (
            impatient,
            &DEAD,
            "The caller makes its peer when the response to its dial arrives: after a hangup, for a call that is over.",
        ),
        Mistake::CallbacksGoOn => (rapid, &QUIET, "What a callback began goes on after the hangup."),
        Mistake::LateClose => (
            rapid,
            &CLOSED_FIRST,
            "The peer is closed after the hangup has returned.",
        ),
        Mistake::StreamsStay => (
            rapid,
            &NOTHING_LEFT,
            "The streams of a call stay after its hangup.",
        ),
        Mistake::FactoryPerGroup => (
            scenes::groups,
            &AS_LONG_AS_CALLS,
            "The end of a group releases the factory, though calls of another group live.",
        ),
        Mistake::SharedCounter => (
            scenes::groups,
            &RETURNS,
            "Groups share the counter of the calls that they wait for: one overwrites it, and the other waits for ever.",
        ),
        Mistake::QueueKept => (
            impatient,
            &QUIET,
            "Messages that wait to be sent are sent after the hangup.",
        ),
        Mistake::HangupCleared => (
            rapid,
            &AGREED,
            "The hangup is cleared away with what else waited to be sent: the other end goes on alone.",
        ),
        Mistake::HangupWaits => (
            impatient,
            &RETURNS,
            "A hangup waits for the answer to what was offered.",
        ),
        Mistake::DoubleClose => (rapid, &CLOSED_ONCE, "The peer is closed twice."),
        Mistake::CloseInCallback => (
            scenes::rapid_on_three_networks,
            &CLOSES,
            "A hangup while candidates are gathered closes the peer inside the stack's callback, which never returns.",
        ),
        Mistake::AnswersTheDead => (
            rapid,
            &DEAD,
            "The user picks up a call that is over, and the app answers.",
        ),
        Mistake::StateByNumber => (
            scenes::recovering,
            &GOES_ON,
            "ICE `failed` has the number of the peer connection's `closed`: the app thinks that the call is over.",
        ),
        Mistake::CandidatesByUser => (
            rapid,
            &OWN_GENERATION,
            "Candidates are kept by user: those of an old call are fed to the next one.",
        ),
        Mistake::EarlyHangupForgotten => (
            impatient,
            &CALLED,
            "A hangup that overtakes its call is forgotten, and the phone rings for nobody.",
        ),
        Mistake::NoRecovery => (
            scenes::recovering,
            &GOES_ON,
            "An attempt that comes to nothing is the end of the call, though nobody hung up.",
        ),
    }
}

fn scenario(kind: Kind, name: &str, make: Make, scene: fn(Seed) -> Plan) -> Scenario {
    let story = move |sim, plan| story::play(sim, plan, make);
    Scenario::new(kind, &format!("calls/{name}"), scene, story)
        .from("docs/stories.md#b-rapid-dial-and-hangup")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use sleet::run;

    use super::*;

    #[test]
    fn hangups_are_drawn_at_every_point_of_a_call() {
        let drawn = [&scenes::CALLER[..], &scenes::CALLEE, &scenes::FAILING].concat();
        for point in Point::ALL {
            assert!(drawn.contains(&point), "nobody hangs up at {point}");
        }
    }

    #[test]
    fn every_act_can_be_left_out_of_a_script_by_itself() {
        let promises = family().into_iter().filter(|s| s.kind == Kind::Promise);
        for scenario in promises.map(Arc::new) {
            let seed = Seed(11);
            let plan = scenario.draw(seed);
            for left_out in 0..plan.script.len() {
                let mut shorter = plan.clone();
                shorter.script.remove(left_out);
                assert_eq!(shorter.check(), Ok(()), "{}", scenario.name);
                let record = run::execute_plan(&scenario, seed, Arc::new(shorter)).expect("a run");
                let broken = record
                    .failure()
                    .map(|(id, _)| id)
                    .filter(|id| record.known != Some(id));
                assert_eq!(broken, None, "{} without act {left_out}", scenario.name);
            }
        }
    }

    #[test]
    fn a_client_without_a_mistake_is_not_caught_where_a_broken_one_is() {
        for mistake in [
            Mistake::FactoryPerGroup,
            Mistake::LateClose,
            Mistake::StateByNumber,
        ] {
            let (scene, oracle, _) = caught(mistake);
            let [fixed, broken] = [None, Some(mistake)].map(|mistake| {
                let make = Make {
                    peers: PeerKind::Bare,
                    mistake,
                };
                let scenario = scenario(Kind::Promise, "judged", make, scene).holds(&[oracle]);
                let record = run::execute(&Arc::new(scenario), Seed(0)).expect("a run");
                record.failure().map(|(id, _)| id)
            });
            assert_eq!((fixed, broken), (None, Some(oracle.id)), "{}", mistake.name());
        }
    }
}
