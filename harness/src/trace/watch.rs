//! A view of a run from outside while it goes on: whether it makes progress, and what it last did.
//!
//! The trace of a run that dies or spins is lost. A watch must never change what happens in a run: it is told, and
//! never asked.

use std::{
    fmt,
    io::Write,
    mem,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use super::{Direction, Flow, PacketId, Tap};
use crate::time::SimTime;

/// A packet that entered a direction of an access link, with what a fault on single packets needs to name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crossing {
    /// The time.
    pub at: SimTime,
    /// The packet.
    pub packet: PacketId,
    /// The link.
    pub link: String,
    /// The direction of the link.
    pub direction: Direction,
    /// The number of packets that entered before it.
    pub ordinal: u64,
    /// The addresses of the packet there.
    pub flow: Flow,
}

/// Counts the steps of a run, and may pass its events on as they are recorded.
#[derive(Default)]
pub struct Watch {
    steps: AtomicU64,
    stream: Option<Mutex<Box<dyn Write + Send>>>,
    tap: Option<Tap>,
    crossings: Option<Mutex<Vec<Crossing>>>,
}

impl Watch {
    /// Creates a watch that passes the JSON line of every event on to `stream`, one write per line, before the run goes
    /// on.
    pub fn streaming(stream: impl Write + Send + 'static) -> Self {
        Self {
            stream: Some(Mutex::new(Box::new(stream))),
            ..Self::default()
        }
    }

    /// Also keeps the bytes of every packet: for one run, not for suites.
    pub fn tapping(mut self) -> Self {
        self.tap = Some(Tap::default());
        self
    }

    /// Returns the tap with the bytes of packets, if the watch has one.
    pub fn tap(&self) -> Option<&Tap> {
        self.tap.as_ref()
    }

    /// Creates a watch that keeps every packet that enters a link.
    pub fn of_crossings() -> Self {
        Self {
            crossings: Some(Mutex::default()),
            ..Self::default()
        }
    }

    /// Returns the packets that have entered links so far, in order, and removes them.
    ///
    /// # Panics
    /// If a thread panicked while it added one.
    pub fn take_crossings(&self) -> Vec<Crossing> {
        let taken = self.crossings.as_ref().map(|kept| {
            let mut kept = kept.lock().expect("adding does not panic");
            mem::take(&mut *kept)
        });
        taken.unwrap_or_default()
    }

    /// Records that a packet enters a link. `crossing` is only called if the watch keeps crossings.
    pub(crate) fn crossed(&self, crossing: impl FnOnce() -> Option<Crossing>) {
        if let Some(kept) = &self.crossings
            && let Some(crossing) = crossing()
        {
            kept.lock().expect("adding does not panic").push(crossing);
        }
    }

    /// Returns the number of steps so far: it grows with every event and every poll of a task. A run in which it does
    /// not grow for long is stuck.
    pub fn steps(&self) -> u64 {
        self.steps.load(Ordering::Relaxed)
    }

    /// Counts a step that this watch does not see: the end of one of many runs of a seed.
    pub(crate) fn got_on(&self) {
        self.steps.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a poll of a task.
    pub(crate) fn polled(&self) {
        self.steps.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts an event and passes its line on. Errors of the stream are ignored.
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
