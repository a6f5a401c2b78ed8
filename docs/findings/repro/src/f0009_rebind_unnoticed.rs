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
    let answers = |way| wire.count(|c| c.way == way && c.stun() == Some(0x0101) && c.at > moved);
    let (to_her, to_him) = (answers(Way::ToLeft), answers(Way::ToRight));
    let (hers, his) = (alice.state(), bob.state());
    Ok(Seen {
        expected: "both ends say the same of a path on which the checks of both are answered (to move a selected pair without \
                   a restart is not demanded by RFC 8445)"
            .into(),
        seen: format!(
            "the caller's port changed, {to_her} of her checks and {to_him} of his were answered since; {:.1} s later she says \
             {hers}, he says {his}",
            moved.elapsed().as_secs_f64()
        ),
        shows: failed.is_some() && hers == ConnectionState::Connected && to_her > 0 && to_him > 0,
    })
}

fn config() -> AgentConfig {
    AgentConfig {
        failed_timeout: Some(FAILED),
        ..on_loopback()
    }
}
