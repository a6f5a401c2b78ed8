//! A look at a run from outside while it goes on: whether it gets anywhere, and what it last did.
//!
//! A run that dies takes its trace with it, and one that spins never gives it back. A watch must never change what
//! happens in a run: it is told, and never asked.

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

/// A packet entered a direction of an access link: what names it to a fault that falls on single packets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crossing {
    /// When.
    pub at: SimTime,
    /// The packet.
    pub packet: PacketId,
    /// The link.
    pub link: String,
    /// Which way.
    pub direction: Direction,
    /// How many packets had entered before it.
    pub ordinal: u64,
    /// Its addresses there.
    pub flow: Flow,
    /// What a TURN server is to pass on, or passes on, decoded, if it carries such.
    pub inside: Option<String>,
}

/// Counts what a run does, and may pass its events on as they are recorded.
#[derive(Default)]
pub struct Watch {
    steps: AtomicU64,
    stream: Option<Mutex<Box<dyn Write + Send>>>,
    tap: Option<Tap>,
    crossings: Option<Mutex<Vec<Crossing>>>,
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

    /// Keeps every packet that enters a link.
    pub fn of_crossings() -> Self {
        Self {
            crossings: Some(Mutex::default()),
            ..Self::default()
        }
    }

    /// The packets that have entered links so far, in order; they are handed over once.
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

    /// A packet enters a link. What it is like is only made up for a watch that keeps it.
    pub(crate) fn crossed(&self, crossing: impl FnOnce() -> Option<Crossing>) {
        if let Some(kept) = &self.crossings
            && let Some(crossing) = crossing()
        {
            kept.lock().expect("adding does not panic").push(crossing);
        }
    }

    /// How much has happened: grows with every event and every poll of a task. A run in which it stands still for
    /// long is stuck.
    pub fn steps(&self) -> u64 {
        self.steps.load(Ordering::Relaxed)
    }

    /// Something that this watch does not see has come to its end: one of many runs of a seed.
    pub(crate) fn got_on(&self) {
        self.steps.fetch_add(1, Ordering::Relaxed);
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
