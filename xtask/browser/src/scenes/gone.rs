//! An end is gone without a word: after how long the other says so.

use std::{fmt, time::Duration};

use anyhow::bail;
use sleet_reality::clock::Clock;

use super::said::count;
use crate::{
    phone::{Kind, Phone, Shown, Works, state_in},
    stage::{SOON, Stage, ms},
    table::Came,
};

/// How long anybody may take to say that the other end is gone: the crate takes 30 s.
const GIVES_UP: Duration = Duration::from_secs(60);
/// How long they talk before.
const TALK: Duration = Duration::from_secs(1);

/// How an end is gone. It is the callee.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// Its process is killed: its port is closed, and the kernel says so to who sends there.
    Killed,
    /// Its process stands still: its port is open, and nobody reads.
    Frozen,
    /// The same, for so many seconds.
    FrozenFor(u64),
    /// Its tab is closed, as users do.
    TabClosed,
}

impl fmt::Display for How {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Killed => f.write_str("killed"),
            Self::Frozen => f.write_str("frozen"),
            Self::FrozenFor(seconds) => write!(f, "frozen-{seconds}s"),
            Self::TabClosed => f.write_str("tab-closed"),
        }
    }
}

/// Plays it.
///
/// # Errors
/// When it does not connect.
pub async fn play(stage: &mut Stage, how: How) -> anyhow::Result<Came> {
    let mut came = Came::default();
    stage.connect().await?;
    tokio::time::sleep(TALK).await;
    let clock = page_clock(&mut stage.caller, stage.clock).await?;
    let since = stage.clock.passed();
    match (how, &mut stage.callee.works) {
        (How::Killed, _) => stage.callee.kill().await?,
        (How::Frozen | How::FrozenFor(_), Works::App(app)) => app.signal("STOP").await?,
        (How::TabClosed, Works::Page(page)) => page.close().await?,
        (how, _) => bail!("a {} is not gone that way: {how}", stage.callee.kind),
    }
    if let (How::FrozenFor(seconds), Works::App(app)) = (how, &stage.callee.works) {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        app.signal("CONT").await?;
        let back = stage.caller.shows("reconnected", SOON).await;
        came.must(back.is_some(), "it is not connected again");
        for (state, after) in states(&mut stage.caller, since, clock).await? {
            came.saw(format!("{state} after {}", seconds_of(after)));
        }
        return Ok(came);
    }
    let end = watch(&mut stage.caller, since, clock, &mut came).await?;
    came.must(end.is_some(), "the other end never shows that it is over");
    Ok(came)
}

/// What a page's own clock says when `clock` says nothing; 0 for the app, whose log is read on `clock`.
pub async fn page_clock(phone: &mut Phone, clock: Clock) -> anyhow::Result<i64> {
    if phone.kind == Kind::App {
        return Ok(0);
    }
    let at = i64::try_from(count(&phone.look().await?, "at"))?;
    Ok(at - i64::try_from(ms(clock.passed()))?)
}

/// Waits for the end of the call at `phone`, and says after how long which state was reported since `since`.
pub async fn watch(
    phone: &mut Phone,
    since: Duration,
    page_clock: i64,
    came: &mut Came,
) -> anyhow::Result<Option<Shown>> {
    let over = phone.shows("over", GIVES_UP).await;
    let kind = phone.kind;
    for (state, after) in states(phone, since, page_clock).await? {
        came.saw(format!("{state} after {}", seconds_of(after)));
    }
    match &over {
        Some(over) => came.saw(format!("the {kind} ends the call: {}", over.line["end"])),
        None => came.saw(format!(
            "the {kind} does not end the call in {} s",
            GIVES_UP.as_secs()
        )),
    }
    if kind == Kind::Page {
        let closed = phone.look().await?["chatClosedAt"].as_i64();
        let from = i64::try_from(ms(since))? + page_clock;
        let after = closed.map(|at| u64::try_from(at - from).unwrap_or_default());
        came.saw(match after {
            Some(after) => format!("the page's data channel closed after {}", seconds_of(after)),
            None => "the page's data channel was not closed before".to_owned(),
        });
    }
    Ok(over)
}

/// The states that `phone` reported since `since`, each with the milliseconds after.
async fn states(phone: &mut Phone, since: Duration, page_clock: i64) -> anyhow::Result<Vec<(String, u64)>> {
    if let Some(log) = phone.log() {
        return Ok(log.picked(|at, line| {
            let after = at.checked_sub(since)?;
            Some((state_in(line)?.to_owned(), ms(after)))
        }));
    }
    let looked = phone.look().await?;
    let times = looked["record"]["times"].as_array().into_iter().flatten();
    let from = i64::try_from(ms(since))? + page_clock;
    let states = times.filter_map(|time| {
        let after = time[1].as_i64()? - from;
        Some((time[0].as_str()?.to_owned(), u64::try_from(after).ok()?))
    });
    Ok(states.collect())
}

/// `6.3 s`.
fn seconds_of(ms: u64) -> String {
    format!("{}.{} s", ms / 1_000, ms % 1_000 / 100)
}
