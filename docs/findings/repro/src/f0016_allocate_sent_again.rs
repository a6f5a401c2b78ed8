//! Finding 0016: the answer to an Allocate request is lost, and the request that is sent again is refused.

use std::time::Duration;

use tokio::time::sleep;
use webrtc_util::Conn;

use crate::{
    Seen,
    relay::{Relay, client},
    wire::{Way, Wire, loses_first, stun_type},
};

/// Shows it.
pub async fn show() -> anyhow::Result<Seen> {
    let relay = Relay::start().await?;
    let lossy = loses_first(|way, data| way == Way::ToLeft && stun_type(data) == Some(0x0103));
    let wire = Wire::to(relay.addr, lossy).await?;
    let (client, _) = client(wire.left()).await?;
    let told = match client.allocate().await {
        Ok(conn) => format!("the client was granted {}", conn.local_addr()?),
        Err(error) => format!("the client was told: {error}"),
    };
    client.close().await?;
    sleep(Duration::from_secs(1)).await;
    let left = relay.allocations().await?;
    Ok(Seen {
        expected: "answers are lost over UDP and requests sent again (RFC 8489 section 6.2.1): the second is answered like the first".into(),
        seen: format!("{told}; when it has closed the server holds {left} allocation"),
        shows: told.contains("437") && left == 1,
    })
}
