//! Finding 0001: two agents behind firewalls that let in only answers; the controlled one learns of the other late.

use std::time::Duration;

use tokio::time::sleep;
use webrtc_ice::state::ConnectionState;

use crate::{
    Seen,
    party::{Party, joined, on_loopback},
    wire::{Fate, Rule, Way},
};

/// How long after the first check the candidate that is in time comes, and the late one.
const IN_TIME: Duration = Duration::from_millis(500);
const LATE: Duration = Duration::from_secs(3);
/// How long the agents have from then on.
const PATIENCE: Duration = Duration::from_secs(8);

/// Shows it.
pub async fn show() -> anyhow::Result<Seen> {
    let (in_time, _) = attempt(IN_TIME).await?;
    let (late, checks) = attempt(LATE).await?;
    Ok(Seen {
        expected: "a check that arrives for a Failed pair triggers a check of that pair (RFC 8445 section 7.3.1.4): both connect"
            .into(),
        seen: format!(
            "candidates {IN_TIME:?} late: {in_time}; {LATE:?} late: {late} {PATIENCE:?} later, the controlling agent \
             has sent {checks} checks in that time"
        ),
        shows: in_time == ConnectionState::Connected && late != ConnectionState::Connected && checks == 0,
    })
}

/// What the controlling agent says in the end, and how many checks it sends once the other's have begun.
async fn attempt(late: Duration) -> anyhow::Result<(ConnectionState, usize)> {
    let alice = Party::new(on_loopback()).await?;
    let bob = Party::new(on_loopback()).await?;
    let wire = joined(&alice, &bob, firewalls()).await?;
    alice.check(true, &bob).await;
    bob.check(false, &alice).await;
    alice.learn(wire.left())?;
    sleep(late).await;
    let before = checks(&wire);
    bob.learn(wire.right())?;
    alice.says(ConnectionState::Connected, PATIENCE).await;
    let (state, checks) = (alice.state(), checks(&wire) - before);
    alice.agent.close().await?;
    bob.agent.close().await?;
    Ok((state, checks))
}

fn checks(wire: &crate::wire::Wire) -> usize {
    wire.count(|c| c.way == Way::ToRight && c.stun() == Some(0x0001))
}

/// Each end is let through to once it has sent something itself.
fn firewalls() -> Rule {
    let (mut left_sent, mut right_sent) = (false, false);
    Box::new(move |way, _| {
        let open = match way {
            Way::ToRight => {
                left_sent = true;
                right_sent
            }
            Way::ToLeft => {
                right_sent = true;
                left_sent
            }
        };
        if open { Fate::Pass } else { Fate::Lose }
    })
}
