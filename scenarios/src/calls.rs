//! Story B: users dial and hang up quickly, in groups, at each other, and dial users who are busy.
//!
//! The fixed client passes every oracle in every plan; each broken client is judged only by the oracle that names its
//! mistake, in a plan in which the mistake can show.

mod caught;
pub(crate) mod forked;
pub(crate) mod meetings;
pub(crate) mod plans;
mod setup;

use sleet::{peer::PeerKind, prelude::*, trace::Point};

use crate::{
    client::{Make, Policy},
    defects,
    fixture::{self, KEPT},
};

/// The number of seeds needed to judge marks and demonstrations.
const ENOUGH: u64 = 200;

/// What it holds because the stack closes in time and completely; where it does not is in [`defects`].
const WITH_THE_STACK: [&Oracle; 3] = [&TEAR_04_CLOSED_FIRST, &TEAR_01_CLOSES, &TEAR_02_NOTHING_LEFT];

/// Returns the scenarios of the family.
pub fn family() -> Vec<Scenario> {
    let everywhere = [&plans::CALLER[..], &plans::CALLEE].concat();
    let mut all = vec![
        fixed("rapid", PeerKind::Bare, plans::rapid)
            .about("Dialed, hung up at every point of a call's life at either end, and dialed again within milliseconds.")
            .reaches(&hangups_at(&everywhere), ENOUGH)
            .reaches(&["candidate-of-another-call"], ENOUGH),
        fixed("rapid-full", PeerKind::Full, plans::rapid)
            .about("The same with peer connections instead of bare agents. One that is closed in its handshake leaves it behind (finding 0011).")
            .from("docs/findings/0011-closed-in-handshake.md")
            .reaches(&hangups_at(&everywhere), ENOUGH),
        fixed("impatient", PeerKind::Bare, plans::impatient)
            .about("Dialed and hung up again and again before anything can come of it; the last call is let live.")
            .reaches(&hangups_at(&plans::EARLY), ENOUGH),
        fixed("three-networks", PeerKind::Bare, plans::rapid_on_three_networks)
            .about("The same from a phone that gathers three candidates: the stack has callbacks waiting when it is closed.")
            .from("docs/hazards.md#3-closing-inside-a-callback")
            .reaches(&hangups_at(&[Point::OnCandidate]), ENOUGH),
        fixed("on-the-move", PeerKind::Bare, plans::on_the_move)
            .about("The same from a phone that leaves its Wi-Fi for cellular, before the call, in it or after it.")
            .from("docs/hazards.md#the-phone-moves")
            .reaches(&["network-switch-hit", "signaling-reconnected"], ENOUGH),
        fixed("glare", PeerKind::Bare, meetings::glare)
            .about("Two dial each other: the larger call id wins, and whoever yields picks up.")
            .reaches(&["glare"], ENOUGH),
        fixed("busy", PeerKind::Bare, meetings::busy)
            .about("A third caller is told that the line is busy, and the call that is there is not harmed.")
            .reaches(&["told-busy"], ENOUGH),
        fixed("recall", PeerKind::Bare, meetings::recall)
            .about("Who is in a call dials the other end again, without hanging up: the new call takes the place of the old.")
            .reaches(&["dialed-again"], ENOUGH),
        fixed("groups", PeerKind::Bare, plans::groups)
            .about("Two groups of calls that overlap are dialed and hung up, each as one.")
            .reaches(&["dialed-again"], ENOUGH),
        fixed("asleep", PeerKind::Bare, plans::asleep)
            .about("The callee is asleep, and the caller may have gone when the push wakes it.")
            .reaches(&["push-woke-callee", "told-that-the-call-is-over"], ENOUGH),
        fixed("recovering", PeerKind::Bare, plans::recovering)
            .about("The network goes dark, attempts fail and are made anew, and users hang up meanwhile.")
            .reaches(&hangups_at(&plans::FAILING), ENOUGH),
    ];
    all.push(
        played(
            Kind::Demonstration,
            "unknown-act",
            Policy::FIXED.bare(),
            plans::unknown_act,
        )
        .about("The script asks for something that the app cannot do: an error of the run, not a silent nothing.")
        .expects(Expectation::broken(&RUN_03_PLAYED, 1)),
    );
    all.push(relayed(Policy::FIXED.bare()));
    all.extend(on_several_devices());
    all.extend(caught::family());
    all.push(hangup_while_gathering("hangup-while-gathering", PeerKind::Full));
    all.push(hangup_while_gathering(
        "hangup-while-gathering-bare",
        PeerKind::Bare,
    ));
    all.push(turn_falls_silent("close-waits-for-turn", PeerKind::Full));
    all.push(turn_falls_silent("close-waits-for-turn-bare", PeerKind::Bare));
    all.push(permission_unanswered());
    all
}

