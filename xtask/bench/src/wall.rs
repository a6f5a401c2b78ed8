//! Real time: what a benchmark measures, and what no simulated run may see.

use std::time::Instant;

/// How long `work` takes, in milliseconds, with what it gives.
///
/// # Errors
/// Those of `work`.
pub fn timed<R>(work: impl FnOnce() -> anyhow::Result<R>) -> anyhow::Result<(f64, R)> {
    #[allow(clippy::disallowed_methods, reason = "a benchmark measures real time")]
    let began = Instant::now();
    let result = work()?;
    Ok((began.elapsed().as_secs_f64() * 1_000.0, result))
}

/// How long one of `times` repetitions of `work` takes, in milliseconds.
///
/// # Errors
/// The first error of `work`.
pub fn each(times: u32, mut work: impl FnMut() -> anyhow::Result<()>) -> anyhow::Result<f64> {
    let (took, ()) = timed(|| (0..times).try_for_each(|_| work()))?;
    Ok(took / f64::from(times.max(1)))
}
