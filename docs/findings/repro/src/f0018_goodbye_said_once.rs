//! Finding 0018: the Refresh request that releases an allocation is lost, and not sent again.

use std::time::Duration;

use tokio::time::sleep;
use webrtc_ice::{agent::agent_config::AgentConfig, candidate::CandidateType};

use crate::{
    Seen,
    party::{Party, on_loopback},
    relay::{Relay, turn_url},
    wire::{Way, Wire, calm, loses_first, stun_type},
};

/// Longer than the client of the stack sends any request again.
const AFTERWARDS: Duration = Duration::from_secs(10);

/// Shows it.
pub async fn show() -> anyhow::Result<Seen> {
    let (calm_left, _) = hang_up(false, Duration::from_secs(1)).await?;
    let (left, said) = hang_up(true, AFTERWARDS).await?;
    Ok(Seen {
        expected: "a request over UDP is sent again until it is answered (RFC 8489 section 6.2.1)".into(),
        seen: format!(
            "nothing lost: {calm_left} allocations left; the Refresh lost: sent {said} time, and {AFTERWARDS:?} later the \
             server holds {left} allocation"
        ),
        shows: calm_left == 0 && left == 1 && said == 1,
    })
}

/// How many allocations are left so long after the agent was closed, and how many Refresh requests it sent.
async fn hang_up(loses: bool, afterwards: Duration) -> anyhow::Result<(usize, usize)> {
    let relay = Relay::start().await?;
    let rule = match loses {
        true => loses_first(|_, data| stun_type(data) == Some(0x0004)),
        false => calm(),
    };
    let wire = Wire::to(relay.addr, rule).await?;
    let party = Party::new(AgentConfig {
        candidate_types: vec![CandidateType::Relay],
        urls: vec![turn_url(wire.left())],
        ..on_loopback()
    })
    .await?;
    party.has_gathered().await?;
    anyhow::ensure!(relay.allocations().await? == 1, "no allocation");
    party.agent.close().await?;
    sleep(afterwards).await;
    let said = wire.count(|c| c.way == Way::ToRight && c.stun() == Some(0x0004));
    Ok((relay.allocations().await?, said))
}
