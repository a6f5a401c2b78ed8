//! The calling app under test: several calls at once, incoming and outgoing, alone and in groups, over peers that come and go.
//!
//! It is a [`Program`] like anybody's: the driver starts it and is its user's hand, and what it does is recorded by others.
//!
//! - [`Make`]: which app it is: its peers, its [`Policy`], and the [`Mistake`] of a broken one
//! - `phone`: the app on one host; `user`: what its user does; `incoming`: what signaling brings; `registry`: its calls;
//!   `outbox`, `factory`: the messages that wait, and what makes its peers
//! - `call`: one call, its owner and its end; `handle`: how others reach it; `ending`: how it ends
//! - `attempt`, `exchange`, `trickle`, `candidates`: one attempt to connect: offer, answer and candidates
//! - `devices`: a call that rings on several devices
//! - `watch`, `recover`: who watches an attempt, and what is done about what is seen
//! - `wrongly`, `claims`: acts done wrongly and outcomes without a cause, in broken clients
//!
//! The steps of a call share its state behind a lock, and each asks after every await whether its attempt is still what the
//! call is about. So they are right one after the other and as they come ([`Dispatch`](policy::Dispatch)). The stack's callbacks do nothing
//! but ask the call, and its end ends all its steps.

mod attempt;
mod call;
mod candidates;
mod claims;
mod devices;
mod ending;
mod exchange;
mod factory;
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

/// Which app it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Make {
    /// What its peers are made of.
    pub peers: PeerKind,
    /// How it behaves.
    pub policy: Policy,
    /// What it does wrong beside its policy: nothing, if `None`.
    pub mistake: Option<Mistake>,
}

impl Make {
    /// The same app, which makes a mistake.
    #[must_use]
    pub const fn making(self, mistake: Mistake) -> Self {
        Self {
            mistake: Some(mistake),
            ..self
        }
    }
}

impl Make {
    /// The same app, which tries again by itself when an attempt has not come further for `after`.
    #[must_use]
    pub const fn recovering(self, after: Duration) -> Self {
        Self {
            policy: self.policy.recovering(after),
            ..self
        }
    }
}

impl From<Policy> for Make {
    /// The app that behaves so, on peer connections.
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
