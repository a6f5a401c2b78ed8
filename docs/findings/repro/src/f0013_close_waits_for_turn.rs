//! Finding 0013: closing waits for a permission that the TURN server does not answer.

use std::time::{Duration, Instant};

use tokio::time::sleep;
use webrtc_ice::{agent::agent_config::AgentConfig, candidate::CandidateType};

use crate::{
    Seen,
    party::{Party, on_loopback},
    relay::{Relay, turn_url},
    wire::{Wire, calm},
};

/// Shows it.
pub async fn show() -> anyhow::Result<Seen> {
    let relay = Relay::start().await?;
    let wire = Wire::to(relay.addr, calm()).await?;
    let alice = Party::new(AgentConfig {
        candidate_types: vec![CandidateType::Relay],
        urls: vec![turn_url(wire.left())],
        ..on_loopback()
    })
    .await?;
    let bob = Party::new(on_loopback()).await?;
    alice.has_gathered().await?;
    bob.has_gathered().await?;
    anyhow::ensure!(alice.candidates().await?.len() == 1, "no relayed candidate");
    wire.go_dark();
    alice.check(true, &bob).await;
    alice.learn(bob.host().await?)?;
    sleep(Duration::from_millis(300)).await;
    let hung_up = Instant::now();
    alice.agent.close().await?;
    let took = hung_up.elapsed();
    Ok(Seen {
        expected: "close says goodbye to the TURN server and returns: it does not want an answer".into(),
        seen: format!(
            "the TURN server went dark; close during the first check over the relay took {:.1} s",
            took.as_secs_f64()
        ),
        shows: took > Duration::from_secs(5),
    })
}
