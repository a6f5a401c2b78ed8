//! The mistakes that a calling app can make: a broken client makes exactly one.
//!
//! Each is asked for where the fixed client does it right, and changes nothing else.

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
}

impl Mistake {
    /// All of them.
    pub const ALL: [Self; 16] = [
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
    ];

    /// The name, such as `late-close`.
    pub const fn name(self) -> &'static str {
        match self {
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
        }
    }
}
