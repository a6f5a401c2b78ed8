//! Finding 0009: a NAT moves the mapping of one end; one end stays connected, the other disconnects.

use std::time::{Duration, Instant};

use tokio::time::sleep;
use webrtc_ice::{agent::agent_config::AgentConfig, state::ConnectionState};

use crate::{
    Seen,
    party::{Party, call, joined, on_loopback},
    wire::{Way, calm},
};

/// After disconnected; instead of 25 s, so that it does not take long.
const FAILED: Duration = Duration::from_secs(5);

/// Shows it.
pub async fn show() -> anyhow::Result<Seen> {
    let (alice, bob) = (Party::new(config()).await?, Party::new(config()).await?);
    let wire = joined(&alice, &bob, calm()).await?;
    call(&alice, &bob, &wire).await?;
    let connected = bob.says(ConnectionState::Connected, Duration::from_secs(5)).await;
    anyhow::ensure!(connected.is_some(), "it did not connect");
    sleep(Duration::from_millis(500)).await;
    wire.rebind().await?;
    let moved = Instant::now();
    let failed = bob.says(ConnectionState::Failed, Duration::from_secs(20)).await;
    let answers = wire.count(|c| c.way == Way::ToLeft && c.stun() == Some(0x0101) && c.at > moved);
    let (hers, his) = (alice.state(), bob.state());
    Ok(Seen {
        expected:
            "who gets answers to its own checks has consent (RFC 7675 section 5.1), on both sides alike"
                .into(),
        seen: format!(
            "the caller's port changed; {:.1} s later the caller says {hers}, with {answers} checks answered on the new \
             path, and the callee {his}",
            moved.elapsed().as_secs_f64()
        ),
        shows: failed.is_some() && hers == ConnectionState::Connected && answers > 0,
    })
}

fn config() -> AgentConfig {
    AgentConfig {
        failed_timeout: Some(FAILED),
        ..on_loopback()
    }
}
