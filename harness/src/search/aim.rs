//! Draws of a place in a list and of a time to aim at. Nothing here knows plans.

use crate::seed::{Ppm, Stream};

/// Draws a place in a list of `len`; `None` if it is empty.
pub(super) fn place(draws: &mut Stream, len: usize) -> Option<usize> {
    (len > 0).then(|| draws.below(len as u64) as usize)
}

/// Draws a time near one of `moments`; `None` half of the time, and without moments.
pub(super) fn aimed(moments: &[u64], draws: &mut Stream) -> Option<u64> {
    let at = place(draws, moments.len())?;
    let near = moments[at].saturating_sub(20) + draws.below(40);
    draws.chance(Ppm::percent(50)).then_some(near)
}
