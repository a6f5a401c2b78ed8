//! The mistakes that a calling app can make: a broken client makes exactly one.
//!
//! Plain data. Each is asked for where the fixed client does it right, and changes nothing else.

use std::fmt;

use sleet::trace::{CallOutcome, Intent};

/// What a broken client does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mistake {
    /// The caller's peer is created when the response to its dial arrives, whether or not the call still exists.
    PeerOnResponse,
    /// What a callback of the stack has begun goes on in a task of its own, whatever becomes of the call.
    CallbacksGoOn,
    /// The peer is closed a while after the hangup has returned.
    LateClose,
    /// The call's stream is not removed at hangup.
    StreamsStay,
    /// The end of a group releases the factory, though calls of others live.
    FactoryPerGroup,
    /// Groups count the calls that they wait for in one counter, and look at it every 10 ms.
    SharedCounter,
    /// Messages of the call that wait to be sent are sent after the hangup.
    QueueKept,
    /// The queue is cleared once more when the hangup waits in it: nobody is told.
    HangupCleared,
    /// A hangup waits for the answer to what was offered.
    HangupWaits,
    /// The user interface closes the peer, and so does the call.
    DoubleClose,
    /// A hangup while candidates are gathered leaves the closing to the candidate callback.
    CloseInCallback,
    /// Picking up does not look whether the call still exists.
    AnswersTheDead,
    /// A state of ICE is compared with one of the peer connection, by number.
    StateByNumber,
    /// Candidates are kept by user, not by call: those of an old call are fed to a new one.
    CandidatesByUser,
    /// A hangup that comes before its call is not kept.
    EarlyHangupForgotten,
    /// An attempt that comes to nothing is the end of it.
    NoRecovery,
    /// The user is told that a call can be talked over as soon as somebody has picked up.
    ShownTooEarly,
    /// Who picks up on one device has the call there, and the others ring on: whoever picks up there has it too.
    EveryDeviceTalks,
    /// The caller leaves the devices that do not have the call, and tells them nothing.
    OtherDevicesNotTold,
    /// A device does not understand that another has the call.
    ElsewhereIgnored,
    /// Who refuses a call on one device is called on the others still.
    RefusedOnOneDevice,
    /// One device that is busy ends the call on all of them.
    BusyForAllDevices,
    /// Who hangs up what rings on several devices hangs up on one of them.
    HangsUpOneDevice,
    /// The call that goes on after a glare rings, as if its user had not dialed the very same person.
    RingsAfterGlare,
    /// A second after a call has connected its peer is closed, and nobody is told.
    ClosesSoon,
    /// What a user does is done wrongly.
    Act {
        /// What the user does.
        act: ActKind,
        /// How it goes wrong.
        how: Wrong,
    },
    /// A call ends with this outcome though there is no cause for it.
    Claims(CallOutcome),
}

/// What a user does, as a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of `Intent`")]
pub enum ActKind {
    Dial,
    Accept,
    Reject,
    HangUp,
    Retry,
    DialGroup,
    DialUser,
    HangUpGroup,
}

/// How an app gets an act wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// It does nothing.
    Ignored,
    /// It does it a second time.
    Twice,
    /// It does it three and a half seconds later.
    Late,
    /// It does it to another call, or dials somebody else; if there is none, it does nothing.
    Elsewhere,
}

impl ActKind {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Dial,
        Self::Accept,
        Self::Reject,
        Self::HangUp,
        Self::Retry,
        Self::DialGroup,
        Self::DialUser,
        Self::HangUpGroup,
    ];

    /// The kind of an intent; `None` if no mistake is made about it.
    pub fn of(intent: &Intent) -> Option<Self> {
        Some(match intent {
            Intent::Dial { .. } => Self::Dial,
            Intent::Accept { .. } => Self::Accept,
            Intent::Reject { .. } => Self::Reject,
            Intent::HangUp { .. } => Self::HangUp,
            Intent::Retry { .. } => Self::Retry,
            Intent::DialGroup { .. } => Self::DialGroup,
            Intent::DialUser { .. } => Self::DialUser,
            Intent::HangUpGroup { .. } => Self::HangUpGroup,
            _ => return None,
        })
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Dial => "dial",
            Self::Accept => "accept",
            Self::Reject => "reject",
            Self::HangUp => "hangup",
            Self::Retry => "retry",
            Self::DialGroup => "group-dial",
            Self::DialUser => "user-dial",
            Self::HangUpGroup => "group-hangup",
        }
    }
}

impl Wrong {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Ignored, Self::Twice, Self::Late, Self::Elsewhere];
}

