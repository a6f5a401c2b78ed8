//! Two bare agents that stay connected for 30 s: our engine beside turmoil's.

use std::time::Duration;

use super::{Settings, interleaved};
use crate::{
    pair::{Talk, ours, stock},
    row::{Budget, Row},
    wall::{each, worked},
};

const TALK: Talk = Talk::quiet(30);
/// Runs of ours in a round: as long together as one of the baseline.
const OURS: u32 = 20;

pub(super) fn measure(settings: Settings) -> anyhow::Result<Vec<Row>> {
    let [ours, one, five] = interleaved(
        settings.rounds_or(15),
        [
            Box::new(|round| {
                let mut seed = round * u64::from(OURS);
                each(OURS, || {
                    seed += 1;
                    ours::run(seed, TALK).map(drop)
                })
            }),
            Box::new(|round| Ok(worked(|| stock::run(round, Duration::from_millis(1), TALK))?.0)),
            Box::new(|round| each(4, || stock::run(round, Duration::from_millis(5), TALK))),
        ],
    )?;
    let beside = |name, tick, baseline, times| {
        Row::beside(name, "ms", &ours, (tick, baseline), Budget::TimesFaster(times))
    };
    let rows = [
        beside("engine-30s-1ms", "turmoil, 1 ms tick", one.as_slice(), 50.0),
        beside("engine-30s-5ms", "turmoil, 5 ms tick", five.as_slice(), 10.0),
    ];
    Ok(rows.into_iter().flatten().collect())
}
