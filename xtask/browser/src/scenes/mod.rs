//! What happens in a case, and what must come of it.

pub mod connect;
pub mod gone;
pub mod hangup;
pub mod otherwise;
pub mod restart;
mod said;
pub mod trickle;

use crate::{
    stage::{Ends, Programs, Settings, Stage},
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

/// Plays `scene` between `ends`.
///
/// # Errors
/// When something cannot be started, or does not get as far as the case begins: that is said of the case, too.
pub async fn play(
    programs: &Programs,
    ends: Ends,
    settings: &Settings,
    scene: Scene,
) -> anyhow::Result<Came> {
    let mut stage = Stage::set(programs, ends, settings).await?;
    let stage = &mut stage;
    match scene {
        Scene::Connect => connect::play(stage).await,
        Scene::Trickle(early) => trickle::play(stage, early, settings.is_naive).await,
        Scene::Hangup(moment, who) => hangup::play(stage, moment, who).await,
        Scene::Unheard(who) => hangup::unheard(stage, who).await,
        Scene::Restart(who) => restart::play(stage, who, settings).await,
        Scene::Gone(how) => gone::play(stage, how).await,
        Scene::Hidden => otherwise::hidden(stage).await,
        Scene::DeadStun => otherwise::dead_stun(stage).await,
    }
}
