//! Finding 0010: the socket of a server-reflexive candidate says nothing while the candidate waits.

use std::time::Duration;

use tokio::time::sleep;
use webrtc_ice::{agent::agent_config::AgentConfig, candidate::CandidateType};

use crate::{
    Seen,
    party::{Party, on_loopback},
    relay::{Relay, stun_url},
    wire::{Way, Wire, calm},
};

/// Longer than the pause that RFC 8445 section 11 asks for, twice.
const WAITS: Duration = Duration::from_secs(32);

/// Shows it.
pub async fn show() -> anyhow::Result<Seen> {
    let server = Relay::start().await?;
    let wire = Wire::to(server.addr, calm()).await?;
    let party = Party::new(AgentConfig {
        candidate_types: vec![CandidateType::ServerReflexive],
        urls: vec![stun_url(wire.left())],
        ..on_loopback()
    })
    .await?;
    party.has_gathered().await?;
    anyhow::ensure!(
        party.candidates().await?.len() == 1,
        "no server-reflexive candidate"
    );
    sleep(WAITS).await;
    let requests = wire.count(|c| c.way == Way::ToRight);
    party.agent.close().await?;
    Ok(Seen {
        expected: "while a server-reflexive candidate waits, its request is repeated (RFC 8445 section 5.1.1.4), by default \
                   every 15 s"
            .into(),
        seen: format!("in the {WAITS:?} after gathering, {} requests after the first", requests - 1),
        shows: requests == 1,
    })
}
