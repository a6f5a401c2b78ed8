//! Finding 0007: two NATs that map by address and port and let strangers in, and a storm of checks between them.

use std::time::Duration;

use tokio::time::sleep;

use crate::{
    Seen,
    nat::Nat,
    party::{Party, on_loopback},
};

/// How long the agents check.
const LASTS: Duration = Duration::from_secs(2);
/// More than pacing allows in that time, on both sides together: one check every 50 ms each.
const PACED: usize = 2 * 2_000 / 50;

/// Shows it.
pub async fn show() -> anyhow::Result<Seen> {
    let (alice, bob) = (Party::new(on_loopback()).await?, Party::new(on_loopback()).await?);
    alice.has_gathered().await?;
    bob.has_gathered().await?;
    let (hers, his) = (Nat::before(alice.host().await?), Nat::before(bob.host().await?));
    // What a STUN server would tell them of themselves; nothing is sent there.
    let server = ([127, 0, 0, 1], 9).into();
    let (her_addr, his_addr) = (hers.seen_by(server)?, his.seen_by(server)?);
    alice.check(true, &bob).await;
    bob.check(false, &alice).await;
    alice.learn(hers.shows(his_addr)?)?;
    bob.learn(his.shows(her_addr)?)?;
    sleep(LASTS).await;
    let checks = hers.checks() + his.checks();
    Ok(Seen {
        expected: format!(
            "one check every 50 ms over all pairs (RFC 8445 section 14): {PACED} of both agents in {LASTS:?}"
        ),
        seen: format!(
            "one candidate each, no path; {checks} checks in {LASTS:?}, by NATs that make 100 mappings each and then no more"
        ),
        shows: checks > 10 * PACED,
    })
}
