//! Finding 0005: two pairs have succeeded, the selected one goes dark, and the agent fails without using the other.

use std::time::{Duration, Instant};

use tokio::time::sleep;
use webrtc_ice::{agent::agent_config::AgentConfig, candidate::CandidatePairState, state::ConnectionState};

use crate::{
    Seen,
    party::{Party, call, joined, on_loopback},
    wire::{Way, calm},
};

/// Instead of 5 s and 25 s, so that it does not take long.
const DISCONNECTED: Duration = Duration::from_secs(2);
const FAILED: Duration = Duration::from_secs(4);

/// Shows it.
pub async fn show() -> anyhow::Result<Seen> {
    let (alice, bob) = (Party::new(config()).await?, Party::new(config()).await?);
    let one = joined(&alice, &bob, calm()).await?;
    let other = joined(&alice, &bob, calm()).await?;
    call(&alice, &bob, &one).await?;
    alice.learn(other.left())?;
    bob.learn(other.right())?;
    let connected = alice
        .says(ConnectionState::Connected, Duration::from_secs(5))
        .await;
    anyhow::ensure!(connected.is_some(), "it did not connect");
    sleep(Duration::from_secs(1)).await;
    let succeeded = alice.agent.get_candidate_pairs_stats().await;
    let succeeded = succeeded
        .iter()
        .filter(|pair| pair.state == CandidatePairState::Succeeded)
        .count();
    anyhow::ensure!(succeeded == 2, "{succeeded} of 2 pairs succeeded");
    let selected = alice.agent.get_selected_candidate_pair();
    let selected = selected.is_some_and(|pair| pair.remote.addr() == one.left());
    let (dies, lives) = if selected { (&one, &other) } else { (&other, &one) };
    dies.go_dark();
    let dark = Instant::now();
    let failed = alice.says(ConnectionState::Failed, Duration::from_secs(20)).await;
    let checks = lives.count(|c| c.way == Way::ToRight && c.stun() == Some(0x0001) && c.at > dark);
    Ok(Seen {
        expected: "failed means that no pair is left that has neither failed nor lost consent (W3C webrtc-pc section 5.6.4)".into(),
        seen: match failed {
            Some(at) => format!(
                "2 pairs had succeeded, the selected one went dark; failed after {:.1} s, with {checks} checks on the \
                 pair that works",
                (at - dark).as_secs_f64()
            ),
            None => format!("{} 20 s later, with {checks} checks on the other pair", alice.state()),
        },
        shows: failed.is_some() && checks == 0,
    })
}

fn config() -> AgentConfig {
    AgentConfig {
        disconnected_timeout: Some(DISCONNECTED),
        failed_timeout: Some(FAILED),
        // Both pairs have time to succeed before one is nominated.
        host_acceptance_min_wait: Some(Duration::from_millis(700)),
        ..on_loopback()
    }
}
