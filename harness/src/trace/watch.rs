//! A look at a run from outside while it goes on: whether it gets anywhere, and what it last did.
//!
//! A run that dies takes its trace with it, and one that spins never gives it back. A watch must never change what
//! happens in a run: it is told, and never asked.

use std::{
    fmt,
    io::Write,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use super::Tap;

/// Counts what a run does, and may pass its events on as they are recorded.
#[derive(Default)]
pub struct Watch {
    steps: AtomicU64,
    stream: Option<Mutex<Box<dyn Write + Send>>>,
    tap: Option<Tap>,
}

impl Watch {
    /// Passes the JSON line of every event on to `stream`, one write a line, before the run goes on.
    pub fn streaming(stream: impl Write + Send + 'static) -> Self {
        Self {
            stream: Some(Mutex::new(Box::new(stream))),
            ..Self::default()
        }
    }

    /// The same watch, which also keeps the bytes of every packet: for one run, not for suites.
    pub fn tapping(mut self) -> Self {
        self.tap = Some(Tap::default());
        self
    }

    /// The bytes of packets, if it keeps them.
    pub fn tap(&self) -> Option<&Tap> {
        self.tap.as_ref()
    }

    /// How much has happened: grows with every event and every poll of a task. A run in which it stands still for
    /// long is stuck.
    pub fn steps(&self) -> u64 {
        self.steps.load(Ordering::Relaxed)
    }

    /// A task is about to be polled.
    pub(crate) fn polled(&self) {
        self.steps.fetch_add(1, Ordering::Relaxed);
    }

    /// An event was recorded. A stream that takes no more is none of the run's business.
    pub(super) fn recorded(&self, line: &[u8]) {
        self.steps.fetch_add(1, Ordering::Relaxed);
        if let Some(stream) = &self.stream
            && let Ok(mut stream) = stream.lock()
        {
            let _ = stream.write_all(line);
        }
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Watch at step {}", self.steps())
    }
}
