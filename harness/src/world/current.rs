//! The world of this thread, and the host whose task is being polled.
//!
//! Code under test has no handle of the world: it finds its host here, as code in a process finds its machine. The
//! harness's own code is given its host and never looks here.

use std::{cell::RefCell, io, sync::Weak};

use thiserror::Error;

use super::{
    Host, Sim,
    sim::Shared,
    tasks::{self, current_owner},
};

thread_local! {
    static WORLD: RefCell<Option<Weak<Shared>>> = const { RefCell::new(None) };
}

/// The reason why code has no host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NoHost {
    /// No simulation runs on this thread.
    #[error("this code runs outside a simulated run")]
    OutsideRun,
    /// The running task was not started on a host.
    #[error("this task of the run belongs to no host: start it with `Host::spawn`")]
    NotOnAHost,
}

impl From<NoHost> for io::Error {
    /// Creates an error of kind `Unsupported`.
    fn from(error: NoHost) -> Self {
        Self::new(io::ErrorKind::Unsupported, error)
    }
}

impl Sim {
    /// Returns the world of this thread's run; `None` outside a run, and on the thread of tokio's blocking pool.
    ///
    /// ```
    /// assert!(sleet::world::Sim::current().is_none(), "a test is no run");
    /// ```
    pub fn current() -> Option<Self> {
        let shared = WORLD.with(|world| world.borrow().as_ref().and_then(Weak::upgrade));
        shared.map(Self::from_shared)
    }
}

impl Host {
    /// Returns the host, in its life, whose task is being polled.
    ///
    /// # Errors
    /// [`NoHost`]
    ///
    /// # Example
    ///
    /// ```
    /// use sleet::world::{Host, NoHost};
    ///
    /// assert_eq!(Host::current().err(), Some(NoHost::OutsideRun));
    /// ```
    pub fn current() -> Result<Self, NoHost> {
        let sim = Sim::current().ok_or(NoHost::OutsideRun)?;
        let owner = current_owner().ok_or(NoHost::NotOnAHost)?;
        Ok(Self::new(&sim, owner))
    }
}

/// The guard of the world of this thread. It outlives everything of a run that may look for its world: sockets are
/// dropped with the runtime.
pub(super) struct Current(());

impl Current {
    /// Creates the guard, still without a world.
    pub(super) fn reserve() -> Self {
        Self(())
    }

    /// Makes `sim` the world of this thread.
    pub(super) fn plays(&self, sim: &Sim) {
        WORLD.with(|world| *world.borrow_mut() = Some(sim.downgrade()));
    }
}

impl Drop for Current {
    fn drop(&mut self) {
        WORLD.with(|world| *world.borrow_mut() = None);
        tasks::clear();
    }
}
