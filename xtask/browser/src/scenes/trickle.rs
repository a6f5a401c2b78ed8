//! Candidates come before the description that they belong to, because the server is slow to pass that on.

use std::time::Duration;

use super::said::{count, no_errors, words};
use crate::{
    phone::{Kind, Phone},
    stage::{SOON, Stage, ms},
    table::Came,
};

/// How long an end may take to say that a call without candidates has failed: the crate takes 30 s.
const GIVES_UP: Duration = Duration::from_secs(45);

/// Whose candidates come early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Early {
    /// The caller's, before the invitation.
    Caller,
    /// The callee's, before the answer.
    Callee,
    /// Both.
    Both,
}

impl Early {
    /// Whose are early when `slow` is: the invite, the accept, or both.
    pub fn of(slow: &str) -> Self {
        match slow {
            "invite" => Self::Caller,
            "accept" => Self::Callee,
            _ => Self::Both,
        }
    }
}

/// Plays it.
///
/// # Errors
/// When it does not ring.
pub async fn play(stage: &mut Stage, early: Early, is_naive: bool) -> anyhow::Result<Came> {
    let mut came = Came::default();
    stage.ring().await?;
    let picked_up = stage.clock.passed();
    stage.callee.tap("accept").await?;
    let mut connected = 0;
    let mut has_ways = false;
    if is_naive && early == Early::Both {
        never(stage, &mut came).await;
    } else {
        for (phone, name) in stage.phones().into_iter().zip(["caller", "callee"]) {
            match phone.shows("connected", SOON).await {
                Some(shown) => {
                    let took = ms(shown.at.saturating_sub(picked_up));
                    let pair = shown.line["pair"].as_str().unwrap_or("none").to_owned();
                    came.saw(format!("the {name} connected after {took} ms, {pair}"));
                    connected += 1;
                }
                None => came.saw(format!("the {name} does not connect")),
            }
        }
    }
    for (phone, name) in stage.phones().into_iter().zip(["caller", "callee"]) {
        let lost = lost(phone).await?;
        let is_hit = match early {
            Early::Caller => name == "callee",
            Early::Callee => name == "caller",
            Early::Both => true,
        };
        let expected = is_naive && is_hit;
        // What a naive phone loses beyond that, it loses to a server that writes the invitation down before it passes it on.
        came.must(
            lost.is_empty() != expected || (is_naive && !is_hit),
            format!("the {name} lost {}", if expected { "none" } else { &lost }),
        );
        has_ways |= lost.is_empty();
        if !lost.is_empty() {
            came.saw(format!("the {name}'s {} lost {lost}", phone.kind));
        }
        // Before the answer the peer connection is there, and refuses; before the invitation there is none.
        if expected && name == "caller" && phone.kind == Kind::Page {
            came.must(lost.contains("InvalidStateError"), format!("refused with {lost}"));
        }
        no_errors(phone, name, &mut came).await?;
    }
    // One end must know a way to the other, whose agent learns the way back from its checks.
    if !(is_naive && early == Early::Both) {
        came.must(
            connected == 2 || !has_ways,
            format!("{connected} ends connected, and one has all candidates of the other"),
        );
    }
    Ok(came)
}

/// Nobody knows anybody: it must not connect; what the ends say.
async fn never(stage: &mut Stage, came: &mut Came) {
    let clock = stage.clock;
    let since = clock.passed();
    for (phone, name) in stage.phones().into_iter().zip(["caller", "callee"]) {
        let left = (since + GIVES_UP).saturating_sub(clock.passed());
        came.must(
            phone.shows("connected", left).await.is_none(),
            format!("the {name} connected"),
        );
        let over = phone.shows("over", Duration::ZERO).await;
        came.saw(match over {
            Some(over) => format!(
                "the {name}'s {} ended it {} s after picking up: {}",
                phone.kind,
                ms(over.at.saturating_sub(since)) / 1_000,
                over.line["end"]
            ),
            None => format!(
                "the {name}'s {} said nothing for {} s",
                phone.kind,
                GIVES_UP.as_secs()
            ),
        });
        if let Ok(states) = phone.states().await {
            came.saw(format!("{name}: {}", states.join(" ")));
        }
    }
}

/// Which of the other side's candidates a phone did not take: how many, and why; empty if none.
async fn lost(phone: &mut Phone) -> anyhow::Result<String> {
    let (strays, refused) = match phone.log() {
        Some(log) => {
            let count = |words| log.picked(|_, line| line.contains(words).then_some(())).len();
            let refused = log.picked(|_, line| {
                let (_, why) = line.split_once("a candidate was refused: ")?;
                Some(why.split(" user=").next().unwrap_or(why).to_owned())
            });
            (count("a candidate of an unknown call") as u64, refused.join(" "))
        }
        None => {
            let looked = phone.look().await?;
            let refused = words(&looked["record"]["refused"]);
            let refused = if refused == "none" { String::new() } else { refused };
            (count(&looked, "strays"), refused)
        }
    };
    let mut lost = Vec::new();
    if strays > 0 {
        lost.push(format!("{strays} of a call that it did not know"));
    }
    if !refused.is_empty() {
        lost.push(format!("refused: {refused}"));
    }
    Ok(lost.join(", "))
}
