//! Two peer connections with signaling and a data channel, a call of 6 s: whole against whole, and in real time.

use std::{sync::Arc, time::Duration};

use sleet::scenario::Scenario;

use super::{Settings, interleaved};
use crate::{
    catalogue::{run_with, scenario},
    pair::{self, Talk, ours},
    row::{Budget, Row},
    wall::{each, timed, worked},
    whole::{self, stock},
};

const SCENARIO: &str = "candidates/buffer-receiver";
/// How long the call is, from the dial to the end.
const LASTS: Duration = Duration::from_secs(6);
/// How long the scenario of the catalogue talks so that its runs last as long, on average.
const TALK_MS: u64 = 4_000;
/// Runs of ours in a round.
const OURS: u32 = 20;

/// A run of ours.
fn ours(full: &Arc<Scenario>, seed: u64) -> anyhow::Result<()> {
    run_with(full, seed, |plan| plan.talk_ms = TALK_MS).map(drop)
}

pub(super) fn measure(settings: Settings) -> anyhow::Result<Vec<Row>> {
    let full = scenario(SCENARIO)?;
    let [ours, one, five] = interleaved(
        settings.rounds_or(15),
        [
            Box::new(|round| {
                let mut seed = round * u64::from(OURS);
                each(OURS, || {
                    seed += 1;
                    ours(&full, seed)
                })
            }),
            Box::new(|round| Ok(worked(|| stock::run(round, Duration::from_millis(1), LASTS))?.0)),
            Box::new(|round| each(4, || stock::run(round, Duration::from_millis(5), LASTS))),
        ],
    )?;
    let rows = [
        Row::beside(
            "full-6s",
            "ms",
            &ours,
            ("turmoil, 1 ms tick", &one),
            Budget::AtMost(3.5),
        ),
        Row::beside(
            "full-6s-5ms",
            "ms",
            &ours,
            ("turmoil, 5 ms tick", &five),
            Budget::None,
        ),
    ];
    Ok(rows.into_iter().flatten().collect())
}

/// One round each: real time takes as long as it takes, however fast the machine is.
pub(super) fn in_real_time(_: Settings) -> anyhow::Result<Vec<Row>> {
    let talk = Talk::quiet(30);
    ours::run(0, talk)?;
    let bare = each(20, || ours::run(1, talk).map(drop))?;
    let real_bare = timed(|| pair::loopback::run(talk))?.0;
    let catalogued = scenario(SCENARIO)?;
    let full = each(20, || ours(&catalogued, 1))?;
    let real_full = timed(|| whole::loopback::run(LASTS))?.0;
    let beside = |name, ours, real| {
        let what = ("loopback, real time", &[real] as &[f64]);
        Row::beside(name, "ms", &[ours], what, Budget::None)
    };
    let rows = [
        beside("loopback-bare-30s", bare, real_bare),
        beside("loopback-full-6s", full, real_full),
    ];
    Ok(rows.into_iter().flatten().collect())
}
