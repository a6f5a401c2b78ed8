//! Real time and processor time: what a benchmark measures, and what no simulated run may see.

use std::time::{Duration, Instant};

use nix::sys::{
    resource::{UsageWho, getrusage},
    time::TimeValLike,
};

/// How long `work` takes on the clock on the wall, in milliseconds, with what it gives.
///
/// # Errors
/// Those of `work`.
pub fn timed<R>(work: impl FnOnce() -> anyhow::Result<R>) -> anyhow::Result<(f64, R)> {
    #[allow(clippy::disallowed_methods, reason = "a benchmark measures real time")]
    let began = Instant::now();
    let result = work()?;
    Ok((began.elapsed().as_secs_f64() * 1_000.0, result))
}

/// Milliseconds of processor time that `work` takes, on all threads of this process, with what it gives. Simulated runs
/// wait for nobody, so on a machine of one's own it is the time on the wall; on one that others use too, it alone says anything.
///
/// # Errors
/// Those of `work`.
pub fn worked<R>(work: impl FnOnce() -> anyhow::Result<R>) -> anyhow::Result<(f64, R)> {
    let began = processor_ms()?;
    let result = work()?;
    Ok((processor_ms()? - began, result))
}

/// The processor time of one of `times` repetitions of `work`, in milliseconds.
///
/// # Errors
/// The first error of `work`.
pub fn each(times: u32, mut work: impl FnMut() -> anyhow::Result<()>) -> anyhow::Result<f64> {
    let (took, ()) = worked(|| (0..times).try_for_each(|_| work()))?;
    Ok(took / f64::from(times.max(1)))
}

fn processor_ms() -> anyhow::Result<f64> {
    let usage = getrusage(UsageWho::RUSAGE_SELF)?;
    let us = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Ok(us as f64 / 1_000.0)
}

/// Waits in real time, between two looks at another process.
pub fn wait(time: Duration) {
    #[allow(
        clippy::disallowed_methods,
        reason = "it looks at another process, which runs in real time"
    )]
    std::thread::sleep(time);
}
