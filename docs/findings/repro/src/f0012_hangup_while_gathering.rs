//! Finding 0012: an agent is closed while its TURN allocation is under way, and nobody releases that.

use std::time::{Duration, Instant};

use tokio::time::sleep;
use webrtc_ice::{agent::agent_config::AgentConfig, candidate::CandidateType};

use crate::{
    Seen,
    party::{Party, on_loopback},
    relay::{Relay, turn_url},
    wire::{Fate, Way, Wire},
};

/// How long the server's answers are under way: less than the 200 ms after which a request is sent again.
const UNDER_WAY: Duration = Duration::from_millis(120);
const AFTERWARDS: Duration = Duration::from_secs(12);

/// Shows it.
pub async fn show() -> anyhow::Result<Seen> {
    let relay = Relay::start().await?;
    let slow = |way, _: &[u8]| match way {
        Way::ToLeft => Fate::Later(UNDER_WAY),
        Way::ToRight => Fate::Pass,
    };
    let wire = Wire::to(relay.addr, Box::new(slow)).await?;
    let party = Party::new(AgentConfig {
        candidate_types: vec![CandidateType::Relay],
        urls: vec![turn_url(wire.left())],
        ..on_loopback()
    })
    .await?;
    while relay.allocations().await? == 0 {
        sleep(Duration::from_millis(5)).await;
    }
    let hung_up = Instant::now();
    party.agent.close().await?;
    let closing = hung_up.elapsed();
    sleep(AFTERWARDS).await;
    let (left, released) = (
        relay.allocations().await?,
        wire.count(|c| c.way == Way::ToRight && c.stun() == Some(0x0004)),
    );
    Ok(Seen {
        expected: "an agent that is closed gives back its allocation, also one that is granted a moment later (RFC 8656 section 8)"
            .into(),
        seen: format!(
            "close returned after {closing:.1?}; {AFTERWARDS:?} later the server holds {left} allocation, and was sent \
             {released} Refresh requests"
        ),
        shows: left == 1,
    })
}
