//! Broken clients: each makes one mistake, in a plan in which it can show, and is caught by the oracle that names it.

use sleet::{prelude::*, trace::CallOutcome};

use super::{ENOUGH, forked, meetings, plans, played};
use crate::client::{
    Make, Mistake, Policy,
    mistake::{ActKind, Wrong},
};

/// A mistake that is caught: the plan, the oracle, and a description.
type Caught = (fn(Seed) -> Plan, &'static Oracle, &'static str);

/// Returns a scenario for each mistake.
pub(super) fn family() -> Vec<Scenario> {
    let own = Mistake::OWN.into_iter();
    own.chain(Mistake::acts())
        .chain(Mistake::claims())
        .map(broken)
        .collect()
}

fn broken(mistake: Mistake) -> Scenario {
    let (plan, oracle, about) = caught(mistake);
    let name = mistake.to_string();
    played(Kind::Demonstration, &name, made(mistake).making(mistake), plan)
        .about(about)
        .fills(Row::Mistake(name))
        .expects(Expectation::broken(oracle, ENOUGH).among_others())
}

/// Returns the app that makes `mistake`, without it.
fn made(mistake: Mistake) -> Make {
    match mistake {
        Mistake::Mute => Policy::FIXED.audio(),
        _ => Policy::FIXED.bare(),
    }
}

fn caught(mistake: Mistake) -> Caught {
    match mistake {
        Mistake::Act { act, how } => wrong_act(act, how),
        Mistake::Claims(outcome) => claim(outcome),
        own => own_mistake(own),
    }
}

/// Returns the plan and the oracle for an act of a user that is done wrongly.
fn wrong_act(act: ActKind, how: Wrong) -> Caught {
    let plan: fn(Seed) -> Plan = match act {
        ActKind::DialGroup | ActKind::HangUpGroup => plans::groups_when_calm,
        ActKind::DialUser => forked::cancelled_when_calm,
        ActKind::Retry => meetings::retrying,
        ActKind::Reject => meetings::rejecting,
        ActKind::Dial | ActKind::Accept | ActKind::HangUp => meetings::three_people,
    };
    match how {
        Wrong::Ignored => (plan, &INT_01_HEEDED, "What a user wants is not done."),
        Wrong::Late => (
            plan,
            &INT_01_HEEDED,
            "What a user wants is done three and a half seconds later.",
        ),
        Wrong::Elsewhere if matches!(act, ActKind::Dial | ActKind::DialGroup | ActKind::DialUser) => (
            plan,
            &RING_01_CALLED,
            "Somebody else is called than the user wanted.",
        ),
        Wrong::Elsewhere => (
            plan,
            &INT_01_HEEDED,
            "What a user wants is done to another call, or to somebody else.",
        ),
        Wrong::Twice => match act {
            ActKind::Dial | ActKind::DialGroup | ActKind::DialUser => (
                plan,
                &RING_01_CALLED,
                "Who is dialed once is called twice: a phone rings for nobody.",
            ),
            _ => (
                plan,
                &SAID_01_ONCE,
                "What a user wants once is done a second time.",
            ),
        },
    }
}

/// Returns the plan and the oracle for an outcome without a cause.
fn claim(outcome: CallOutcome) -> Caught {
    let plan: fn(Seed) -> Plan = match outcome {
        CallOutcome::Failed => plans::recovering,
        CallOutcome::Elsewhere => forked::answered_when_calm,
        _ => meetings::three_people,
    };
    (
        plan,
        &CALL_04_CAUSED,
        "A call ends by itself, and the app gives its end a name.",
    )
}

