//! The recording of a run: events in order, and the digest over them.
//!
//! The canonical form of a trace is its JSON lines, one event a line; the digest is the blake3 hash of
//! those bytes, so that `trace.jsonl` can be checked with any blake3 tool. Nothing in an event may
//! depend on the process that recorded it: no addresses in memory, no task ids, no wall time.

mod about;
mod address;
mod call;
mod cause;
mod clean;
mod digest;
mod event;
mod index;
mod intent;
mod keys;
mod lines;
mod peer_id;
mod stun_line;
mod tap;
mod terms;
mod watch;
pub mod wire;

use std::sync::{Arc, Mutex, OnceLock};

pub use call::{CallEvent, CallOutcome, Point};
pub use cause::{Cause, Direction, Effect, FaultId, Refusal};
pub use clean::clean;
pub(crate) use clean::short_path;
use digest::Hasher;
pub use digest::{CHECKPOINT_EVERY, Digest, DigestError};
pub use event::{Event, EventKind};
use index::Index;
pub use intent::{Intent, leg_of};
pub use keys::IceKeys;
use lines::Lines;
pub use peer_id::PeerId;
pub use stun_line::{IceRole, StunLine, carried, channel_of};
pub use tap::{Segment, Tap, Tapped};
pub use terms::{Candidate, Flow, Machine, PacketId, Proto, SignalDirection, Stop};
pub use watch::{Crossing, Watch};

use crate::time::SimTime;

/// The version of the lines of `trace.jsonl`.
pub const TRACE_VERSION: u32 = 2;

/// The name of the harness's service at the client end of a signaling connection, on whichever host it runs.
pub const SERVICE: &str = "server";

/// Events of one run, in the order in which they happened, with their digest.
#[derive(Clone, Debug)]
pub struct Trace {
    /// The events; the sequence number of each is its index.
    pub events: Vec<Event>,
    /// The hash over the JSON lines of all events.
    pub digest: Digest,
    /// The hash up to every [`CHECKPOINT_EVERY`]th event, for bisection.
    pub checkpoints: Vec<Digest>,
    // Built on first use: from then on the events must not change.
    index: OnceLock<Index>,
}

impl Trace {
    /// Creates a trace from its events.
    pub fn from_events(events: Vec<Event>) -> Self {
        let mut hasher = Hasher::default();
        for event in &events {
            hasher.add(event);
        }
        let (digest, checkpoints) = hasher.finish();
        Self {
            events,
            digest,
            checkpoints,
            index: OnceLock::new(),
        }
    }

    /// Iterates over the events of `host`.
    pub fn of<'a>(&'a self, host: &str) -> impl Iterator<Item = &'a Event> + use<'a> {
        self.at(self.index().of(host))
    }

    /// Iterates over the events that record users' intents.
    pub(crate) fn intents(&self) -> impl Iterator<Item = &Event> {
        self.at(self.index().intents())
    }

    /// Iterates over the events that end calls without a hang-up: crashes, and calls that are over as an app shows it.
    pub(crate) fn endings(&self) -> impl Iterator<Item = &Event> {
        self.at(self.index().endings())
    }

    /// Returns the devices that the intent `id` dials, if it dials a user with several.
    pub(crate) fn devices_dialed(&self, id: u64) -> &[String] {
        let event = self
            .index()
            .user_dialed(id)
            .map(|place| &self.events[place as usize]);
        match event.and_then(|e| e.kind.intent()) {
            Some(Intent::DialUser { devices, .. }) => devices,
            _ => &[],
        }
    }

    fn at<'a>(&'a self, places: &'a [u32]) -> impl Iterator<Item = &'a Event> + use<'a> {
        places.iter().map(|place| &self.events[*place as usize])
    }

    fn index(&self) -> &Index {
        self.index.get_or_init(|| Index::of_events(&self.events))
    }

    /// Returns the canonical form: one JSON object per line.
    pub fn to_json_lines(&self) -> String {
        let mut lines = Lines::default();
        for event in &self.events {
            lines.add(event);
        }
        lines.into_text()
    }
}

/// The first event in which two traces differ.
#[derive(Clone, Debug, PartialEq)]
pub struct Divergence {
    /// The index of the event in both traces.
    pub index: usize,
    /// The event of the first trace, `None` if that trace ended before.
    pub left: Option<Event>,
    /// The event of the second trace, `None` if that trace ended before.
    pub right: Option<Event>,
}

/// Finds the first event in which two traces differ, by bisection of their checkpoints.
pub fn first_divergence(left: &Trace, right: &Trace) -> Option<Divergence> {
    if left.digest == right.digest {
        return None;
    }
    let equal_blocks = {
        let (mut low, mut high) = (0, left.checkpoints.len().min(right.checkpoints.len()));
        while low < high {
            let middle = (low + high) / 2;
            if left.checkpoints[middle] == right.checkpoints[middle] {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    };
    let end = left.events.len().max(right.events.len());
    (equal_blocks * CHECKPOINT_EVERY..end)
        .find(|&i| left.events.get(i) != right.events.get(i))
        .map(|index| Divergence {
            index,
            left: left.events.get(index).cloned(),
            right: right.events.get(index).cloned(),
        })
}

/// Records the events of a run.
#[derive(Debug, Default)]
pub struct Recorder {
    inner: Mutex<Recording>,
}

#[derive(Debug, Default)]
struct Recording {
    events: Vec<Event>,
    hasher: Hasher,
    watch: Option<Arc<Watch>>,
    listener: Option<Listener>,
    closed: bool,
}

/// A function that is called with every event as it is recorded. It must not record.
pub(crate) struct Listener(pub Box<dyn FnMut(&Event) + Send>);

impl std::fmt::Debug for Listener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Listener")
    }
}

