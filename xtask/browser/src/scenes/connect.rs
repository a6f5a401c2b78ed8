//! They call and talk: what both hear, by which pair, and through which states.

use std::time::Duration;

use serde_json::Value;

use super::said::{count, no_errors, words};
use crate::{
    phone::{Kind, Phone},
    stage::{SOON, Stage},
    table::Came,
};

/// How long they talk, twice.
const TALK: Duration = Duration::from_millis(1_500);
/// What is heard in twice that time at least: a packet of audio is 20 ms, a text comes every 100 ms.
const HEARD: [(&str, u64); 2] = [("audio", 75), ("texts", 15)];

/// Plays it.
///
/// # Errors
/// When it does not connect.
pub async fn play(stage: &mut Stage) -> anyhow::Result<Came> {
    let mut came = Came::default();
    let [(caller_ms, caller), (callee_ms, callee)] = stage.connect().await?;
    came.saw(format!(
        "connected {caller_ms} ms after picking up (callee: {callee_ms} ms)"
    ));
    let pair = |line: &Value| line["pair"].as_str().unwrap_or("none").to_owned();
    came.saw(format!(
        "pair {} (callee: {})",
        pair(&caller.line),
        pair(&callee.line)
    ));
    tokio::time::sleep(TALK).await;
    let between = [looked(&mut stage.caller).await?, looked(&mut stage.callee).await?];
    tokio::time::sleep(TALK).await;
    stage.caller.tap("hang-up").await?;
    for ((phone, name), between) in stage.phones().into_iter().zip(["caller", "callee"]).zip(between) {
        let Some(over) = phone.shows("over", SOON).await else {
            came.must(false, format!("the {name} does not show that it is over"));
            continue;
        };
        for (what, least) in HEARD {
            let heard = count(&over.line, what);
            came.must(heard >= least, format!("the {name} heard {heard} {what}"));
            if let Some(between) = &between {
                let before = count(between, what);
                came.must(
                    before > 0 && before < heard,
                    format!("the {name} heard no more {what} after {before}"),
                );
            }
        }
        came.saw(format!(
            "the {name} heard {} packets and {} texts",
            count(&over.line, "audio"),
            count(&over.line, "texts")
        ));
        came.saw(format!("{name}: {}", phone.states().await?.join(" ")));
        no_errors(phone, name, &mut came).await?;
        if phone.kind == Kind::Page {
            let looked = phone.look().await?;
            came.saw(machines(&looked, &between.unwrap_or_default()));
        }
    }
    Ok(came)
}

/// A look at the phone, if it is a page.
async fn looked(phone: &mut Phone) -> anyhow::Result<Option<Value>> {
    Ok(match phone.kind {
        Kind::Page => Some(phone.look().await?),
        Kind::App => None,
    })
}

/// What the other machines of a page went through, and the roles that it had while they talked.
fn machines(over: &Value, during: &Value) -> String {
    let record = &over["record"];
    let transport = &during["transport"];
    format!(
        "(signaling {}, gathering {}, ICE {}; candidates {}; ICE {}, DTLS {} of version {})",
        words(&record["signaling"]),
        words(&record["gathering"]),
        words(&record["ice"]),
        words(&record["ends"]),
        transport["iceRole"].as_str().unwrap_or("?"),
        transport["dtlsRole"].as_str().unwrap_or("?"),
        dtls(transport["tlsVersion"].as_str()),
    )
}

/// The version of DTLS by its number on the wire.
fn dtls(number: Option<&str>) -> &str {
    match number {
        Some("FEFD") => "1.2",
        Some("FEFC") => "1.3",
        other => other.unwrap_or("?"),
    }
}
