//! Finding 0020: nobody answers an agent's checks any more, and it goes on sending for as long as it hears anything.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

use tokio::time::sleep;
use webrtc_ice::{agent::agent_config::AgentConfig, state::ConnectionState};

use crate::{
    Seen,
    party::{Party, call, joined, on_loopback},
    wire::{Fate, Way},
};

/// Consent expires after 30 s (RFC 7675 section 5.1).
const UNANSWERED: Duration = Duration::from_secs(34);
/// Alice does not give up meanwhile: she hears nothing.
const PATIENT: Duration = Duration::from_secs(120);
/// A STUN binding success response.
const SUCCESS: u16 = 0x0101;
/// What bob says when nobody has answered him for so long.
const DATA: &[u8] = b"is anybody there?";

/// Shows it.
pub async fn show() -> anyhow::Result<Seen> {
    let patient = AgentConfig {
        disconnected_timeout: Some(PATIENT),
        ..on_loopback()
    };
    let (alice, bob) = (Party::new(patient).await?, Party::new(on_loopback()).await?);
    let is_cut = Arc::new(AtomicBool::new(false));
    let cut = is_cut.clone();
    // Bob is the right end: what he sends is lost.
    let rule = Box::new(move |way, _: &[u8]| match way {
        Way::ToLeft if cut.load(SeqCst) => Fate::Lose,
        _ => Fate::Pass,
    });
    let wire = joined(&alice, &bob, rule).await?;
    call(&alice, &bob, &wire).await?;
    for party in [&alice, &bob] {
        let connected = party
            .says(ConnectionState::Connected, Duration::from_secs(5))
            .await;
        anyhow::ensure!(connected.is_some(), "it did not connect");
    }
    is_cut.store(true, SeqCst);
    let began = Instant::now();
    sleep(UNANSWERED).await;
    bob.send(DATA).await?;
    sleep(Duration::from_millis(200)).await;
    let answers = wire.count(|c| c.way == Way::ToRight && c.at > began && c.stun() == Some(SUCCESS));
    let sent = wire.count(|c| c.way == Way::ToLeft && c.data == DATA);
    Ok(Seen {
        expected: "consent expires 30 s after the last answer, and then nothing but checks is sent (RFC 7675 section 5.1)".into(),
        seen: format!(
            "{answers} answers within {:.0} s; bob says {}, and what he sends then leaves: {}",
            UNANSWERED.as_secs_f64(),
            bob.state(),
            sent > 0
        ),
        shows: answers == 0 && sent > 0,
    })
}
