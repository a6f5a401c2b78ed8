//! A call behind NATs that let nothing through but a TURN relay.
//!
//! Stock turmoil has no NAT, and a TURN client needs sockets that its UDP multiplexer does not give, so the baseline is
//! our own call without any of it.

use super::{Settings, interleaved};
use crate::{
    catalogue::{run_with, scenario},
    row::{Budget, Row},
    wall::each,
};

/// The seeds of `nat/full-peers` that put both sides behind the strictest NAT: the last cell of its hundred.
const CELL: u64 = 99;
const CELLS: u64 = 100;
/// How long the calls talk so that their runs last 6 s, on average.
const TALK_MS: u64 = 3_000;
/// Runs in a round.
const RUNS: u32 = 10;

pub(super) fn measure(settings: Settings) -> anyhow::Result<Vec<Row>> {
    let (relayed, plain) = (
        scenario("nat/full-peers")?,
        scenario("candidates/buffer-receiver")?,
    );
    let [ours, without] = interleaved(
        settings.rounds_or(15),
        [
            Box::new(|round| {
                let mut seed = CELL + round * CELLS * u64::from(RUNS);
                each(RUNS, || {
                    seed += CELLS;
                    run_with(&relayed, seed, |plan| plan.talk_ms = TALK_MS).map(drop)
                })
            }),
            Box::new(|round| {
                let mut seed = round * u64::from(RUNS);
                each(RUNS, || {
                    seed += 1;
                    run_with(&plain, seed, |plan| plan.talk_ms = TALK_MS).map(drop)
                })
            }),
        ],
    )?;
    let baseline = ("ours without NAT and relay", without.as_slice());
    let row = Row::beside("relay-6s", "ms", &ours, baseline, Budget::AtMost(6.0));
    Ok(row.into_iter().collect())
}
