//! Finding 0004: a host with several addresses gathers host candidates of one priority.

use std::{collections::BTreeSet, sync::Arc};

use webrtc_ice::{agent::agent_config::AgentConfig, network_type::NetworkType};

use crate::{
    Seen,
    party::{Party, on_loopback},
};

/// Shows it with the addresses of this machine, those of loopback among them.
pub async fn show() -> anyhow::Result<Seen> {
    let party = Party::new(AgentConfig {
        network_types: vec![NetworkType::Udp4, NetworkType::Udp6],
        ip_filter: Arc::new(None),
        ..on_loopback()
    })
    .await?;
    party.has_gathered().await?;
    let candidates = party.candidates().await?;
    anyhow::ensure!(candidates.len() > 1, "this machine has one address only");
    let told: Vec<String> = candidates
        .iter()
        .map(|c| format!("{} has {}", c.address(), c.priority()))
        .collect();
    let different: BTreeSet<u32> = candidates.iter().map(|c| c.priority()).collect();
    party.agent.close().await?;
    Ok(Seen {
        expected: "candidates of one type have different local preferences (RFC 8445 section 5.1.2.1)".into(),
        seen: format!("host candidates: {}", told.join(", ")),
        shows: different.len() < candidates.len(),
    })
}
