//! Finding 0008: the TURN server dies as checks begin, nobody needs it, and one lost check costs eight seconds.

use std::time::{Duration, Instant};

use webrtc_ice::{agent::agent_config::AgentConfig, candidate::CandidateType, state::ConnectionState};

use crate::{
    Seen,
    party::{Party, call, joined, on_loopback},
    relay::{Relay, turn_url},
    wire::{Way, Wire, calm, loses_first},
};

/// Shows it.
pub async fn show() -> anyhow::Result<Seen> {
    let alive = attempt(false).await?;
    let dead = attempt(true).await?;
    let told = |took: Option<Duration>| match took {
        Some(took) => format!("after {:.1} s", took.as_secs_f64()),
        None => "not within 20 s".into(),
    };
    Ok(Seen {
        expected: "no check waits for another (RFC 8445 section 6.1.4.2): the direct path connects in time"
            .into(),
        seen: format!(
            "the first check of the direct path is lost; with a TURN server that answers it connects {}, with one that \
             died {}",
            told(alive),
            told(dead)
        ),
        shows: alive.is_some_and(|took| took < Duration::from_secs(2))
            && dead.is_none_or(|took| took > Duration::from_secs(5)),
    })
}

/// How long it takes until the direct path is connected.
async fn attempt(dies: bool) -> anyhow::Result<Option<Duration>> {
    let relay = Relay::start().await?;
    let to_relay = Wire::to(relay.addr, calm()).await?;
    let alice = Party::new(AgentConfig {
        candidate_types: vec![CandidateType::Host, CandidateType::Relay],
        urls: vec![turn_url(to_relay.left())],
        ..on_loopback()
    })
    .await?;
    let bob = Party::new(on_loopback()).await?;
    let wire = joined(&alice, &bob, loses_first(|way, _| way == Way::ToRight)).await?;
    anyhow::ensure!(alice.candidates().await?.len() == 2, "no relayed candidate");
    if dies {
        to_relay.go_dark();
    }
    let begun = Instant::now();
    call(&alice, &bob, &wire).await?;
    let connected = alice
        .says(ConnectionState::Connected, Duration::from_secs(20))
        .await;
    Ok(connected.map(|at| at - begun))
}