/// Returns the scenarios of calls to a user with several devices: one device gets the call.
fn on_several_devices() -> Vec<Scenario> {
    let all = vec![
        fixed("forked-answered", PeerKind::Bare, forked::answered)
            .about("A call rings on all devices of whom it is to; who picks up on one has it there, and the others fall silent.")
            .reaches(&["answered-elsewhere", "picked-up-twice"], ENOUGH),
        fixed("forked-answered-full", PeerKind::Full, forked::answered)
            .about("The same with peer connections instead of bare agents.")
            .reaches(&["answered-elsewhere", "picked-up-twice"], ENOUGH),
        fixed("forked-declined", PeerKind::Bare, forked::declined)
            .about("A call that is refused on one device is refused on all, even if it is picked up on another at that time.")
            .reaches(&["refused-elsewhere"], ENOUGH),
        fixed("forked-cancelled", PeerKind::Bare, forked::cancelled)
            .about("The caller hangs up while all devices ring, and dials again.")
            .reaches(&["cancelled-on-all"], ENOUGH),
        fixed("forked-one-is-off", PeerKind::Bare, forked::one_is_off)
            .about("One device is off, or crashes while it rings: the call is picked up on another.")
            .reaches(&["answered-without-one", "client-crash-hit"], ENOUGH),
        fixed("forked-one-is-busy", PeerKind::Bare, forked::one_is_busy)
            .about("One device is busy with another call: the others ring all the same.")
            .reaches(&["busy-on-one-device"], ENOUGH),
    ];
    let cited = |s: Scenario| s.from("docs/hazards.md#several-devices");
    all.into_iter().map(cited).collect()
}

/// With a TURN server, where the stack leaves behind what is not the client's.
fn relayed(app: Make) -> Scenario {
    let scenario = played(Kind::Promise, "relayed", app, plans::relayed)
        .about("As rapid, with a TURN server: a hangup returns even where the stack does not, and may leave an allocation.")
        .from("docs/findings/0012-hangup-while-gathering.md")
        .from("docs/findings/0013-close-waits-for-turn.md")
        .holds(&KEPT)
        .holds(&WITH_THE_STACK)
        .holds(&[&TEAR_05_STACK_ENDS])
        .reaches(&hangups_at(&[Point::OnCandidate]), ENOUGH);
    defects::of_relays(scenario)
}

/// The same, as the wire shows it: what was asked for in vain is taken for granted.
fn permission_unanswered() -> Scenario {
    let name = "findings/permission-unanswered-bare";
    fixture::played(Kind::Finding, name, plans::turn_falls_silent, Policy::FIXED.bare())
        .about("The TURN server has fallen silent: a client that has asked for a permission in vain sends all the same.")
        .from("docs/findings/0013-close-waits-for-turn.md")
        .from("RFC 8656 section 11.1")
        .holds(&KEPT)
        .expects(Expectation::broken(&TURN_01_PERMITTED, 1))
}

