//! What happens in a case, and what must come of it.

pub mod connect;
pub mod gone;
pub mod hangup;
pub mod otherwise;
pub mod restart;
pub mod trickle;

use serde_json::Value;

use crate::{
    cases::Case,
    phone::Phone,
    stage::{Programs, Stage},
    table::Came,
};

/// What happens in a case.
#[derive(Clone, Copy, Debug)]
pub enum Scene {
    /// They talk.
    Connect,
    /// Candidates come before what they belong to.
    Trickle(trickle::Early),
    /// Somebody hangs up.
    Hangup(hangup::Moment, hangup::Who),
    /// Somebody hangs up, and the server is gone.
    Unheard(hangup::Who),
    /// Somebody asks for a restart.
    Restart(hangup::Who),
    /// An end is gone without a word.
    Gone(gone::How),
    /// The browser hides its addresses.
    Hidden,
    /// There is no answer from the STUN server.
    DeadStun,
}

/// Plays `case`.
///
/// # Errors
/// When something cannot be started, or does not get as far as the case begins: that is said of the case, too.
pub async fn play(programs: &Programs, case: &Case) -> anyhow::Result<Came> {
    let mut stage = Stage::set(programs, case.ends, &case.settings).await?;
    let stage = &mut stage;
    match case.scene {
        Scene::Connect => connect::play(stage).await,
        Scene::Trickle(early) => trickle::play(stage, early, case.settings.is_naive).await,
        Scene::Hangup(moment, who) => hangup::play(stage, moment, who).await,
        Scene::Unheard(who) => hangup::unheard(stage, who).await,
        Scene::Restart(who) => restart::play(stage, who, &case.settings).await,
        Scene::Gone(how) => gone::play(stage, how).await,
        Scene::Hidden => otherwise::hidden(stage).await,
        Scene::DeadStun => otherwise::dead_stun(stage).await,
    }
}

/// A number that a page or a phone's screen says; 0 if it says none.
fn count(value: &Value, name: &str) -> u64 {
    value[name].as_u64().unwrap_or_default()
}

/// A list of words that a page says, joined.
fn words(value: &Value) -> String {
    let words = value.as_array().into_iter().flatten();
    let words: Vec<&str> = words.filter_map(Value::as_str).collect();
    if words.is_empty() {
        "none".to_owned()
    } else {
        words.join(" ")
    }
}

/// What went wrong inside of pages is wrong in every case.
async fn no_errors(phone: &mut Phone, name: &str, came: &mut Came) -> anyhow::Result<()> {
    if phone.log().is_none() {
        let looked = phone.look().await?;
        let errors = words(&looked["errors"]);
        came.must(errors == "none", format!("errors in the {name}'s page: {errors}"));
    }
    Ok(())
}
