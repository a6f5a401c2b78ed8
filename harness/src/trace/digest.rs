//! The hash over a trace, with checkpoints.

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::Event;

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
    line: Vec<u8>,
    count: usize,
    checkpoints: Vec<Digest>,
}

impl Hasher {
    /// Adds `event`; returns its line.
    pub(super) fn add(&mut self, event: &Event) -> &[u8] {
        self.line.clear();
        write_line(&mut self.line, event);
        self.hasher.update(&self.line);
        self.count += 1;
        if self.count.is_multiple_of(CHECKPOINT_EVERY) {
            self.checkpoints.push(Digest(self.hasher.finalize()));
        }
        &self.line
    }

    pub(super) fn finish(self) -> (Digest, Vec<Digest>) {
        (Digest(self.hasher.finalize()), self.checkpoints)
    }
}

/// Appends the canonical line of `event`.
pub(super) fn write_line(out: &mut Vec<u8>, event: &Event) {
    serde_json::to_writer(&mut *out, event).expect("events are plain data");
    out.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_read_as_it_is_written() {
        let digest = Digest::of(b"x");
        assert_eq!(digest.to_string().parse(), Ok(digest));
        for bad in ["", "b3:", "b3:00", "sha:00"] {
            assert_eq!(bad.parse::<Digest>(), Err(DigestError(bad.into())));
        }
    }
}
