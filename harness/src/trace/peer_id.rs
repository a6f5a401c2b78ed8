//! The name of a peer in a trace: the call, the attempt within it, and the life of its host.
//!
//! In JSON it is one word, such as `c1#2`, so that a reader can search for it.

use std::{convert::Infallible, fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The identity of a peer on its host.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema, Serialize, Deserialize)]
#[serde(into = "String", from = "String")]
pub struct PeerId {
    /// The call that the peer belongs to, as its client says.
    pub call: String,
    /// The attempt within the call, from 1.
    pub attempt: u32,
    /// The life of the host: the number of restarts before, from 0.
    pub life: u32,
}

impl PeerId {
    /// Creates the id of the attempt `attempt` within `call`, in the first life of its host.
    pub fn new(call: &str, attempt: u32) -> Self {
        Self {
            call: call.to_owned(),
            attempt,
            life: 0,
        }
    }
}

impl fmt::Display for PeerId {
    /// Writes `c1` for the first attempt, `c1#2` for a later one, `c1#1.1` after a crash of the host.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.attempt, self.life) {
            (1, 0) => f.write_str(&self.call),
            (attempt, 0) => write!(f, "{}#{attempt}", self.call),
            (attempt, life) => write!(f, "{}#{attempt}.{life}", self.call),
        }
    }
}

impl FromStr for PeerId {
    type Err = Infallible;

    /// Reads what [`PeerId`] displays; a text without an attempt is the name of a call.
    fn from_str(text: &str) -> Result<Self, Infallible> {
        let numbered = text.rsplit_once('#').and_then(|(call, numbers)| {
            let (attempt, life) = numbers.split_once('.').unwrap_or((numbers, "0"));
            Some(Self {
                call: call.to_owned(),
                attempt: attempt.parse().ok()?,
                life: life.parse().ok()?,
            })
        });
        Ok(numbered.unwrap_or_else(|| Self::new(text, 1)))
    }
}

impl From<String> for PeerId {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

impl From<&str> for PeerId {
    fn from(text: &str) -> Self {
        match text.parse() {
            Ok(id) => id,
            Err(never) => match never {},
        }
    }
}

impl From<PeerId> for String {
    fn from(id: PeerId) -> Self {
        id.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_as_it_is_written() {
        let id = |call: &str, attempt, life| PeerId {
            call: call.into(),
            attempt,
            life,
        };
        for (text, peer) in [
            ("c1", id("c1", 1, 0)),
            ("c1#2", id("c1", 2, 0)),
            ("g1.bob#1.3", id("g1.bob", 1, 3)),
            ("room#x", id("room#x", 1, 0)),
        ] {
            assert_eq!(PeerId::from(text), peer);
            assert_eq!(peer.to_string(), text);
        }
    }
}
