//! The mistakes that a calling app can make: a broken client makes exactly one.
//!
//! Plain data. Each is checked where the fixed client does it right, and changes nothing else.

use std::fmt;

use sleet::trace::{CallOutcome, Intent};

/// The mistake of a broken client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mistake {
    /// The caller's peer is created when the response to its dial arrives, whether or not the call still exists.
    PeerOnResponse,
    /// Work begun in a callback of the stack goes on in a task of its own, even after the end of the call.
    CallbacksGoOn,
    /// The peer is closed a while after the hangup has returned.
    LateClose,
    /// The call's stream is not removed at hangup.
    StreamsStay,
    /// The end of a group releases the factory, though other calls live.
    FactoryPerGroup,
    /// Groups count the calls that they wait for in one shared counter, and poll it every 10 ms.
    SharedCounter,
    /// Queued messages of the call are sent after the hangup.
    QueueKept,
    /// The queue is cleared once more when the hangup waits in it: the other end is not told.
    HangupCleared,
    /// A hangup waits for the answer to the offer.
    HangupWaits,
    /// The user interface closes the peer, and so does the call.
    DoubleClose,
    /// A hangup during gathering leaves the closing to the candidate callback.
    CloseInCallback,
    /// Accepting does not check whether the call still exists.
    AnswersTheDead,
    /// An ICE state is compared with a state of the peer connection, by number.
    StateByNumber,
    /// Candidates are kept by user, not by call: those of an old call are added to a new one.
    CandidatesByUser,
    /// The end of candidates is sent with the first of them.
    EndsEarly,
    /// A phone that is told that its call is over rings on for a while.
    RingsOn,
    /// A hangup that arrives before its call is not kept.
    EarlyHangupForgotten,
    /// There is no recovery when an attempt fails.
    NoRecovery,
    /// The call is shown as connected as soon as it is accepted.
    ShownTooEarly,
    /// After an accept on one device, the others ring on: a user who accepts there has the call too.
    EveryDeviceTalks,
    /// The caller leaves the devices that do not have the call, without a message.
    OtherDevicesNotTold,
    /// A device does not understand that another has the call.
    ElsewhereIgnored,
    /// A call rejected on one device still rings on the others.
    RefusedOnOneDevice,
    /// One busy device ends the call on all of them.
    BusyForAllDevices,
    /// A hangup of a call that rings on several devices ends it on one of them only.
    HangsUpOneDevice,
    /// The call that goes on after a glare rings, as if its user had not dialed the very same caller.
    RingsAfterGlare,
    /// A second after a call has connected its peer is closed, without a message.
    ClosesSoon,
    /// The caller's app takes eight seconds to apply an answer.
    Dawdles,
    /// The callee's app forgets its microphone, and with it the other end's audio.
    Mute,
    /// An act of the user is done wrongly.
    Act {
        /// The kind of act.
        act: ActKind,
        /// The way in which it goes wrong.
        how: Wrong,
    },
    /// A call ends with this outcome without a cause.
    Claims(CallOutcome),
}

/// The kind of a user's act.
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

/// The way in which an app gets an act wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// It does nothing.
    Ignored,
    /// It does it a second time.
    Twice,
    /// It does it three and a half seconds later.
    Late,
    /// It does it to another call, or dials another client; if there is none, it does nothing.
    Elsewhere,
}

impl ActKind {
    /// All kinds.
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

    /// Returns the kind of an intent; `None` if there is no mistake about it.
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
    /// All ways.
    pub const ALL: [Self; 4] = [Self::Ignored, Self::Twice, Self::Late, Self::Elsewhere];
}

impl Mistake {
    /// The mistakes of the app itself: all but wrong acts and claims without a cause.
    pub const OWN: [Self; 29] = [
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
        Self::EndsEarly,
        Self::RingsOn,
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
        Self::Dawdles,
        Self::Mute,
    ];

    /// Iterates over every act, done wrongly in every way.
    pub fn acts() -> impl Iterator<Item = Self> {
        let each = |act| Wrong::ALL.map(|how| Self::Act { act, how });
        ActKind::ALL.into_iter().flat_map(each)
    }

    /// Iterates over every outcome, claimed without a cause.
    pub fn claims() -> impl Iterator<Item = Self> {
        CallOutcome::ALL.into_iter().map(Self::Claims)
    }
}

impl fmt::Display for Mistake {
    /// Writes the name, such as `late-close`, `ignores-hangup` or `reports-busy-without-cause`.
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
            Self::EndsEarly => "ends-early",
            Self::RingsOn => "rings-on",
            Self::EarlyHangupForgotten => "early-hangup-forgotten",
            Self::NoRecovery => "no-recovery",
            Self::RingsAfterGlare => "rings-after-glare",
            Self::ClosesSoon => "closes-soon",
            Self::Dawdles => "dawdles",
            Self::Mute => "mute",
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
