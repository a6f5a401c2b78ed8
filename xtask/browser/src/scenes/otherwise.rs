//! What a browser does otherwise than the app's stack by default: addresses behind names, and a STUN server that does not answer.

use std::time::Duration;

use anyhow::Context;
use serde_json::Value;

use super::said::{no_errors, words};
use crate::{
    phone::{Kind, Phone},
    stage::Stage,
    table::Came,
};

/// How long a page may look for addresses.
const GATHERING: Duration = Duration::from_secs(30);
/// How long it rings, which is less than the 30 s after which the app's stack gives up.
const RINGS: Duration = Duration::from_secs(20);
/// How often a page is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// The browser hides its addresses.
///
/// # Errors
/// When it does not connect.
pub async fn hidden(stage: &mut Stage) -> anyhow::Result<Came> {
    let mut came = Came::default();
    let [(caller_ms, caller), (_, callee)] = stage.connect().await?;
    let pair = |line: &Value| line["pair"].as_str().unwrap_or("none").to_owned();
    came.saw(format!("connected after {caller_ms} ms"));
    came.saw(format!(
        "pair {} (callee: {})",
        pair(&caller.line),
        pair(&callee.line)
    ));
    for (phone, name) in stage.phones().into_iter().zip(["caller", "callee"]) {
        if phone.kind == Kind::Page {
            let looked = phone.look().await?;
            let candidates = texts(&looked["record"]["candidates"], "candidate");
            let hidden = candidates.iter().filter(|c| c.contains(".local ")).count();
            let all = candidates.iter().filter(|c| !c.is_empty()).count();
            came.must(
                all > 0 && hidden == all,
                format!("the {name} names {hidden} of {all} candidates"),
            );
            came.saw(format!(
                "{hidden} of {all} candidates of the {name}'s page are names"
            ));
        }
        no_errors(phone, name, &mut came).await?;
    }
    Ok(came)
}

/// There is no answer from the STUN server. A page that calls looks for addresses while it rings, one that is called until it is connected.
///
/// # Errors
/// When it does not connect.
pub async fn dead_stun(stage: &mut Stage) -> anyhow::Result<Came> {
    let mut came = Came::default();
    stage.ring().await?;
    let calls = stage.caller.kind == Kind::Page;
    if calls {
        tokio::time::sleep(RINGS).await;
        let looked = stage.caller.look().await?;
        let now = &looked["now"]["gathering"];
        came.must(now == "gathering", format!("it is {now} while it rings"));
        came.saw(format!(
            "after {} s of ringing the page is still gathering",
            RINGS.as_secs()
        ));
    }
    let [(caller_ms, _), (callee_ms, _)] = stage.pick_up().await?;
    came.saw(format!("connected after {caller_ms} ms (callee: {callee_ms} ms)"));
    let page = if calls {
        &mut stage.caller
    } else {
        &mut stage.callee
    };
    let looked = gathered(page).await?;
    let errors = looked["record"]["iceErrors"].as_array().cloned();
    let errors = errors.unwrap_or_default();
    came.saw(format!(
        "gathering stopped when it was connected, with {} errors",
        errors.len()
    ));
    for error in &errors {
        came.saw(format!(
            "icecandidateerror {} after {} ms: {}",
            error["errorCode"],
            error["afterMs"],
            error["errorText"].as_str().unwrap_or_default()
        ));
    }
    came.saw(format!(
        "candidates of the page: {}",
        words(&looked["record"]["ends"])
    ));
    no_errors(page, "page", &mut came).await?;
    Ok(came)
}

/// Waits until a page has gathered.
async fn gathered(phone: &mut Phone) -> anyhow::Result<Value> {
    let watch = async {
        loop {
            let looked = phone.look().await?;
            if looked["now"]["gathering"] == "complete" {
                return anyhow::Ok(looked);
            }
            tokio::time::sleep(LOOK).await;
        }
    };
    let gathered = tokio::time::timeout(GATHERING, watch).await;
    gathered.context("the page does not stop gathering")?
}

/// The texts under `name` in a list.
fn texts(list: &Value, name: &str) -> Vec<String> {
    let list = list.as_array().into_iter().flatten();
    list.filter_map(|entry| entry[name].as_str().map(str::to_owned))
        .collect()
}
