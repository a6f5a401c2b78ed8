//! What a run costs however short the call is.
//!
//! `fixed-session` is a world in which two clients register with the signaling server and nobody dials: world, thread, session,
//! tear down, oracles. `fixed-bare` is a call of no length: the same with two agents that gather, check, connect
//! and close, on the line through calls of 2 s and of 30 s.

use std::sync::Arc;

use sleet::scenario::Scenario;

use super::{Settings, interleaved};
use crate::{
    catalogue::{run_with, scenario},
    row::{Budget, Row},
    wall::each,
};

const SCENARIO: &str = "candidates/buffer-receiver-bare";
/// Runs in a round.
const RUNS: u32 = 20;
const SHORT_S: u64 = 2;
const LONG_S: u64 = 30;

pub(super) fn measure(settings: Settings) -> anyhow::Result<Vec<Row>> {
    let bare = scenario(SCENARIO)?;
    let [none, short, long] = interleaved(
        settings.rounds_or(15),
        [
            Box::new(|round| {
                let mut seed = round * u64::from(RUNS);
                each(RUNS, || {
                    seed += 1;
                    // Its oracles hold: nobody dials, so nobody has to connect.
                    run_with(&bare, seed, |plan| plan.script.clear()).map(drop)
                })
            }),
            Box::new(|round| talk(&bare, round, SHORT_S)),
            Box::new(|round| talk(&bare, round, LONG_S)),
        ],
    )?;
    let at_zero =
        |(short, long): (&f64, &f64)| short - (long - short) * SHORT_S as f64 / (LONG_S - SHORT_S) as f64;
    let bare: Vec<f64> = short.iter().zip(&long).map(at_zero).collect();
    let rows = [
        Row::alone("fixed-session", "ms", &none, Budget::AtMost(0.8)),
        Row::alone("fixed-bare", "ms", &bare, Budget::AtMost(0.8)),
        Row::alone("bare-2s", "ms", &short, Budget::None),
        Row::alone("bare-30s", "ms", &long, Budget::None),
    ];
    Ok(rows.into_iter().flatten().collect())
}

/// What a run costs whose call talks for so many seconds.
fn talk(bare: &Arc<Scenario>, round: u64, seconds: u64) -> anyhow::Result<f64> {
    let mut seed = round * u64::from(RUNS);
    each(RUNS, || {
        seed += 1;
        run_with(bare, seed, |plan| plan.talk_ms = seconds * 1_000).map(drop)
    })
}
