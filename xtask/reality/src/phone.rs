//! The app's phones as processes: taps go in, and what they show comes out with the time.

use std::{
    fs::File,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::Sender,
    time::Duration,
};

use anyhow::Context;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    clock::{Clock, rest},
    nat::Side,
};

/// How long a phone may take to end when its input has ended.
const ENDS_IN: Duration = Duration::from_millis(1_500);

/// What a phone shows.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "shown", rename_all = "kebab-case")]
pub enum Shown {
    /// It is switched on.
    On,
    /// It rings.
    Rings {
        /// The call.
        call: String,
    },
    /// It rings no more, and nobody talks yet.
    Connecting {},
    /// The two can talk.
    Connected {
        /// By which kinds of way.
        pair: Option<String>,
    },
    /// They can talk again, or still: over another pair.
    Reconnected {},
    /// The call is over.
    Over {
        /// Why.
        end: Value,
    },
    /// It was asked how many tasks its runtime has.
    Tasks {
        /// So many.
        alive: u64,
    },
}

/// A phone.
pub struct Phone {
    child: Child,
    taps: Option<ChildStdin>,
}

impl Phone {
    /// Starts `command`; what it shows goes to `seen` as it is read, and its log to the file `log`.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(
        mut command: Command,
        side: Side,
        clock: Clock,
        seen: Sender<(Side, Duration, Shown)>,
        log: &Path,
    ) -> anyhow::Result<Self> {
        let log = File::create(log).context("the log of a phone")?;
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log);
        let mut child = command.spawn().context("a phone")?;
        let taps = child.stdin.take();
        let shown = child.stdout.take().context("its output")?;
        std::thread::spawn(move || {
            for line in BufReader::new(shown).lines().map_while(Result::ok) {
                let at = clock.passed();
                // What is none of its lines is for readers of the log.
                let Ok(shown) = serde_json::from_str(&line) else {
                    continue;
                };
                if seen.send((side, at, shown)).is_err() {
                    return;
                }
            }
        });
        Ok(Self { child, taps })
    }

    /// The number of its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Taps, about a call; a call is dialed to `to`.
    ///
    /// # Errors
    /// When it is gone.
    pub fn tap(&mut self, tap: &str, call: &str, to: Option<&str>) -> anyhow::Result<()> {
        let mut line = json!({"tap": tap, "call": call});
        if let Some(to) = to {
            line["to"] = json!(to);
        }
        let taps = self.taps.as_mut().context("it is switched off")?;
        writeln!(taps, "{line}").context("a phone is gone")
    }
}

impl Drop for Phone {
    /// Switches it off.
    fn drop(&mut self) {
        self.taps = None;
        let clock = Clock::start();
        while clock.passed() < ENDS_IN {
            match self.child.try_wait() {
                Ok(None) => rest(Duration::from_millis(10)),
                _ => return,
            }
        }
        // It may have ended meanwhile.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
