//! Many calls in one world: what a call costs where there are many.

use super::{Settings, interleaved};
use crate::{
    catalogue::{run_with, scenario},
    row::{Budget, Row},
    wall::worked,
};

/// How many calls the worlds have.
const CALLS: [u64; 5] = [1, 8, 32, 128, 512];
/// Calls in a round of each size of world, so that small worlds are measured as long as large ones.
const IN_A_ROUND: u64 = 64;

pub(super) fn measure(settings: Settings) -> anyhow::Result<Vec<Row>> {
    let pairs = scenario("scale/pairs")?;
    let per_call = |calls: u64| {
        let pairs = &pairs;
        move |round: u64| {
            let worlds = IN_A_ROUND.div_ceil(calls);
            let (took, ()) = worked(|| {
                (0..worlds).try_for_each(|world| {
                    let seed = round * worlds + world;
                    run_with(pairs, seed, |plan| {
                        *plan = sleet_scenarios::scale::pairs(sleet::seed::Seed(seed), calls);
                    })
                    .map(drop)
                })
            })?;
            Ok(took / (worlds * calls) as f64)
        }
    };
    let [one, eight, some, many, most] = interleaved(
        settings.rounds_or(3),
        CALLS.map(|calls| Box::new(per_call(calls)) as super::Turn<'_>),
    )?;
    let alone = ("1 call", one.as_slice());
    let beside = |name, cost: &[f64], budget| Row::beside(name, "ms/call", cost, alone, budget);
    let rows = [
        beside("calls-8", &eight, Budget::Within(1.3)),
        beside("calls-32", &some, Budget::Within(1.3)),
        beside("calls-128", &many, Budget::Within(1.3)),
        beside("calls-512", &most, Budget::Within(1.3)),
    ];
    Ok(rows.into_iter().flatten().collect())
}
