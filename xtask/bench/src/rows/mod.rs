//! The rows, in groups that are measured together.
//!
//! Within a group, ours and its baselines take turns, round by round, so that whatever else the machine does meets all alike.

mod build;
mod calls;
mod engine;
mod fixed;
mod hour;
mod jobs;
mod memory;
mod relay;
mod share;
mod whole;

use crate::row::Row;

/// How a group is measured.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How many rounds, if the user said so.
    pub rounds: Option<u32>,
}

impl Settings {
    /// The user's rounds, or those that suit the group.
    pub fn rounds_or(self, usual: u32) -> u32 {
        self.rounds.unwrap_or(usual).max(1)
    }
}

/// Rows that are measured together.
pub struct Group {
    /// What selects it.
    pub name: &'static str,
    /// What is measured.
    pub about: &'static str,
    /// Whether it runs only where it is named, because it takes minutes.
    pub slow: bool,
    /// Measures it.
    pub measure: fn(Settings) -> anyhow::Result<Vec<Row>>,
}

/// All groups, in the order in which they are measured.
pub const GROUPS: [Group; 13] = [
    Group {
        name: "engine",
        about: "two bare agents, 30 s, engine against engine",
        slow: false,
        measure: engine::measure,
    },
    Group {
        name: "hour",
        about: "two bare agents, an hour, engine against engine",
        slow: false,
        measure: hour::measure,
    },
    Group {
        name: "fixed",
        about: "what a run costs however short the call is",
        slow: false,
        measure: fixed::measure,
    },
    Group {
        name: "full",
        about: "two peer connections with signaling, a call of 6 s, whole against whole",
        slow: false,
        measure: whole::measure,
    },
    Group {
        name: "relay",
        about: "the same behind NATs, over a TURN relay",
        slow: false,
        measure: relay::measure,
    },
    Group {
        name: "calls",
        about: "1 to 512 calls in one world: the time per call",
        slow: false,
        measure: calls::measure,
    },
    Group {
        name: "share",
        about: "the project's own share of the instructions (needs valgrind)",
        slow: false,
        measure: share::measure,
    },
    Group {
        name: "loopback",
        about: "the same calls on real loopback sockets, in real time",
        slow: false,
        measure: whole::in_real_time,
    },
    Group {
        name: "jobs",
        about: "2 jobs against 1",
        slow: true,
        measure: jobs::measure,
    },
    Group {
        name: "memory",
        about: "memory of parent and workers over 100,000 seeds",
        slow: true,
        measure: memory::measure,
    },
    Group {
        name: "incremental",
        about: "touch the calling app, build and run one scenario",
        slow: true,
        measure: build::incremental,
    },
    Group {
        name: "fresh",
        about: "a fresh clone to its first result",
        slow: true,
        measure: build::fresh,
    },
    Group {
        name: "second",
        about: "cargo test --workspace after that",
        slow: true,
        measure: build::second,
    },
];

/// One of the things that take turns: what one of its rounds costs.
type Turn<'a> = Box<dyn FnMut(u64) -> anyhow::Result<f64> + 'a>;

/// Lets `turns` take turns for so many rounds, after one that does not count; what each round of each cost. Each is
/// told the number of the round.
fn interleaved<const N: usize>(rounds: u32, mut turns: [Turn<'_>; N]) -> anyhow::Result<[Vec<f64>; N]> {
    let mut samples = [const { Vec::new() }; N];
    for round in 0..=u64::from(rounds) {
        for (turn, samples) in turns.iter_mut().zip(&mut samples) {
            let cost = turn(round)?;
            if round > 0 {
                samples.push(cost);
            }
        }
    }
    Ok(samples)
}