impl Recorder {
    /// Makes `watch` hear of every event from here on.
    ///
    /// # Panics
    /// If a thread panicked while it recorded.
    pub fn watched_by(&self, watch: Arc<Watch>) {
        self.inner.lock().expect("recording does not panic").watch = Some(watch);
    }

    /// Returns the watch, if there is one.
    pub(crate) fn watch(&self) -> Option<Arc<Watch>> {
        self.inner.lock().expect("recording does not panic").watch.clone()
    }

    /// Makes `listener` hear of every event from here on, as it is recorded.
    pub(crate) fn heard_by(&self, listener: Listener) {
        self.inner.lock().expect("recording does not panic").listener = Some(listener);
    }

    /// Adds an event, its texts cleaned (see [`mod@clean`]). Events after [`Recorder::close`] are ignored.
    ///
    /// # Panics
    /// If a thread panicked while it recorded.
    pub fn record(&self, at: SimTime, host: Option<&str>, mut kind: EventKind) {
        clean::event(&mut kind);
        let mut inner = self.inner.lock().expect("recording does not panic");
        if inner.closed {
            return;
        }
        let event = Event {
            seq: inner.events.len() as u64,
            at,
            host: host.map(str::to_owned),
            kind,
        };
        let inner = &mut *inner;
        let line = inner.hasher.add(&event);
        if let Some(watch) = &inner.watch {
            watch.recorded(line);
        }
        if let Some(Listener(listener)) = &mut inner.listener {
            listener(&event);
        }
        inner.events.push(event);
    }

    /// Ends the recording and returns the trace: events while the rest of a run is dropped are not part of it.
    ///
    /// # Panics
    /// If a thread panicked while it recorded.
    pub fn close(&self) -> Trace {
        let mut inner = self.inner.lock().expect("recording does not panic");
        inner.closed = true;
        inner.listener = None;
        let events = std::mem::take(&mut inner.events);
        let (digest, checkpoints) = std::mem::take(&mut inner.hasher).finish();
        Trace {
            events,
            digest,
            checkpoints,
            index: OnceLock::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(n: u64, odd_one: Option<u64>) -> Trace {
        let recorder = Recorder::default();
        for i in 0..n {
            let step = if Some(i) == odd_one { "odd" } else { "step" };
            recorder.record(
                SimTime::from_millis(i),
                Some("alice"),
                EventKind::Step {
                    step: step.into(),
                    detail: String::new(),
                },
            );
        }
        recorder.close()
    }

    #[test]
    fn the_digest_is_the_hash_of_the_json_lines() {
        let trace = steps(3_000, None);
        let hash = blake3::hash(trace.to_json_lines().as_bytes());
        assert_eq!(trace.digest.to_string(), format!("b3:{hash}"));
        assert_eq!(Trace::from_events(trace.events.clone()).digest, trace.digest);
    }

    #[test]
    fn the_first_divergent_event_is_found_in_any_block() {
        let whole = steps(5_000, None);
        assert_eq!(first_divergence(&whole, &whole.clone()), None);
        for odd in [0, 1_023, 1_024, 3_333, 4_999] {
            let other = steps(5_000, Some(odd));
            let found = first_divergence(&whole, &other).expect("they differ");
            assert_eq!(found.index as u64, odd);
        }
        let shorter = steps(4_096, None);
        let found = first_divergence(&whole, &shorter).expect("they differ");
        assert_eq!((found.index, found.right), (4_096, None));
    }

    #[test]
    fn a_watch_is_told_of_every_event_as_it_happens() {
        let (mut reader, writer) = std::io::pipe().expect("a pipe");
        let watch = Arc::new(Watch::streaming(writer));
        let recorder = Recorder::default();
        recorder.watched_by(watch.clone());
        for at in 0..3 {
            let mark = format!("mark {at}");
            recorder.record(SimTime::from_millis(at), None, EventKind::Mark { mark });
            assert_eq!(watch.steps(), at + 1);
        }
        let trace = recorder.close();
        recorder.record(SimTime::ZERO, None, EventKind::Mark { mark: "late".into() });
        drop((recorder, watch));
        let mut streamed = String::new();
        std::io::Read::read_to_string(&mut reader, &mut streamed).expect("text");
        assert_eq!(streamed, trace.to_json_lines());
    }

    #[test]
    fn texts_are_cleaned_as_they_are_recorded() {
        let recorder = Recorder::default();
        let failed = |error: &str| EventKind::Failed {
            step: "read".into(),
            error: error.into(),
        };
        recorder.record(
            SimTime::ZERO,
            None,
            failed("task 7 was cancelled at /home/x/app/src/a.rs:3"),
        );
        let cleaned = failed("task was cancelled at app/src/a.rs:3");
        assert_eq!(recorder.close().events[0].kind, cleaned);
    }

    #[test]
    fn nothing_is_recorded_after_the_end() {
        let recorder = Recorder::default();
        let end = recorder.close();
        recorder.record(SimTime::ZERO, None, EventKind::Mark { mark: "late".into() });
        assert_eq!(recorder.close().events, end.events);
    }
}
