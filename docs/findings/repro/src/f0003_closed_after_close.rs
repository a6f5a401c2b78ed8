//! Finding 0003: the handler for ICE states is called when `close` has returned.

use std::time::{Duration, Instant};

use webrtc_ice::state::ConnectionState;

use crate::{
    Seen,
    party::{Party, on_loopback},
};

/// Shows it.
pub async fn show() -> anyhow::Result<Seen> {
    let party = Party::new(on_loopback()).await?;
    party.has_gathered().await?;
    party.agent.close().await?;
    let (returned, state) = (Instant::now(), party.state());
    let called = party.says(ConnectionState::Closed, Duration::from_secs(2)).await;
    let after = called.and_then(|at| at.checked_duration_since(returned));
    Ok(Seen {
        expected: "no handler is called once close has returned (W3C webrtc-pc section 4.4.2: close fires no event at all)".into(),
        seen: match after {
            Some(after) => format!(
                "when close returned the last state was {state}; the handler was called with closed {after:?} later"
            ),
            None => format!(
                "the handler was not called after close had returned; the last state then was {state}"
            ),
        },
        shows: after.is_some(),
    })
}