impl Mistake {
    /// Those of the app's own making: all but wrong acts and claims without a cause.
    pub const OWN: [Self; 25] = [
        Self::PeerOnResponse,
        Self::CallbacksGoOn,
        Self::LateClose,
        Self::StreamsStay,
        Self::FactoryPerGroup,
        Self::SharedCounter,
        Self::QueueKept,
        Self::HangupCleared,
        Self::HangupWaits,
        Self::DoubleClose,
        Self::CloseInCallback,
        Self::AnswersTheDead,
        Self::StateByNumber,
        Self::CandidatesByUser,
        Self::EarlyHangupForgotten,
        Self::NoRecovery,
        Self::ShownTooEarly,
        Self::EveryDeviceTalks,
        Self::OtherDevicesNotTold,
        Self::ElsewhereIgnored,
        Self::RefusedOnOneDevice,
        Self::BusyForAllDevices,
        Self::HangsUpOneDevice,
        Self::RingsAfterGlare,
        Self::ClosesSoon,
    ];

    /// Every act, done wrongly in every way.
    pub fn acts() -> impl Iterator<Item = Self> {
        let each = |act| Wrong::ALL.map(|how| Self::Act { act, how });
        ActKind::ALL.into_iter().flat_map(each)
    }

    /// Every outcome, reported without a cause.
    pub fn claims() -> impl Iterator<Item = Self> {
        CallOutcome::ALL.into_iter().map(Self::Claims)
    }
}

impl fmt::Display for Mistake {
    /// The name, such as `late-close`, `ignores-hangup` or `reports-busy-without-cause`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PeerOnResponse => "peer-on-response",
            Self::CallbacksGoOn => "callbacks-go-on",
            Self::LateClose => "late-close",
            Self::StreamsStay => "streams-stay",
            Self::FactoryPerGroup => "factory-per-group",
            Self::SharedCounter => "shared-counter",
            Self::QueueKept => "queue-kept",
            Self::HangupCleared => "hangup-cleared",
            Self::HangupWaits => "hangup-waits",
            Self::DoubleClose => "double-close",
            Self::CloseInCallback => "close-in-callback",
            Self::AnswersTheDead => "answers-the-dead",
            Self::StateByNumber => "state-by-number",
            Self::CandidatesByUser => "candidates-by-user",
            Self::EarlyHangupForgotten => "early-hangup-forgotten",
            Self::NoRecovery => "no-recovery",
            Self::RingsAfterGlare => "rings-after-glare",
            Self::ClosesSoon => "closes-soon",
            Self::ShownTooEarly => "shown-too-early",
            Self::EveryDeviceTalks => "every-device-talks",
            Self::OtherDevicesNotTold => "other-devices-not-told",
            Self::ElsewhereIgnored => "elsewhere-ignored",
            Self::RefusedOnOneDevice => "refused-on-one-device",
            Self::BusyForAllDevices => "busy-for-all-devices",
            Self::HangsUpOneDevice => "hangs-up-one-device",
            Self::Act { act, how } => {
                let act = act.name();
                return match how {
                    Wrong::Ignored => write!(f, "ignores-{act}"),
                    Wrong::Twice => write!(f, "doubles-{act}"),
                    Wrong::Late => write!(f, "delays-{act}"),
                    Wrong::Elsewhere => write!(f, "misdirects-{act}"),
                };
            }
            Self::Claims(outcome) => return write!(f, "reports-{outcome}-without-cause"),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_mistake_has_a_name_of_its_own() {
        let all = || {
            Mistake::OWN
                .into_iter()
                .chain(Mistake::acts())
                .chain(Mistake::claims())
        };
        let names: BTreeSet<String> = all().map(|m| m.to_string()).collect();
        assert_eq!(names.len(), all().count());
        for name in ["late-close", "ignores-hangup", "reports-busy-without-cause"] {
            assert!(names.contains(name), "{name}");
        }
    }

    #[test]
    fn every_act_of_a_user_can_go_wrong() {
        let (call, group, to) = ("c1".to_owned(), "g1".to_owned(), "bob".to_owned());
        let intents = [
            Intent::Dial {
                call: call.clone(),
                to: to.clone(),
            },
            Intent::Accept { call: call.clone() },
            Intent::Reject { call: call.clone() },
            Intent::HangUp { call: call.clone() },
            Intent::Retry { call },
            Intent::DialGroup {
                group: group.clone(),
                to: vec![to],
            },
            Intent::DialUser {
                call: "c2".into(),
                to: "erin".into(),
                devices: vec!["phone".into()],
            },
            Intent::HangUpGroup { group },
        ];
        let kinds: Vec<_> = intents.iter().filter_map(ActKind::of).collect();
        assert_eq!(kinds, ActKind::ALL);
    }
}
