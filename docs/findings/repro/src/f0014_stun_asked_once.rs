//! Finding 0014: the request to a STUN server is lost, and not sent again.

use std::time::{Duration, Instant};

use webrtc_ice::{agent::agent_config::AgentConfig, candidate::CandidateType};

use crate::{
    Seen,
    party::{Party, on_loopback},
    relay::{Relay, stun_url},
    wire::{Way, Wire, calm, loses_first},
};

/// Shows it.
pub async fn show() -> anyhow::Result<Seen> {
    let (candidates, requests, took) = gather(false).await?;
    anyhow::ensure!(
        candidates == 1 && requests == 1,
        "nothing is lost, and there is no candidate"
    );
    let (lossy_candidates, lossy_requests, lossy_took) = gather(true).await?;
    Ok(Seen {
        expected:
            "a request over UDP is sent again after 500 ms, seven times in all (RFC 8489 section 6.2.1)"
                .into(),
        seen: format!(
            "nothing lost: {candidates} candidate in {took:.1?}; the request lost: sent {lossy_requests} time, \
             {lossy_candidates} candidates, gathering complete after {:.1} s",
            lossy_took.as_secs_f64()
        ),
        shows: lossy_candidates == 0 && lossy_requests == 1,
    })
}

/// How many candidates there are, after how many requests, and how long it takes.
async fn gather(loses: bool) -> anyhow::Result<(usize, usize, Duration)> {
    let server = Relay::start().await?;
    let rule = if loses { loses_first(|_, _| true) } else { calm() };
    let wire = Wire::to(server.addr, rule).await?;
    let begun = Instant::now();
    let party = Party::new(AgentConfig {
        candidate_types: vec![CandidateType::ServerReflexive],
        urls: vec![stun_url(wire.left())],
        ..on_loopback()
    })
    .await?;
    party.has_gathered().await?;
    let took = begun.elapsed();
    let candidates = party.candidates().await?.len();
    party.agent.close().await?;
    Ok((candidates, wire.count(|c| c.way == Way::ToRight), took))
}
