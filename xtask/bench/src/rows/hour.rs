//! Two bare agents that stay connected for an hour: silence must cost nothing but its keepalives.

use std::time::Duration;

use super::{Settings, interleaved};
use crate::{
    pair::{Talk, ours, stock},
    row::{Budget, Row},
    wall::worked,
};

const HALF: Talk = Talk::quiet(1_800);
const HOUR: Talk = Talk::quiet(3_600);
/// How much dearer a packet of the second half hour may be than one of the first, for noise.
const TOLERANCE: f64 = 1.2;

pub(super) fn measure(settings: Settings) -> anyhow::Result<Vec<Row>> {
    // Stock turmoil takes some seconds a run.
    let (mut halves, mut wholes) = (Vec::new(), Vec::new());
    let [hour, one, five] = interleaved(
        settings.rounds_or(5),
        [
            Box::new(|round| {
                let none = Talk::quiet(0);
                let (start, began) = worked(|| ours::run(round, none))?;
                let (half, halfway) = worked(|| ours::run(round, HALF))?;
                let (whole, ended) = worked(|| ours::run(round, HOUR))?;
                if round > 0 {
                    let packets = |more: ours::Came, less: ours::Came| (more.packets - less.packets) as f64;
                    halves.push((half - start) * 1_000.0 / packets(halfway, began));
                    wholes.push((whole - half) * 1_000.0 / packets(ended, halfway));
                }
                Ok(whole)
            }),
            Box::new(|round| Ok(worked(|| stock::run(round, Duration::from_millis(1), HOUR))?.0)),
            Box::new(|round| Ok(worked(|| stock::run(round, Duration::from_millis(5), HOUR))?.0)),
        ],
    )?;
    let first = ("the first half hour", halves.as_slice());
    let rows = [
        Row::beside(
            "engine-1h-1ms",
            "ms",
            &hour,
            ("turmoil, 1 ms tick", &one),
            Budget::TimesFaster(100.0),
        ),
        Row::beside(
            "engine-1h-5ms",
            "ms",
            &hour,
            ("turmoil, 5 ms tick", &five),
            Budget::None,
        ),
        Row::beside(
            "engine-1h-linear",
            "us/packet",
            &wholes,
            first,
            Budget::Within(TOLERANCE),
        ),
    ];
    Ok(rows.into_iter().flatten().collect())
}
