//! Somebody hangs up, at any moment of a call; with the server there to pass it on, and without.

use std::{fmt, time::Duration};

use anyhow::Context;

use super::{
    gone,
    said::{count, no_errors},
};
use crate::{
    phone::{Kind, Phone},
    stage::{SOON, Stage, ms},
    table::Came,
};

/// How long the other end may take to show it.
const TOLD_IN: Duration = Duration::from_secs(3);
/// How long is waited for what a closed end might still report.
const AFTER: Duration = Duration::from_millis(500);

/// When.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Right after dialing: the hangup may overtake the invitation.
    Dialing,
    /// While it rings.
    Ringing,
    /// It was picked up, and there is no connection yet.
    Connecting,
    /// They talk.
    Connected,
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dialing => "dialing",
            Self::Ringing => "ringing",
            Self::Connecting => "connecting",
            Self::Connected => "connected",
        })
    }
}

/// Which end acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// Who called.
    Caller,
    /// Who was called.
    Callee,
    /// Both at once.
    Both,
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Caller => "by-caller",
            Self::Callee => "by-callee",
            Self::Both => "by-both",
        })
    }
}

/// Plays it with the server there.
///
/// # Errors
/// When the call does not get as far.
pub async fn play(stage: &mut Stage, moment: Moment, who: Who) -> anyhow::Result<Came> {
    let mut came = Came::default();
    reach(stage, moment, who).await?;
    if who != Who::Callee {
        stage.caller.tap("hang-up").await?;
    }
    if who != Who::Caller {
        stage.callee.tap("hang-up").await?;
    }
    let since = stage.clock.passed();
    // A callee that never heard of the call has nothing to show.
    let must_show = |name: &str| moment != Moment::Dialing || name == "caller";
    for (phone, name) in stage.phones().into_iter().zip(["caller", "callee"]) {
        match phone.shows("over", TOLD_IN).await {
            Some(over) => {
                let end = &over.line["end"];
                came.must(end == "hung-up", format!("the {name} shows {end}"));
                let took = ms(over.at.saturating_sub(since));
                came.saw(format!("{name}: over after {took} ms"));
            }
            None => came.must(
                !must_show(name),
                format!("the {name} does not show that it is over"),
            ),
        }
    }
    tokio::time::sleep(AFTER).await;
    for (phone, name) in stage.phones().into_iter().zip(["caller", "callee"]) {
        closed(phone, name, &mut came).await?;
    }
    Ok(came)
}

/// Lets the call get as far as `moment`, at the ends that are to hang up.
async fn reach(stage: &mut Stage, moment: Moment, who: Who) -> anyhow::Result<()> {
    match moment {
        Moment::Dialing => stage.caller.dial("bob").await,
        Moment::Ringing => stage.ring().await,
        Moment::Connected => stage.connect().await.map(drop),
        Moment::Connecting => {
            stage.ring().await?;
            stage.callee.tap("accept").await?;
            if who != Who::Caller {
                let shown = stage.callee.shows("connecting", SOON).await;
                shown.context("the callee does not connect")?;
            }
            if who != Who::Callee {
                let shown = stage.caller.shows("connecting", SOON).await;
                shown.context("the caller does not connect")?;
            }
            Ok(())
        }
    }
}

/// What a closed end says: a page *closed*, without an event (W3C webrtc-pc, close); the crate with one.
async fn closed(phone: &mut Phone, name: &str, came: &mut Came) -> anyhow::Result<()> {
    match phone.kind {
        Kind::App => {
            let states = phone.states().await?;
            let reported = states.iter().filter(|state| *state == "closed").count();
            came.saw(format!("the {name}'s app reported closed {reported} times"));
        }
        Kind::Page => {
            let looked = phone.look().await?;
            let now = &looked["now"];
            if looked.get("record").is_none() {
                came.saw(format!("the {name}'s page made no peer connection"));
                return Ok(());
            }
            came.must(
                now["connection"] == "closed" && now["signaling"] == "closed" && now["ice"] == "closed",
                format!("the {name}'s page is {now}"),
            );
            let after = count(&looked["record"], "afterClose");
            came.must(
                after == 0,
                format!("{after} events after close at the {name}'s page"),
            );
            came.saw(format!("the {name}'s page is closed, without an event"));
            no_errors(phone, name, came).await?;
        }
    }
    Ok(())
}

/// Plays it with the server gone: nobody is told but by the connection.
///
/// # Errors
/// When the call does not connect.
pub async fn unheard(stage: &mut Stage, who: Who) -> anyhow::Result<Came> {
    let mut came = Came::default();
    stage.connect().await?;
    stage.office.kill().await?;
    let (hangs_up, other) = match who {
        Who::Callee => (&mut stage.callee, &mut stage.caller),
        _ => (&mut stage.caller, &mut stage.callee),
    };
    let clock = gone::page_clock(other, stage.clock).await?;
    let since = stage.clock.passed();
    hangs_up.tap("hang-up").await?;
    let shown = hangs_up.shows("over", TOLD_IN).await;
    came.must(shown.is_some(), "who hangs up is not told that it is over");
    let end = gone::watch(other, since, clock, &mut came).await?;
    came.must(end.is_some(), "the other end never shows that it is over");
    Ok(came)
}
