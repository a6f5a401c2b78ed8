//! The switches of the calling app: when it sends candidates, how it handles received ones, how it dispatches its work,
//! and how it recovers from failed attempts.
//!
//! Plain data: nothing here acts.

use std::time::Duration;

use sleet::peer::PeerKind;

use super::Make;

/// When an app sends its candidates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendPolicy {
    /// At once, while its description may still be under way: the bug of field report A.
    Immediately,
    /// At once, but it sets its local description this long after it has begun to send it.
    AfterSleep(Duration),
    /// At once, but it sets its local description only when that has been written to the connection.
    AfterDescription,
    /// After the other end has confirmed that it has the description.
    OnceJoined,
    /// Same as [`SendPolicy::OnceJoined`], but it waits for that inside the stack's callback: a mistake.
    OnceJoinedInCallback,
}

impl SendPolicy {
    /// Reports whether candidates are sent before the other end has confirmed that it has the description.
    pub(super) fn trusts(self) -> bool {
        !matches!(self, Self::OnceJoined | Self::OnceJoinedInCallback)
    }
}

/// How an app handles received candidates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReceivePolicy {
    /// Passes them to the peer at once: candidates that the stack refuses are lost.
    AddAtOnce,
    /// Keeps them until the description of their generation is set.
    Buffer,
    /// Keeps them until any description is set: a mistake.
    BufferAnyGeneration,
}

/// How an app runs the steps of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dispatch {
    /// Every call has an owner, which takes one step after the other.
    OwnerPerCall,
    /// Every message, callback and act launches a task of its own: steps of one call interleave.
    AsTheyCome,
}

/// How an app recovers when an attempt fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recovery {
    /// Not at all: the user has to try again.
    Never,
    /// The caller begins another attempt within the call, with a new ICE generation, until one connects or the call
    /// ends; the callee asks for one.
    Retry {
        /// The time that it waits for an answer, and from the answer on for the connection.
        after: Duration,
    },
    /// Same as [`Recovery::Retry`]; and when a call that was connected has been *disconnected* for a while, or
    /// *failed*, the caller restarts ICE on the same peers first.
    Restart {
        /// The time that it waits for an answer, and from the answer on for the connection.
        after: Duration,
        /// The time that it tolerates *disconnected*.
        bears: Duration,
    },
}

/// The policy of an app.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// When it sends candidates.
    pub send: SendPolicy,
    /// How it handles received candidates.
    pub receive: ReceivePolicy,
    /// How it runs the steps of a call.
    pub dispatch: Dispatch,
    /// How it recovers when an attempt fails.
    pub recover: Recovery,
    /// The silence of the other end after which it ends the call by itself; `None` if it never does.
    pub gives_up_after: Option<Duration>,
}

impl Policy {
    /// The app of field report A: everything at once.
    pub const NAIVE: Self = Self {
        send: SendPolicy::Immediately,
        receive: ReceivePolicy::AddAtOnce,
        dispatch: Dispatch::AsTheyCome,
        recover: Recovery::Never,
        gives_up_after: None,
    };

    /// The app that keeps every call: both ends buffer, every call has an owner, and failed attempts are repeated.
    pub const FIXED: Self = Self {
        send: SendPolicy::OnceJoined,
        receive: ReceivePolicy::Buffer,
        dispatch: Dispatch::OwnerPerCall,
        recover: Recovery::Retry {
            after: Duration::from_secs(6),
        },
        gives_up_after: None,
    };

    /// Sets the way of sending.
    #[must_use]
    pub const fn sending(self, send: SendPolicy) -> Self {
        Self { send, ..self }
    }

    /// Sets the way of receiving.
    #[must_use]
    pub const fn receiving(self, receive: ReceivePolicy) -> Self {
        Self { receive, ..self }
    }

    /// Gives each call an owner that takes one step after the other.
    #[must_use]
    pub const fn in_order(self) -> Self {
        Self {
            dispatch: Dispatch::OwnerPerCall,
            ..self
        }
    }

    /// Runs steps as they come.
    #[must_use]
    pub const fn as_they_come(self) -> Self {
        Self {
            dispatch: Dispatch::AsTheyCome,
            ..self
        }
    }

    /// Makes the app try again by itself when an attempt has made no progress for `after`.
    #[must_use]
    pub const fn recovering(self, after: Duration) -> Self {
        Self {
            recover: Recovery::Retry { after },
            ..self
        }
    }

    /// Makes the app also restart ICE when a connected call has been disconnected for as long as it `bears`.
    #[must_use]
    pub const fn restarting(self, after: Duration, bears: Duration) -> Self {
        Self {
            recover: Recovery::Restart { after, bears },
            ..self
        }
    }

    /// Makes the app end a call by itself after `after` without a message from the other end.
    #[must_use]
    pub const fn giving_up(self, after: Duration) -> Self {
        Self {
            gives_up_after: Some(after),
            ..self
        }
    }

    /// Creates the app with this policy, on peer connections.
    #[must_use]
    pub const fn full(self) -> Make {
        self.on(PeerKind::Full)
    }

    /// Creates the app with this policy, on peer connections with audio.
    #[must_use]
    pub const fn audio(self) -> Make {
        self.on(PeerKind::Audio)
    }

    /// Creates the app with this policy, on bare ICE agents.
    #[must_use]
    pub const fn bare(self) -> Make {
        self.on(PeerKind::Bare)
    }

    /// Creates the app with this policy, on peers of the kind `peers`.
    #[must_use]
    pub const fn on(self, peers: PeerKind) -> Make {
        Make {
            peers,
            policy: self,
            mistake: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_switch_changes_nothing_else() {
        let patience = Duration::from_secs(6);
        let rebuilt = Policy::NAIVE
            .sending(SendPolicy::OnceJoined)
            .receiving(ReceivePolicy::Buffer)
            .in_order()
            .recovering(patience);
        assert_eq!(rebuilt, Policy::FIXED);
        assert_eq!(rebuilt.as_they_come().dispatch, Dispatch::AsTheyCome);
        assert_eq!(Policy::FIXED.bare().policy, Policy::FIXED);
        assert_eq!(Make::from(Policy::NAIVE), Policy::NAIVE.full());
    }

    #[test]
    fn only_who_waits_for_the_other_end_does_not_trust() {
        let trusting = [
            SendPolicy::Immediately,
            SendPolicy::AfterSleep(Duration::ZERO),
            SendPolicy::AfterDescription,
        ];
        assert!(trusting.into_iter().all(SendPolicy::trusts));
        assert!(!SendPolicy::OnceJoined.trusts() && !SendPolicy::OnceJoinedInCallback.trusts());
    }
}
