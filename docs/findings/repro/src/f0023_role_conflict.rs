//! Finding 0023: both ends control, and neither gives way.

use std::time::Duration;

use webrtc_ice::{agent::agent_config::AgentConfig, state::ConnectionState};

use crate::{
    Seen,
    party::{Party, joined, on_loopback},
    wire::calm,
};

/// Longer than a call on loopback takes by far.
const TRIES: Duration = Duration::from_secs(10);
/// A STUN binding request, and the two answers to one.
const REQUEST: u16 = 0x0001;
const SUCCESS: u16 = 0x0101;
const ERROR: u16 = 0x0111;

/// Shows it.
pub async fn show() -> anyhow::Result<Seen> {
    let controls = || AgentConfig {
        is_controlling: true,
        ..on_loopback()
    };
    let (alice, bob) = (Party::new(controls()).await?, Party::new(controls()).await?);
    let wire = joined(&alice, &bob, calm()).await?;
    alice.check(true, &bob).await;
    bob.check(true, &alice).await;
    alice.learn(wire.left())?;
    bob.learn(wire.right())?;
    let connected = alice.says(ConnectionState::Connected, TRIES).await.is_some();
    let [asked, answered, refused] =
        [REQUEST, SUCCESS, ERROR].map(|kind| wire.count(|c| c.stun() == Some(kind)));
    Ok(Seen {
        expected:
            "one end gives way or is told to, by an error 487, and they connect (RFC 8445 section 7.3.1.1)"
                .into(),
        seen: format!(
            "{asked} checks, {answered} answers, {refused} errors; alice says {}, bob {}",
            alice.state(),
            bob.state()
        ),
        shows: !connected && asked > 0 && answered + refused == 0,
    })
}
