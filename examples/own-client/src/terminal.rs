//! A phone that is used line by line, for scripts: taps come in as JSON, and what it shows goes out as JSON.
//!
//! In: `{"tap": "dial", "call": "c1", "to": "bob"}`, `accept`, `decline`, `restart` and `hang-up` with a `call`. Out: `{"shown": "on"}` first,
//! then `rings`, `connecting`, `connected` with the kinds of the pair, `reconnected` likewise, and `over` with what was heard.

use std::io::Write;

use serde_json::{Value, json};
use tokio::sync::mpsc;

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
                Some(tap) => phone.tap(tap?),
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

/// The taps of the standard input. It is read by a thread, because the runtime would wait for a line before it ends.
fn taps() -> mpsc::UnboundedReceiver<anyhow::Result<Tap>> {
    let (tapped, taps) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lines() {
            let tap = line.map_err(anyhow::Error::from);
            let tap = tap.and_then(|line| Ok(serde_json::from_str(&line)?));
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
