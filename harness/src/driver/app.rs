//! The seam between the driver and the code under test: a program that runs on a host, and the app that the program is
//! to its user.
//!
//! A program is a black box. The driver starts it, lets its user act on it and looks at what it shows; evidence of its
//! behaviour comes from adapters and from the wire. There is no other interface, not for our own clients either.

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

/// A program that runs on a host, started in each life of the host: an app or a server.
#[async_trait]
pub trait Program: Send + Sync + 'static {
    /// Starts the program, as a task of the host. Tasks that it spawns belong to the host.
    ///
    /// # Errors
    /// [`StartError`]: the run is invalid without the program, and fails.
    async fn start(&self, launch: Launch) -> Result<Arc<dyn App>, StartError>;
}

/// The arguments of a program at its start.
pub struct Launch {
    /// The host.
    pub host: Host,
    /// The plan of the run. An app reads its own section and the addresses of its servers there, not the faults.
    pub plan: Arc<Plan>,
    /// The screen of the user.
    pub screen: Screen,
    /// The push notifications of an app that is asleep: it stays offline until the first one comes.
    pub pushes: Option<UnboundedReceiver<Notification>>,
    /// The push service, for servers that wake sleeping apps.
    pub push: PushService,
}

impl fmt::Debug for Launch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Launch on {}", self.host.name())
    }
}

/// The error of a program that did not start.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{0}")]
pub struct StartError(pub String);

/// The error for an intent that the app has no act for.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("the app has no such act")]
pub struct NotUnderstood;

/// An app as its user operates it, in one life of its host.
#[async_trait]
pub trait App: Send + Sync {
    /// Performs an intent of the user. Returns when the app says that it is done, which for a hangup means that nothing
    /// of the call goes on; that may take time, and other intents may come meanwhile. An intent that cannot be
    /// performed any more, because the call is over or never existed, has no effect.
    ///
    /// # Errors
    /// [`NotUnderstood`] if the app has no such act: the run fails.
    async fn act(self: Arc<Self>, intent: Intent) -> Result<(), NotUnderstood>;

    /// Ends every call at the end of the run; users no longer act.
    async fn end_calls(self: Arc<Self>) {}

    /// Ends everything that is left: connections to servers, tasks. Called some time after [`App::end_calls`]; nothing
    /// may be left a second later.
    async fn go_offline(self: Arc<Self>) {}

    /// Returns the number of allocations of a TURN server.
    ///
    /// # Errors
    /// Returns the reason why the number is not known.
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
