//! Broken clients: each makes one mistake, in a scene in which it can show, and is caught by the oracle that names it.

use sleet::{
    fault::Plan,
    oracle::{
        Oracle,
        after::{DEAD, QUIET},
        candidates::OWN_GENERATION,
        causes::{CALL_04_CAUSED, CALL_05_TRUE},
        factory::AS_LONG_AS_CALLS,
        forks::{CALL_06_ONE, RING_02_ANSWERED, RING_03_REFUSED},
        hangup::{CLOSED_FIRST, CLOSED_ONCE, RETURNS},
        heeded::INT_01_HEEDED,
        once::SAID_01_ONCE,
        outcomes::{AGREED, GOES_ON},
        peers::{CLOSES, NOTHING_LEFT},
        ringing::CALLED,
        talk::TALK_01_TO_THE_END,
    },
    scenario::{Kind, Scenario},
    seed::Seed,
    trace::Outcome,
};

use super::{ENOUGH, forked, meetings, played, scenes};
use crate::client::{
    Mistake, Policy,
    mistake::{ActKind, Wrong},
};

/// Where a mistake shows, by which oracle, and what it is.
type Caught = (fn(Seed) -> Plan, &'static Oracle, &'static str);

/// A scenario for each mistake.
pub(super) fn family() -> Vec<Scenario> {
    let own = Mistake::OWN.into_iter();
    own.chain(Mistake::acts())
        .chain(Mistake::claims())
        .map(broken)
        .collect()
}

fn broken(mistake: Mistake) -> Scenario {
    let (scene, oracle, about) = caught(mistake);
    let name = mistake.to_string();
    played(
        Kind::Demonstration,
        &name,
        Policy::FIXED.bare().making(mistake),
        scene,
    )
    .about(about)
    .in_mistakes(&name)
    .trips_first(oracle, ENOUGH)
}

fn caught(mistake: Mistake) -> Caught {
    match mistake {
        Mistake::Act { act, how } => wrong_act(act, how),
        Mistake::Claims(outcome) => claim(outcome),
        own => own_mistake(own),
    }
}

/// What a user does, done wrongly.
fn wrong_act(act: ActKind, how: Wrong) -> Caught {
    let scene: fn(Seed) -> Plan = match act {
        ActKind::DialGroup | ActKind::HangUpGroup => scenes::groups_in_fair_weather,
        ActKind::DialUser => forked::cancelled_in_fair_weather,
        ActKind::Retry => meetings::retrying,
        ActKind::Reject => meetings::rejecting,
        ActKind::Dial | ActKind::Accept | ActKind::HangUp => meetings::three_people,
    };
    match how {
        Wrong::Ignored => (scene, &INT_01_HEEDED, "What a user wants is not done."),
        Wrong::Late => (
            scene,
            &INT_01_HEEDED,
            "What a user wants is done three and a half seconds later.",
        ),
        Wrong::Elsewhere if matches!(act, ActKind::Dial | ActKind::DialGroup | ActKind::DialUser) => {
            (scene, &CALLED, "Somebody else is called than the user wanted.")
        }
        Wrong::Elsewhere => (
            scene,
            &INT_01_HEEDED,
            "What a user wants is done to another call, or to somebody else.",
        ),
        Wrong::Twice => match act {
            ActKind::Dial | ActKind::DialGroup | ActKind::DialUser => (
                scene,
                &CALLED,
                "Who is dialed once is called twice: a phone rings for nobody.",
            ),
            _ => (
                scene,
                &SAID_01_ONCE,
                "What a user wants once is done a second time.",
            ),
        },
    }
}

/// An outcome without a cause.
fn claim(outcome: Outcome) -> Caught {
    let scene: fn(Seed) -> Plan = match outcome {
        Outcome::Failed => scenes::recovering,
        Outcome::Elsewhere => forked::answered_in_fair_weather,
        _ => meetings::three_people,
    };
    (
        scene,
        &CALL_04_CAUSED,
        "A call ends by itself, and the app gives its end a name.",
    )
}

/// What the app does wrong by itself.
fn own_mistake(mistake: Mistake) -> Caught {
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
            &CALL_04_CAUSED,
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
        Mistake::ShownTooEarly => (
            meetings::three_people,
            &CALL_05_TRUE,
            "The user is told that a call can be talked over as soon as somebody has picked up.",
        ),
        Mistake::NoRecovery => (
            scenes::recovering,
            &GOES_ON,
            "An attempt that comes to nothing is the end of the call, though nobody hung up.",
        ),
        Mistake::EveryDeviceTalks => (
            forked::answered_in_fair_weather,
            &CALL_06_ONE,
            "Who picks up on one device has the call there, and whoever picks up on another has it too.",
        ),
        Mistake::OtherDevicesNotTold => (
            forked::answered_in_fair_weather,
            &RING_02_ANSWERED,
            "The call is picked up on one device, and nobody tells the others, which ring on.",
        ),
        Mistake::ElsewhereIgnored => (
            forked::answered_in_fair_weather,
            &RING_02_ANSWERED,
            "A device that is told that another has the call rings on.",
        ),
        Mistake::RefusedOnOneDevice => (
            forked::declined_in_fair_weather,
            &RING_03_REFUSED,
            "The call is refused on one device, and rings on on the others.",
        ),
        Mistake::BusyForAllDevices => (
            forked::one_is_busy_in_fair_weather,
            &CALL_04_CAUSED,
            "One device is busy, and the call is over on all of them.",
        ),
        Mistake::HangsUpOneDevice => (
            forked::cancelled_in_fair_weather,
            &INT_01_HEEDED,
            "Who hangs up what rings on several devices hangs up on one of them.",
        ),
        Mistake::RingsAfterGlare => (
            meetings::glare_in_fair_weather,
            &CALLED,
            "Two people dial each other, one call goes on, and it rings: its user has to pick up whom they had dialed.",
        ),
        Mistake::ClosesSoon => (
            meetings::talked_over,
            &TALK_01_TO_THE_END,
            "A second after the call has connected its peer is closed, and nobody is told: both users talk into the void.",
        ),
        Mistake::Act { .. } | Mistake::Claims(_) => unreachable!("told apart by the caller"),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use sleet::run;

    use super::*;

    /// The oracle that breaks first when `policy` plays the scene of `mistake`, with it or without.
    fn broken_by(mistake: Mistake, makes_it: bool) -> Option<&'static str> {
        let (scene, oracle, _) = caught(mistake);
        let fixed = Policy::FIXED.bare();
        let make = if makes_it { fixed.making(mistake) } else { fixed };
        let scenario = Arc::new(played(Kind::Promise, "judged", make, scene).holds(&[oracle]));
        (0..20).find_map(|seed| {
            let record = run::execute(&scenario, Seed(seed)).expect("a run");
            record.failure().map(|(id, _)| id)
        })
    }

    #[test]
    fn a_client_without_a_mistake_is_not_caught_where_a_broken_one_is() {
        let hangup = ActKind::HangUp;
        for mistake in [
            Mistake::FactoryPerGroup,
            Mistake::LateClose,
            Mistake::Act {
                act: hangup,
                how: Wrong::Ignored,
            },
            Mistake::Claims(Outcome::Busy),
        ] {
            let (_, oracle, _) = caught(mistake);
            assert_eq!(broken_by(mistake, true), Some(oracle.id), "{mistake}");
            assert_eq!(broken_by(mistake, false), None, "{mistake}");
        }
    }
}
