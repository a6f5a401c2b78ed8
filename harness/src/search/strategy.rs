//! Where the plans of a search come from. Plain data.

use std::{fmt, str::FromStr};

use thiserror::Error;

use super::breed::Change;

/// Where the plans of a search come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strategy {
    /// Fresh draws of the scenario, seed after seed: the same runs as those of a suite.
    Swarm,
    /// Of several plans, drawn afresh or bred from those that reached something new, the one with the most in it that was
    /// not run together before.
    #[default]
    Guided,
}

impl Strategy {
    /// Both strategies.
    pub const ALL: [Self; 2] = [Self::Swarm, Self::Guided];
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Swarm => "swarm",
            Self::Guided => "guided",
        })
    }
}

/// The error of a name that is no strategy's.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("'{0}' is no strategy: write guided or swarm")]
pub struct NoStrategy(String);

impl FromStr for Strategy {
    type Err = NoStrategy;

    fn from_str(text: &str) -> Result<Self, NoStrategy> {
        let named = Self::ALL.into_iter().find(|s| s.to_string() == text);
        named.ok_or_else(|| NoStrategy(text.to_owned()))
    }
}

/// Where a proposed plan comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The scenario's own draw of the seed.
    Drawn,
    /// Bred by these changes.
    Bred(Vec<Change>),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Drawn => f.write_str("drawn from its seed"),
            Self::Bred(changes) => {
                let names: Vec<&str> = changes.iter().map(|change| change.name()).collect();
                write!(f, "bred: {}", names.join(", "))
            }
        }
    }
}