/// A defect of the stack, which the fixed client survives: its hangup returns before the stack has closed.
fn turn_falls_silent(name: &str, peers: PeerKind) -> Scenario {
    let name = format!("findings/{name}");
    fixture::played(
        Kind::Finding,
        &name,
        plans::turn_falls_silent,
        Policy::FIXED.on(peers),
    )
    .about("The TURN server has fallen silent when the caller hangs up: closing takes seconds.")
    .from("docs/findings/0013-close-waits-for-turn.md")
    .from("docs/hazards.md#17-a-turn-server-that-is-dead")
    .holds(&KEPT)
    .expects(Expectation::broken(&TEAR_01_CLOSES, 1))
    .reaches(&["hangup-did-not-wait"], 1)
}

/// A defect of the stack that no client can prevent, which shows on every seed.
fn hangup_while_gathering(name: &str, peers: PeerKind) -> Scenario {
    let name = format!("findings/{name}");
    fixture::played(
        Kind::Finding,
        &name,
        plans::hung_up_while_gathering,
        Policy::FIXED.on(peers),
    )
    .about("The caller hangs up while its TURN allocation is under way: nobody releases it.")
    .from("docs/findings/0012-hangup-while-gathering.md")
    .from("docs/hazards.md#1-hangup-while-gathering")
    .from("RFC 8656 section 8")
    .holds(&KEPT)
    .expects(Expectation::broken(&TEAR_02_NOTHING_LEFT, 1))
}

/// Returns the marks of hangups at `points`.
fn hangups_at(points: &[Point]) -> Vec<String> {
    let mut marks: Vec<String> = points.iter().map(|p| format!("hangup-at-{p}")).collect();
    marks.sort_unstable();
    marks.dedup();
    marks
}

fn fixed(name: &str, peers: PeerKind, plan: fn(Seed) -> Plan) -> Scenario {
    let scenario = played(Kind::Promise, name, Policy::FIXED.on(peers), plan)
        .holds(&KEPT)
        .holds(&WITH_THE_STACK)
        .holds(&[&TEAR_05_STACK_ENDS]);
    match peers {
        PeerKind::Bare => scenario,
        PeerKind::Full | PeerKind::Audio => defects::of_full_peers(scenario),
    }
}

fn played(kind: Kind, name: &str, make: Make, plan: fn(Seed) -> Plan) -> Scenario {
    fixture::played(kind, &format!("calls/{name}"), plan, make)
        .from("docs/stories.md#b-rapid-dial-and-hangup")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use sleet::run::{Runner, summary::unexpected};

    use super::*;
    use crate::client::mistake::Mistake;

    #[test]
    fn hangups_are_drawn_at_every_point_of_a_call() {
        let drawn = [&plans::CALLER[..], &plans::CALLEE, &plans::FAILING].concat();
        for point in Point::ALL {
            assert!(drawn.contains(&point), "nobody hangs up at {point}");
        }
    }

    /// How many of a few runs of `calls/relayed` with `app` are not as they must be.
    fn unexpected_when_relayed(app: Make) -> usize {
        let scenario = Arc::new(relayed(app));
        let runs = (0..16).map(|seed| Runner::new(&scenario, Seed(seed)).run().expect("a run").result());
        runs.filter(|run| unexpected(&scenario, run)).count()
    }

    #[test]
    fn what_a_client_leaves_behind_is_not_taken_for_what_the_stack_does() {
        assert_eq!(unexpected_when_relayed(Policy::FIXED.bare()), 0);
        assert!(unexpected_when_relayed(Policy::FIXED.bare().making(Mistake::StreamsStay)) > 0);
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
                let record = Runner::new(&scenario, seed)
                    .with_plan(shorter)
                    .run()
                    .expect("a run");
                let broken = record
                    .failure()
                    .map(|(id, _)| id)
                    .filter(|id| record.known != Some(id));
                assert_eq!(broken, None, "{} without act {left_out}", scenario.name);
            }
        }
    }
}
