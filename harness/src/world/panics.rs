//! Panics inside a run become events of its trace, not text on the terminal.

use std::{
    any::Any,
    cell::RefCell,
    panic::{self, AssertUnwindSafe},
    sync::{Once, Weak},
};

use super::{sim::Shared, tasks::short_place};
use crate::{trace::EventKind, world::Sim};

thread_local! {
    static RUN: RefCell<Option<Weak<Shared>>> = const { RefCell::new(None) };
    /// Where the last panic was, while [`catch_panic`] is at work on this thread.
    static CAUGHT_AT: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Installs the process's hook, once. Outside a run it does what the hook before it did.
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
            sim.record(EventKind::Panicked { message, place });
        }));
    });
}

/// Does `act` outside a run; of a panic it says where it was and its message, and prints nothing.
///
/// # Errors
/// The panic, in words.
pub(crate) fn catch_panic<T>(act: impl FnOnce() -> T) -> Result<T, String> {
    install_hook();
    CAUGHT_AT.set(Some(String::new()));
    let done = panic::catch_unwind(AssertUnwindSafe(act));
    let place = CAUGHT_AT.take().unwrap_or_default();
    done.map_err(|payload| format!("a panic at {place}: {}", message(payload.as_ref())))
}

/// The text of a panic.
pub(super) fn message(payload: &(dyn Any + Send)) -> String {
    if let Some(text) = payload.downcast_ref::<&str>() {
        (*text).to_owned()
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text.clone()
    } else {
        "a panic without a message".to_owned()
    }
}

/// How tokio's own sockets panic on the runtime of a run, which has no driver for them.
const REAL_SOCKET: &str = "context was found, but IO is disabled";

/// Says what to do about a panic whose own words do not.
fn with_hint(message: String) -> String {
    match message.contains(REAL_SOCKET) {
        true => format!(
            "a socket of tokio was opened inside a run, where the network is simulated: use the type of the same name in \
             `sleet::app::net` ({message})"
        ),
        false => message,
    }
}

/// Until the guard is dropped, panics on this thread are events of `sim`.
pub(super) fn record_into(sim: &Sim) -> RecordPanics {
    RUN.with(|run| *run.borrow_mut() = Some(sim.downgrade()));
    RecordPanics
}

/// Panics of this thread are recorded while this lives.
pub(super) struct RecordPanics;

impl Drop for RecordPanics {
    fn drop(&mut self) {
        RUN.with(|run| *run.borrow_mut() = None);
    }
}
