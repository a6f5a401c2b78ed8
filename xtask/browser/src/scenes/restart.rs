//! Somebody asks for an ICE restart: the selected pair must be one of new candidates, and the talk must go on.

use std::time::Duration;

use serde_json::Value;

use super::{
    hangup::Who,
    said::{count, no_errors, words},
};
use crate::{
    phone::{Kind, Phone, Works},
    stage::{SOON, Settings, Stage, ms},
    table::Came,
};

/// How long they talk before.
const BEFORE: Duration = Duration::from_millis(1_000);
/// How long after.
const AFTER: Duration = Duration::from_millis(2_000);
/// How often a page is looked at.
const LOOK: Duration = Duration::from_millis(50);
/// What comes in `AFTER` at least, where a text comes every 100 ms and a packet of audio every 20.
const HEARD: [(&str, u64); 2] = [("texts", 10), ("audio", 50)];

/// Plays it.
///
/// # Errors
/// When it does not connect.
pub async fn play(stage: &mut Stage, who: Who, settings: &Settings) -> anyhow::Result<Came> {
    let mut came = Came::default();
    stage.connect().await?;
    tokio::time::sleep(BEFORE).await;
    let before = [pair(&mut stage.caller).await?, pair(&mut stage.callee).await?];
    for phone in stage.phones() {
        if let (true, Works::Page(page)) = (settings.turns_naive, &mut phone.works) {
            page.evaluate("phone.isNaive = true").await?;
        }
    }
    // A candidate of the crate does not say in its own text which description it is of, and this browser looks nowhere else.
    let loses = settings.turns_naive && stage.caller.kind == Kind::App;
    let since = stage.clock.passed();
    match who {
        Who::Callee => stage.callee.tap("restart").await?,
        _ => stage.caller.tap("restart").await?,
    }
    let clock = stage.clock;
    for ((phone, name), before) in stage.phones().into_iter().zip(["caller", "callee"]).zip(before) {
        let renewed = match phone.kind {
            Kind::App => phone.shows("reconnected", SOON).await.map(|shown| shown.at),
            Kind::Page => renewed(phone, &before).await?.then(|| clock.passed()),
        };
        came.must(
            renewed.is_some() != loses,
            format!("the {name} has {} new pair", if loses { "a" } else { "no" }),
        );
        match renewed {
            Some(at) => came.saw(format!(
                "the {name}'s {} had a new pair after {} ms",
                phone.kind,
                ms(at.saturating_sub(since))
            )),
            None => came.saw(format!("the {name} has no new pair")),
        }
    }
    let between = [looked(&mut stage.caller).await?, looked(&mut stage.callee).await?];
    tokio::time::sleep(AFTER).await;
    stage.caller.tap("hang-up").await?;
    for ((phone, name), between) in stage.phones().into_iter().zip(["caller", "callee"]).zip(between) {
        if !loses {
            heard(phone, name, between.as_ref(), &mut came).await?;
        }
        came.saw(format!("{name}: {}", phone.states().await?.join(" ")));
        taken(phone, name, (between.as_ref(), settings), &mut came).await?;
        no_errors(phone, name, &mut came).await?;
    }
    Ok(came)
}

/// The generations of a page's selected pair.
async fn pair(phone: &mut Phone) -> anyhow::Result<Value> {
    Ok(looked(phone)
        .await?
        .map_or(Value::Null, |mut looked| looked["pair"].take()))
}

async fn looked(phone: &mut Phone) -> anyhow::Result<Option<Value>> {
    Ok(match phone.kind {
        Kind::Page => Some(phone.look().await?),
        Kind::App => None,
    })
}

/// Waits until both candidates of the selected pair are of another generation than `before`.
async fn renewed(phone: &mut Phone, before: &Value) -> anyhow::Result<bool> {
    let watch = async {
        loop {
            let now = pair(phone).await?;
            let is_new = |name: &str| now[name].is_string() && now[name] != before[name];
            if is_new("localUfrag") && is_new("remoteUfrag") {
                return anyhow::Ok(());
            }
            tokio::time::sleep(LOOK).await;
        }
    };
    match tokio::time::timeout(SOON, watch).await {
        Ok(looked) => looked.map(|()| true),
        Err(_) => Ok(false),
    }
}

/// What is heard after the restart: of a page, more than `between`; of the app, more than can come before and during it.
async fn heard(
    phone: &mut Phone,
    name: &str,
    between: Option<&Value>,
    came: &mut Came,
) -> anyhow::Result<()> {
    let over = phone.shows("over", SOON).await;
    let line = over.map(|over| over.line).unwrap_or_default();
    for (what, least) in HEARD {
        let all = count(&line, what);
        let since = between.map_or(all, |between| all.saturating_sub(count(between, what)));
        // The app counts from the beginning: half as much again came before.
        let least = if between.is_some() { least } else { least * 2 };
        came.must(
            since >= least,
            format!("the {name} heard {since} {what} after the restart"),
        );
    }
    Ok(())
}

/// What became of candidates that came before their description.
async fn taken(
    phone: &mut Phone,
    name: &str,
    (between, settings): (Option<&Value>, &Settings),
    came: &mut Came,
) -> anyhow::Result<()> {
    if phone.kind == Kind::App {
        let log = phone.log().map(|log| {
            log.picked(|_, line| line.contains("a candidate was refused").then_some(()))
                .len()
        });
        let refused = log.unwrap_or_default();
        came.must(refused == 0, format!("the {name}'s app refused {refused}"));
        return Ok(());
    }
    let looked = phone.look().await?;
    let record = &looked["record"];
    // By the specification a page would refuse what comes too early (OperationError); this browser keeps it.
    let refused = words(&record["refused"]);
    came.must(refused == "none", format!("the {name}'s page refused: {refused}"));
    let foreign = count(record, "foreign");
    let is_hit = match settings.slow.first() {
        Some((step, _)) => (*step == "pass-on-restart") == (name == "callee"),
        None => false,
    };
    if settings.turns_naive && is_hit {
        came.must(foreign > 0, format!("nothing came early to the {name}'s page"));
        came.saw(format!("the {name}'s page took {foreign} of another description"));
        let remote = between.and_then(|between| between["pair"]["remote"].as_str());
        came.saw(format!("it knows the other end as {}", remote.unwrap_or("none")));
    } else if !settings.turns_naive {
        came.must(
            foreign == 0,
            format!("the {name}'s page added {foreign} of another description"),
        );
    }
    came.saw(format!("(ICE of the {name}'s page: {})", words(&record["ice"])));
    Ok(())
}
