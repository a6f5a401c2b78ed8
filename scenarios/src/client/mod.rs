//! The calling app under test: several calls at once, incoming and outgoing, alone and in groups, over peers that come
//! and go.
//!
//! It is a [`Program`] like any other: the driver starts it and acts for its user, and other code records what it does.
//!
//! - [`Make`]: the variant of the app: its peers, its [`Policy`], and the [`Mistake`] of a broken one
//! - `phone`: the app on one host; `user`: acts of its user; `incoming`: incoming messages; `registry`: its calls;
//!   `outbox`, `factory`: queued messages, and the source of its peers
//! - `call`: one call, its owner and its end; `handle`: how others reach it; `ending`: how it ends
//! - `attempt`, `exchange`, `trickle`, `candidates`: one attempt to connect: offer, answer and candidates
//! - `devices`: a call that rings on several devices
//! - `watch`, `recover`: the watcher of an attempt, and the reaction to its news
//! - `wrongly`, `claims`: acts done wrongly and outcomes without a cause, in broken clients
//!
//! The steps of a call share its state behind a lock, and each checks after every await that its attempt is still
//! current. So they are correct both in order and interleaved ([`Dispatch`](policy::Dispatch)). The stack's callbacks
//! only ask the call, and its end ends all its steps.

mod attempt;
mod call;
mod candidates;
mod claims;
mod devices;
mod ending;
mod exchange;
mod factory;
mod gathering;
mod handle;
mod incoming;
pub mod mistake;
mod outbox;
mod phone;
pub mod policy;
mod recover;
mod registry;
mod trickle;
mod user;
mod watch;
mod wrongly;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
pub use mistake::Mistake;
pub use policy::Policy;
use sleet::{
    driver::{App, Launch, Program, StartError},
    peer::PeerKind,
};

/// The variant of the app.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Make {
    /// The stack of its peers.
    pub peers: PeerKind,
    /// The policy.
    pub policy: Policy,
    /// The mistake that it makes beside its policy; `None` for none.
    pub mistake: Option<Mistake>,
}

impl Make {
    /// Makes the app make a mistake.
    #[must_use]
    pub const fn making(self, mistake: Mistake) -> Self {
        Self {
            mistake: Some(mistake),
            ..self
        }
    }
}

impl Make {
    /// Makes the app try again by itself when an attempt has made no progress for `after`.
    #[must_use]
    pub const fn recovering(self, after: Duration) -> Self {
        Self {
            policy: self.policy.recovering(after),
            ..self
        }
    }
}

impl From<Policy> for Make {
    /// Creates the app with this policy, on peer connections.
    fn from(policy: Policy) -> Self {
        policy.full()
    }
}

#[async_trait]
impl Program for Make {
    async fn start(&self, launch: Launch) -> Result<Arc<dyn App>, StartError> {
        Ok(phone::Phone::start(*self, launch))
    }
}
