//! A phone that is used line by line, for scripts: taps come in as JSON, and what it shows goes out as JSON.
//!
//! In: `{"tap": "dial", "call": "c1", "to": "bob"}`, `accept`, `decline`, `restart` and `hang-up` with a `call`. Out: `{"shown": "on"}` first,
//! then `rings`, `connecting`, `connected` with the kinds of the pair, `reconnected` likewise, and `over` with what was heard.
//! `{"tap": "count"}` is answered with `{"shown": "tasks", "alive": 2}`: the tasks of the runtime.

use std::io::Write;

use serde_json::{Value, json};
use tokio::{runtime::Handle, sync::mpsc};

use crate::phone::{Phone, Settings, Shown, Tap};

/// Switches `user`'s phone on and serves it until the input ends; then the calls are hung up and it is switched off.
///
/// # Errors
/// A line that is no tap; an output that takes nothing.
pub async fn serve(user: &str, settings: Settings) -> anyhow::Result<()> {
    let (phone, mut shown) = Phone::switch_on(user, settings);
    let mut taps = taps();
    say(&json!({"shown": "on"}))?;
    loop {
        tokio::select! {
            tap = taps.recv() => match tap {
                Some(tap) => match tap? {
                    Asked::Tap(tap) => phone.tap(tap),
                    Asked::Count => say(&json!({
                        "shown": "tasks", "alive": Handle::current().metrics().num_alive_tasks(),
                    }))?,
                },
                None => break,
            },
            Some(shown) = shown.recv() => say(&line(&shown))?,
        }
    }
    drop(phone);
    // What it still shows is the end of its calls.
    while let Some(last) = shown.recv().await {
        say(&line(&last))?;
    }
    Ok(())
}

/// What a line asks for.
enum Asked {
    Tap(Tap),
    Count,
}

impl Asked {
    fn read(line: &str) -> serde_json::Result<Self> {
        let value: Value = serde_json::from_str(line)?;
        match value["tap"].as_str() {
            Some("count") => Ok(Self::Count),
            _ => Ok(Self::Tap(serde_json::from_value(value)?)),
        }
    }
}

/// The taps of the standard input. It is read by a thread, because the runtime would wait for a line before it ends.
fn taps() -> mpsc::UnboundedReceiver<anyhow::Result<Asked>> {
    let (tapped, taps) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lines() {
            let tap = line.map_err(anyhow::Error::from);
            let tap = tap.and_then(|line| Ok(Asked::read(&line)?));
            if tapped.send(tap).is_err() {
                return;
            }
        }
    });
    taps
}

fn say(line: &Value) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}

fn line(shown: &Shown) -> Value {
    match shown {
        Shown::Rings { call, from } => json!({"shown": "rings", "call": call, "from": from}),
        Shown::Connecting { call } => json!({"shown": "connecting", "call": call}),
        Shown::Connected { call, pair } => json!({"shown": "connected", "call": call, "pair": pair}),
        Shown::Reconnected { call, pair } => json!({"shown": "reconnected", "call": call, "pair": pair}),
        Shown::Over { call, end, heard, .. } => json!({
            "shown": "over", "call": call, "end": end, "audio": heard.audio(), "texts": heard.texts(),
        }),
    }
}
