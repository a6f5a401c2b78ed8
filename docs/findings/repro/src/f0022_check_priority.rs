//! Finding 0022: the priority in a check is that of the candidate that sends it.

use std::time::Duration;

use anyhow::Context;
use webrtc_ice::state::ConnectionState;

use crate::{
    Seen,
    party::{Party, call, joined, on_loopback},
    wire::{Way, calm},
};

/// A STUN binding request.
const REQUEST: u16 = 0x0001;
/// The attribute (RFC 8445 section 16.1).
const PRIORITY: u16 = 0x0024;
/// The type preference of peer-reflexive candidates (RFC 8445 section 5.1.2.1).
const PEER_REFLEXIVE: u32 = 110;

/// Shows it.
pub async fn show() -> anyhow::Result<Seen> {
    let (alice, bob) = (Party::new(on_loopback()).await?, Party::new(on_loopback()).await?);
    let wire = joined(&alice, &bob, calm()).await?;
    call(&alice, &bob, &wire).await?;
    let connected = alice
        .says(ConnectionState::Connected, Duration::from_secs(5))
        .await;
    anyhow::ensure!(connected.is_some(), "it did not connect");
    let own = alice.candidates().await?[0].priority();
    let check = wire.first(|c| c.way == Way::ToRight && c.stun() == Some(REQUEST));
    let sent = check.and_then(|c| number(&c.data, PRIORITY));
    let sent = sent.context("no check with a priority")?;
    // The local preference and the component are the candidate's own (RFC 8445 section 7.1.1).
    let due = (PEER_REFLEXIVE << 24) | (own & 0x00ff_ffff);
    Ok(Seen {
        expected: format!(
            "a check says {due}, what a peer-reflexive candidate would be worth (RFC 8445 section 7.1.1)"
        ),
        seen: format!("it says {sent}, and the host candidate that sends it has {own}"),
        shows: sent == own,
    })
}

/// The value of a four-byte attribute of a STUN message.
fn number(data: &[u8], wanted: u16) -> Option<u32> {
    let mut rest = data.get(20..)?;
    while let [a, b, c, d, value @ ..] = rest {
        let (attribute, len) = (u16::from_be_bytes([*a, *b]), u16::from_be_bytes([*c, *d]));
        if attribute == wanted {
            return Some(u32::from_be_bytes(value.get(..4)?.try_into().ok()?));
        }
        // Values are padded to four bytes (RFC 8489 section 14).
        rest = value.get(usize::from(len).next_multiple_of(4)..)?;
    }
    None
}
