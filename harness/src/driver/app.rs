//! The seam between the driver and what it drives: a program that runs on a host, and the app that the program is to its
//! user.
//!
//! A program is a black box. The driver starts it, lets its user act on it and looks at what it shows; what it did is
//! read from adapters and from the wire. There is no other door, not for our own clients either.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use thiserror::Error;
use tokio::sync::mpsc::UnboundedReceiver;

use super::Screen;
use crate::{
    fault::Plan,
    signaling::push::{Notification, PushService},
    trace::Intent,
    world::Host,
};

/// Something that runs on a host, from the start of the host on, in each of its lives: an app or a server.
#[async_trait]
pub trait Program: Send + Sync + 'static {
    /// Starts it, as a task of the host. What it spawns is the host's.
    ///
    /// # Errors
    /// [`StartError`]: the run has no meaning without it, and fails.
    async fn start(&self, launch: Launch) -> Result<Arc<dyn App>, StartError>;
}

/// What a program is given when it starts.
pub struct Launch {
    /// Where it runs.
    pub host: Host,
    /// What the run is meant to do. An app reads its own section and the addresses of its servers there, not the faults.
    pub plan: Arc<Plan>,
    /// What its user sees.
    pub screen: Screen,
    /// If it is asleep: it stays offline until the first notification comes.
    pub pushes: Option<UnboundedReceiver<Notification>>,
    /// The push service, for servers that wake who is asleep.
    pub push: PushService,
}

impl fmt::Debug for Launch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Launch on {}", self.host.name())
    }
}

/// A program that did not start.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{0}")]
pub struct StartError(pub String);

/// An intent that the app has no act for.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("the app has no such act")]
pub struct NotUnderstood;

/// An app in the hands of its user, in one life of its host.
#[async_trait]
pub trait App: Send + Sync {
    /// The user wants something. Returns when the app says that it is done, which for a hangup means that nothing of the
    /// call goes on; that may take time, and other intents may come meanwhile. What cannot be done any more, because
    /// the call is over or was never there, is done by doing nothing.
    ///
    /// # Errors
    /// [`NotUnderstood`] if the app has no such act: the run fails.
    async fn act(self: Arc<Self>, intent: Intent) -> Result<(), NotUnderstood>;

    /// The run is over: ends every call, and no user has a say in it any more.
    async fn end_calls(self: Arc<Self>) {}

    /// Ends what is left: connections to servers, tasks. Called some time after [`App::end_calls`]; nothing may be left
    /// a second later.
    async fn go_offline(self: Arc<Self>) {}

    /// Of a TURN server: how many allocations it has.
    ///
    /// # Errors
    /// What kept it from knowing.
    async fn allocations(&self) -> Result<u64, String> {
        Ok(0)
    }
}

/// A program without a user.
#[derive(Clone, Copy, Debug)]
pub struct NoUser;

#[async_trait]
impl App for NoUser {
    async fn act(self: Arc<Self>, _: Intent) -> Result<(), NotUnderstood> {
        Err(NotUnderstood)
    }
}
