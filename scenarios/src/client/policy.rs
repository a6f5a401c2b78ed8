//! Story A's remedies as switches of the call client.

use std::time::Duration;

use sleet::peer::PeerKind;

/// When a client sends its candidates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Send {
    /// At once, while its description may still be under way: the bug of the report.
    Immediately,
    /// At once, but it sets its local description a while after it has begun to send it.
    AfterSleep(Duration),
    /// At once, but it sets its local description only when that has been written to the connection.
    AfterDescription,
    /// When the other side has said that it is in the call.
    OnceJoined,
    /// As [`Send::OnceJoined`], but it waits for that inside the stack's callback: a mistake (hazard 4).
    OnceJoinedInCallback,
}

/// What a client does with candidates that it receives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receive {
    /// Adds them at once: what the stack refuses is lost.
    AddAtOnce,
    /// Keeps them until the description of their generation is set.
    Buffer,
    /// Keeps them until any description is set: a mistake.
    BufferAnyGeneration,
}

/// How a client handles the messages that it receives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handle {
    /// Each in a task of its own, as callbacks that launch coroutines do.
    Concurrently,
    /// One after the other.
    InOrder,
}

/// What the caller's client does when an attempt comes to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recover {
    /// Nothing: the user has to try again.
    Never,
    /// It begins another attempt within the same call, with a new ICE generation, until one connects or the
    /// call is hung up.
    Retry {
        /// How long it waits for an answer, and from the answer on for the connection.
        after: Duration,
    },
    /// As [`Recover::Retry`]; and when a call that was connected has been *disconnected* for a while, or *failed*, it restarts
    /// ICE on the same peers first.
    Restart {
        /// How long it waits for an answer, and from the answer on for the connection.
        after: Duration,
        /// How long it bears *disconnected*.
        bears: Duration,
    },
}

/// What a client is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// When it sends candidates.
    pub send: Send,
    /// What it does with candidates that it receives.
    pub receive: Receive,
    /// How it handles messages.
    pub handle: Handle,
    /// What it does when an attempt comes to nothing.
    pub recover: Recover,
    /// What it is built on.
    pub peers: PeerKind,
}

impl Policy {
    /// The client of the report: everything at once.
    pub const NAIVE: Self = Self {
        send: Send::Immediately,
        receive: Receive::AddAtOnce,
        handle: Handle::Concurrently,
        recover: Recover::Never,
        peers: PeerKind::Full,
    };

    /// The same client with another way of sending.
    pub const fn sending(self, send: Send) -> Self {
        Self { send, ..self }
    }

    /// The same client with another way of receiving.
    pub const fn receiving(self, receive: Receive) -> Self {
        Self { receive, ..self }
    }

    /// The same client, which handles one message after the other.
    pub const fn in_order(self) -> Self {
        Self {
            handle: Handle::InOrder,
            ..self
        }
    }

    /// The same client, which tries again by itself when an attempt has not come further for `after`.
    pub const fn recovering(self, after: Duration) -> Self {
        Self {
            recover: Recover::Retry { after },
            ..self
        }
    }

    /// The same client, which also restarts ICE when a connected call has been disconnected for as long as it `bears`.
    pub const fn restarting(self, after: Duration, bears: Duration) -> Self {
        Self {
            recover: Recover::Restart { after, bears },
            ..self
        }
    }

    /// The same client on bare agents.
    pub const fn bare(self) -> Self {
        Self {
            peers: PeerKind::Bare,
            ..self
        }
    }
}
