//! Finding 0015: the last flight of the DTLS handshake is lost, and never sent again.

use std::time::Duration;

use tokio::time::{sleep, timeout};

use crate::{
    Seen,
    secured::handshake,
    wire::{Way, loses_first},
};

/// How long the client has.
const PATIENCE: Duration = Duration::from_secs(10);
/// The type of a ChangeCipherSpec record, which begins the last flight of each side.
const CHANGE_CIPHER_SPEC: u8 = 20;

/// Shows it.
pub async fn show() -> anyhow::Result<Seen> {
    let lossy = loses_first(|way, data| way == Way::ToLeft && data[0] == CHANGE_CIPHER_SPEC);
    let (wire, mut client, mut server) = handshake(lossy).await?;
    let served = timeout(PATIENCE, &mut server)
        .await
        .is_ok_and(|done| matches!(done, Ok(Ok(_))));
    // What the server sent is through by then.
    sleep(Duration::from_millis(200)).await;
    let last = wire.crossed().len();
    let connected = timeout(PATIENCE, &mut client)
        .await
        .is_ok_and(|done| matches!(done, Ok(Ok(_))));
    let after = wire.crossed().split_off(last);
    let (asked, answered) = (
        after.iter().filter(|c| c.way == Way::ToRight).count(),
        after.iter().filter(|c| c.way == Way::ToLeft).count(),
    );
    Ok(Seen {
        expected: "who sends the last flight answers a repeated flight with it (RFC 6347 section 4.2.4): both connect".into(),
        seen: format!(
            "the server's last flight is lost once; server connected: {served}, client connected within {PATIENCE:?}: \
             {connected}; it asked again with {asked} datagrams and was answered with {answered}"
        ),
        shows: served && !connected && answered == 0 && asked > 0,
    })
}