/// Returns the plan and the oracle for a mistake of the app itself.
fn own_mistake(mistake: Mistake) -> Caught {
    let (rapid, impatient) = (plans::rapid, plans::impatient);
    match mistake {
        Mistake::PeerOnResponse => (
            impatient,
            &CALL_03_DEAD,
            "The caller makes its peer when the response to its dial arrives: after a hangup, for a call that is over.",
        ),
        Mistake::CallbacksGoOn => (
            rapid,
            &CALL_02_QUIET,
            "What a callback began goes on after the hangup.",
        ),
        Mistake::LateClose => (
            rapid,
            &TEAR_04_CLOSED_FIRST,
            "The peer is closed after the hangup has returned.",
        ),
        Mistake::StreamsStay => (
            rapid,
            &TEAR_02_NOTHING_LEFT,
            "The streams of a call stay after its hangup.",
        ),
        Mistake::FactoryPerGroup => (
            plans::groups,
            &FACT_01_AS_LONG_AS_CALLS,
            "The end of a group releases the factory, though calls of another group live.",
        ),
        Mistake::SharedCounter => (
            plans::groups,
            &HANG_01_RETURNS,
            "Groups share the counter of the calls that they wait for: one overwrites it, and the other waits for ever.",
        ),
        Mistake::QueueKept => (
            impatient,
            &CALL_02_QUIET,
            "Messages that wait to be sent are sent after the hangup.",
        ),
        Mistake::HangupCleared => (
            rapid,
            &CALL_01_AGREED,
            "The hangup is cleared away with what else waited to be sent: the other end goes on alone.",
        ),
        Mistake::HangupWaits => (
            impatient,
            &HANG_01_RETURNS,
            "A hangup waits for the answer to what was offered.",
        ),
        Mistake::DoubleClose => (rapid, &TEAR_03_CLOSED_ONCE, "The peer is closed twice."),
        Mistake::CloseInCallback => (
            plans::rapid_on_three_networks,
            &TEAR_01_CLOSES,
            "A hangup while candidates are gathered closes the peer inside the stack's callback, which never returns.",
        ),
        Mistake::AnswersTheDead => (
            rapid,
            &CALL_03_DEAD,
            "The user picks up a call that is over, and the app answers.",
        ),
        Mistake::StateByNumber => (
            plans::recovering,
            &CALL_04_CAUSED,
            "ICE `failed` has the number of the peer connection's `closed`: the app thinks that the call is over.",
        ),
        Mistake::CandidatesByUser => (
            rapid,
            &CAND_02_OWN_GENERATION,
            "Candidates are kept by user: those of an old call are fed to the next one.",
        ),
        Mistake::EndsEarly => (
            meetings::three_people,
            &TRIC_01_ENDS,
            "The app says that there are no more candidates when it sends the first.",
        ),
        Mistake::RingsOn => (
            forked::cancelled_when_calm,
            &RING_04_TOLD,
            "A phone that is told that the caller has hung up rings on for three and a half seconds.",
        ),
        Mistake::EarlyHangupForgotten => (
            impatient,
            &RING_01_CALLED,
            "A hangup that overtakes its call is forgotten, and the phone rings for nobody.",
        ),
        Mistake::ShownTooEarly => (
            meetings::three_people,
            &CALL_05_TRUE,
            "The user is told that a call can be talked over as soon as somebody has picked up.",
        ),
        Mistake::NoRecovery => (
            plans::recovering,
            &CONN_03_GOES_ON,
            "An attempt that comes to nothing is the end of the call, though nobody hung up.",
        ),
        Mistake::EveryDeviceTalks => (
            forked::answered_when_calm,
            &CALL_06_ONE,
            "Who picks up on one device has the call there, and whoever picks up on another has it too.",
        ),
        Mistake::OtherDevicesNotTold => (
            forked::answered_when_calm,
            &RING_02_ANSWERED,
            "The call is picked up on one device, and nobody tells the others, which ring on.",
        ),
        Mistake::ElsewhereIgnored => (
            forked::answered_when_calm,
            &RING_02_ANSWERED,
            "A device that is told that another has the call rings on.",
        ),
        Mistake::RefusedOnOneDevice => (
            forked::declined_when_calm,
            &RING_03_REFUSED,
            "The call is refused on one device, and rings on on the others.",
        ),
        Mistake::BusyForAllDevices => (
            forked::one_is_busy_when_calm,
            &CALL_04_CAUSED,
            "One device is busy, and the call is over on all of them.",
        ),
        Mistake::HangsUpOneDevice => (
            forked::cancelled_when_calm,
            &INT_01_HEEDED,
            "Who hangs up what rings on several devices hangs up on one of them.",
        ),
        Mistake::RingsAfterGlare => (
            meetings::glare_when_calm,
            &RING_01_CALLED,
            "Two people dial each other, one call goes on, and it rings: its user has to pick up whom they had dialed.",
        ),
        Mistake::ClosesSoon => (
            meetings::talked_over,
            &TALK_01_TO_THE_END,
            "A second after the call has connected its peer is closed, and nobody is told: both users talk into the void.",
        ),
        Mistake::Dawdles => (
            meetings::three_people,
            &CONN_04_PROMPT,
            "The caller's app takes eight seconds to apply the answer, on a network on which nothing is slow.",
        ),
        Mistake::Mute => (
            meetings::talked_over,
            &TALK_02_AUDIO,
            "The callee's app forgets its microphone: messages go both ways, and the caller hears nobody.",
        ),
        Mistake::Act { .. } | Mistake::Claims(_) => unreachable!("told apart by the caller"),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use sleet::{explain::how, run::Runner};

    use super::*;
    use crate::calls::family;

    /// Returns the oracle that breaks first when the fixed client runs the plan of `mistake`, with the mistake or
    /// without.
    fn broken_by(mistake: Mistake, makes_it: bool) -> Option<&'static str> {
        let (plan, oracle, _) = caught(mistake);
        let fixed = made(mistake);
        let make = if makes_it { fixed.making(mistake) } else { fixed };
        let scenario = Arc::new(played(Kind::Promise, "judged", make, plan).holds(&[oracle]));
        (0..20).find_map(|seed| {
            let record = Runner::new(&scenario, Seed(seed)).run().expect("a run");
            record.failure().map(|(id, _)| id)
        })
    }

    #[test]
    fn a_client_without_a_mistake_is_not_caught_where_a_broken_one_is() {
        let hangup = ActKind::HangUp;
        for mistake in [
            Mistake::FactoryPerGroup,
            Mistake::LateClose,
            Mistake::Mute,
            Mistake::Act {
                act: hangup,
                how: Wrong::Ignored,
            },
            Mistake::Claims(CallOutcome::Busy),
        ] {
            let (_, oracle, _) = caught(mistake);
            assert_eq!(broken_by(mistake, true), Some(oracle.id), "{mistake}");
            assert_eq!(broken_by(mistake, false), None, "{mistake}");
        }
    }

    #[test]
    fn every_mistake_is_explained_by_a_rule() {
        for scenario in family()
            .into_iter()
            .filter(|s| s.rows.iter().any(|r| r.mistake().is_some()))
        {
            let scenario = Arc::new(scenario);
            let runs = (0..200).map(|seed| Runner::new(&scenario, Seed(seed)).run().expect("a run"));
            let mut shown = runs.filter(|run| run.failure().is_some());
            let run = shown
                .next()
                .unwrap_or_else(|| panic!("{} shows nothing", scenario.name));
            let (chain, understood) = how(&scenario, &run).expect("it failed");
            assert!(understood, "{}@{}: {chain:#?}", scenario.name, run.seed);
        }
    }
}
