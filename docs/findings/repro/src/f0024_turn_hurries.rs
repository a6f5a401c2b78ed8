//! Finding 0024: a request that the TURN server does not answer is sent again too soon, and no later each time.

use std::time::{Duration, Instant};

use tokio::time::timeout;

use crate::{Seen, relay::client, wire::local_socket};

/// How long the silent server listens.
const LISTENS: Duration = Duration::from_secs(9);

/// Shows it.
pub async fn show() -> anyhow::Result<Seen> {
    let silent = local_socket().await?;
    let (client, _) = client(silent.local_addr()?).await?;
    let began = Instant::now();
    let asks = tokio::spawn(async move { client.allocate().await.map(drop) });
    let (mut buffer, mut heard) = ([0; 1_500], Vec::new());
    while let Some(left) = LISTENS.checked_sub(began.elapsed()) {
        match timeout(left, silent.recv_from(&mut buffer)).await {
            Ok(received) => drop(received.map(|_| heard.push(began.elapsed().as_millis()))?),
            Err(_) => break,
        }
    }
    asks.abort();
    let pauses: Vec<u128> = heard.windows(2).map(|two| two[1] - two[0]).collect();
    let is_early = pauses.first().is_some_and(|first| *first < 450);
    let is_flat = pauses.len() > 4 && pauses[4] < pauses[3] * 3 / 2;
    Ok(Seen {
        expected: "a request is sent again after 500 ms, then after twice as long each time (RFC 8489 section 6.2.1)".into(),
        seen: format!("the same Allocate request {} times, with pauses of {pauses:?} ms", heard.len()),
        shows: is_early && is_flat,
    })
}
