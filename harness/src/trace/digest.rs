//! The hash over a trace, with checkpoints.

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Event, lines::Lines};

/// The number of events between two checkpoints of the digest.
pub const CHECKPOINT_EVERY: usize = 1_024;

/// A blake3 hash, written as `b3:` and 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Digest(blake3::Hash);

impl Digest {
    /// Computes the digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(blake3::hash(bytes))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "b3:{}", self.0)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<Digest> for String {
    fn from(d: Digest) -> Self {
        d.to_string()
    }
}

/// The error for a text that is not a digest.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("'{0}' is not a digest: b3: and 64 hexadecimal digits")]
pub struct DigestError(String);

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(s: &str) -> Result<Self, DigestError> {
        s.strip_prefix("b3:")
            .and_then(|hex| blake3::Hash::from_hex(hex).ok())
            .map(Self)
            .ok_or_else(|| DigestError(s.to_owned()))
    }
}

impl TryFrom<String> for Digest {
    type Error = DigestError;

    fn try_from(s: String) -> Result<Self, DigestError> {
        s.parse()
    }
}

/// Computes a digest from events one by one.
#[derive(Clone, Debug, Default)]
pub(super) struct Hasher {
    hasher: blake3::Hasher,
    lines: Lines,
    // So many bytes of `lines` are in the hash.
    hashed: usize,
    count: usize,
    checkpoints: Vec<Digest>,
}

impl Hasher {
    /// Adds `event`; returns its line.
    pub(super) fn add(&mut self, event: &Event) -> &[u8] {
        /// Blake3 hashes several of its chunks of a kibibyte at once, for less than one by one.
        const AT_ONCE: usize = 16 * 1_024;
        if self.lines.written().len() >= AT_ONCE {
            self.catch_up();
            self.lines.clear();
            self.hashed = 0;
        }
        let begin = self.lines.written().len();
        self.lines.add(event);
        self.count += 1;
        if self.count.is_multiple_of(CHECKPOINT_EVERY) {
            self.catch_up();
            self.checkpoints.push(Digest(self.hasher.finalize()));
        }
        &self.lines.written()[begin..]
    }

    pub(super) fn finish(mut self) -> (Digest, Vec<Digest>) {
        self.catch_up();
        (Digest(self.hasher.finalize()), self.checkpoints)
    }

    fn catch_up(&mut self) {
        self.hasher.update(&self.lines.written()[self.hashed..]);
        self.hashed = self.lines.written().len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        time::SimTime,
        trace::{EventKind, Trace},
    };

    #[test]
    fn a_digest_is_the_hash_of_the_lines_however_many_are_hashed_at_once() {
        let event = |seq: u64| Event {
            seq,
            at: SimTime::from_nanos(seq * 1_000),
            host: Some("alice".into()),
            kind: EventKind::Mark {
                mark: "x".repeat(usize::try_from(seq % 300).expect("small")),
            },
        };
        for count in [0, 1, 40, 1_023, 1_024, 1_025, 3_000] {
            let trace = Trace::from_events((0..count).map(event).collect());
            let text = trace.to_json_lines();
            assert_eq!(trace.digest, Digest::of(text.as_bytes()), "{count} events");
            let lines: Vec<&str> = text.split_inclusive('\n').collect();
            let until = lines
                .chunks(CHECKPOINT_EVERY)
                .scan(String::new(), |until, lines| {
                    until.extend(lines.iter().copied());
                    Some((lines.len(), Digest::of(until.as_bytes())))
                });
            let whole: Vec<Digest> = until
                .filter(|(lines, _)| *lines == CHECKPOINT_EVERY)
                .map(|(_, digest)| digest)
                .collect();
            assert_eq!(trace.checkpoints, whole, "{count} events");
        }
    }

    #[test]
    fn a_digest_is_read_is_read_as_it_is_written() {
        let digest = Digest::of(b"x");
        assert_eq!(digest.to_string().parse(), Ok(digest));
        for bad in ["", "b3:", "b3:00", "sha:00"] {
            assert_eq!(bad.parse::<Digest>(), Err(DigestError(bad.into())));
        }
    }
}
