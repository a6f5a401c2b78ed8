//! Turns panics inside a run into events of its trace instead of text on the terminal.

use std::{
    any::Any,
    cell::RefCell,
    panic::{self, AssertUnwindSafe},
    sync::{Once, Weak},
};

use super::{
    sim::Shared,
    tasks::{self, short_place},
};
use crate::{trace::EventKind, world::Sim};

thread_local! {
    static RUN: RefCell<Option<Weak<Shared>>> = const { RefCell::new(None) };
    /// The place of the last panic, during a call of [`catch_panic`] on this thread.
    static CAUGHT_AT: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Installs the panic hook of the process, once. Outside a run it calls the previous hook.
pub(super) fn install_hook() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let sim = RUN
                .with(|run| run.borrow().as_ref().and_then(Weak::upgrade))
                .map(Sim::from_shared);
            let place = info
                .location()
                .map(|l| short_place(l.file(), l.line()))
                .unwrap_or_default();
            let catching = CAUGHT_AT.with(|at| {
                let mut at = at.borrow_mut();
                at.as_mut().map(|at| *at = place.clone()).is_some()
            });
            if catching {
                return;
            }
            let Some(sim) = sim else {
                return before(info);
            };
            let message = with_hint(message(info.payload()));
            // Also in a life that a crash has ended: a defect is one wherever it shows.
            let host = tasks::current_owner().map(|owner| owner.host);
            sim.record_on(host, EventKind::Panicked { message, place });
        }));
    });
}

/// Calls `act` outside a run; catches a panic without printing it.
///
/// # Errors
/// Returns the place and the message of the panic.
pub(crate) fn catch_panic<T>(act: impl FnOnce() -> T) -> Result<T, String> {
    install_hook();
    CAUGHT_AT.set(Some(String::new()));
    let done = panic::catch_unwind(AssertUnwindSafe(act));
    let place = CAUGHT_AT.take().unwrap_or_default();
    done.map_err(|payload| format!("a panic at {place}: {}", message(payload.as_ref())))
}

/// Returns the message of a panic.
pub(super) fn message(payload: &(dyn Any + Send)) -> String {
    if let Some(text) = payload.downcast_ref::<&str>() {
        (*text).to_owned()
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text.clone()
    } else {
        "a panic without a message".to_owned()
    }
}

/// The panic message of tokio's own sockets on the runtime of a run, which has no driver for them.
const REAL_SOCKET: &str = "context was found, but IO is disabled";

/// Adds a hint to a panic message that does not say what to do.
fn with_hint(message: String) -> String {
    match message.contains(REAL_SOCKET) {
        true => format!(
            "a socket of tokio was opened inside a run, where the network is simulated: use the type of the same name in \
             `sleet::app::net` ({message})"
        ),
        false => message,
    }
}

/// Records panics on this thread as events of `sim` until the guard is dropped.
pub(super) fn record_into(sim: &Sim) -> RecordPanics {
    RUN.with(|run| *run.borrow_mut() = Some(sim.downgrade()));
    RecordPanics
}

/// A guard: panics of this thread are recorded while it lives.
pub(super) struct RecordPanics;

impl Drop for RecordPanics {
    fn drop(&mut self) {
        RUN.with(|run| *run.borrow_mut() = None);
    }
}
