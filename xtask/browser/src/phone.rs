//! A phone, whichever it is: the app's, or a page in a browser. Both are tapped alike, and show the same things.

use std::{collections::VecDeque, fmt, time::Duration};

use anyhow::bail;
use serde_json::{Value, json};
use sleet_reality::clock::Clock;
use tokio::{
    sync::mpsc::{self, UnboundedReceiver},
    time::timeout,
};

use crate::{
    app::{Log, Process},
    page::Page,
};

/// The call that all cases are about.
pub const CALL: &str = "c1";

/// Which kind of phone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `own-client`, on the `webrtc` crate.
    App,
    /// The page in Chromium.
    Page,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::App => "app",
            Self::Page => "page",
        })
    }
}

/// Something that a phone showed.
#[derive(Clone, Debug)]
pub struct Shown {
    /// When, on the case's clock.
    pub at: Duration,
    /// `rings`, `connected` and so on.
    pub what: String,
    /// All that it said.
    pub line: Value,
}

/// What a phone is made of.
pub enum Works {
    /// The app's.
    App(Box<Process>),
    /// A browser's.
    Page(Box<Page>),
}

/// A phone that is switched on.
pub struct Phone {
    /// Which kind it is.
    pub kind: Kind,
    /// What it is made of.
    pub works: Works,
    shown: UnboundedReceiver<Shown>,
    ahead: VecDeque<Shown>,
}

/// Puts the time on what `raw` says.
pub fn timed(clock: Clock, mut raw: UnboundedReceiver<Value>) -> UnboundedReceiver<Shown> {
    let (screen, shown) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Some(line) = raw.recv().await {
            let what = line["shown"].as_str().unwrap_or_default().to_owned();
            let at = clock.passed();
            // Nobody may look any more.
            let _ = screen.send(Shown { at, what, line });
        }
    });
    shown
}

impl Phone {
    /// A phone that shows what comes out of `shown`.
    pub fn new(works: Works, shown: UnboundedReceiver<Shown>) -> Self {
        let kind = match works {
            Works::App(_) => Kind::App,
            Works::Page(_) => Kind::Page,
        };
        Self {
            kind,
            works,
            shown,
            ahead: VecDeque::new(),
        }
    }

    /// Taps, about the call.
    ///
    /// # Errors
    /// When it is gone.
    pub async fn tap(&mut self, tap: &str) -> anyhow::Result<()> {
        self.send(&json!({"tap": tap, "call": CALL})).await
    }

    /// Dials `to`.
    ///
    /// # Errors
    /// When it is gone.
    pub async fn dial(&mut self, to: &str) -> anyhow::Result<()> {
        self.send(&json!({"tap": "dial", "call": CALL, "to": to})).await
    }

    async fn send(&mut self, tap: &Value) -> anyhow::Result<()> {
        match &mut self.works {
            Works::App(app) => app.tap(tap).await,
            Works::Page(page) => page.tap(tap).await,
        }
    }

    /// Waits at most `within` until it shows `what`; what it shows before that is passed over, but for the end of the call, which
    /// stays.
    pub async fn shows(&mut self, what: &str, within: Duration) -> Option<Shown> {
        let looks = async {
            loop {
                let shown = match self.ahead.pop_front() {
                    Some(shown) => shown,
                    None => self.shown.recv().await?,
                };
                if shown.what == what {
                    return Some(shown);
                }
                if shown.what == "over" {
                    self.ahead.push_front(shown);
                    return None;
                }
            }
        };
        timeout(within, looks).await.ok().flatten()
    }

    /// What a page knows of the call.
    ///
    /// # Errors
    /// When it is no page, or gone.
    pub async fn look(&mut self) -> anyhow::Result<Value> {
        match &mut self.works {
            Works::Page(page) => page.look(CALL).await,
            Works::App(_) => bail!("the app's phone has no page to look at"),
        }
    }

    /// The app's log.
    pub fn log(&self) -> Option<&Log> {
        match &self.works {
            Works::App(app) => Some(&app.log),
            Works::Page(_) => None,
        }
    }

    /// Kills what it is made of.
    ///
    /// # Errors
    /// When the system cannot.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        match &mut self.works {
            Works::App(app) => app.kill().await,
            Works::Page(page) => page.kill().await,
        }
    }

    /// The states of its peer connection, in order, each with when it was reported.
    ///
    /// # Errors
    /// When it is a page that is gone.
    pub async fn states(&mut self) -> anyhow::Result<Vec<String>> {
        if let Some(log) = self.log() {
            return Ok(log.picked(|_, line| state_in(line).map(str::to_owned)));
        }
        let looked = self.look().await?;
        let states = looked["record"]["connection"].as_array();
        let states = states.into_iter().flatten().filter_map(Value::as_str);
        Ok(states.map(str::to_owned).collect())
    }
}

/// The state of the peer connection that a line of the app's log reports.
pub fn state_in(line: &str) -> Option<&str> {
    let (_, rest) = line.split_once("the peer connection ")?;
    let (_, state) = rest.split_once("state=")?;
    state.split_whitespace().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_read_from_the_app_s_log() {
        let line = "2026-01-01T00:00:00Z DEBUG own_client::call: the peer connection call=c1 state=connected";
        assert_eq!(state_in(line), Some("connected"));
        assert_eq!(state_in("DEBUG own_client::line: signed in"), None);
    }

    #[tokio::test]
    async fn the_end_of_a_call_stays_until_it_is_asked_for() {
        let (says, raw) = mpsc::unbounded_channel();
        for what in ["rings", "over"] {
            says.send(json!({"shown": what})).expect("it is read");
        }
        let shown = timed(Clock::start(), raw);
        let works = mpsc::unbounded_channel().0;
        let process = Process::start(std::path::Path::new("/bin/cat"), &[], Clock::start(), works);
        let mut phone = Phone::new(Works::App(Box::new(process.expect("it starts"))), shown);
        let ms = Duration::from_secs(5);
        assert!(phone.shows("connected", ms).await.is_none(), "it is over before");
        assert!(phone.shows("over", ms).await.is_some());
    }
}
