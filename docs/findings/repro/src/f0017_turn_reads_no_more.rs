//! Finding 0017: 20 bytes from anybody, and a TURN client reads nothing any more.

use std::time::{Duration, Instant};

use tokio::{net::UdpSocket, time::timeout};
use webrtc_util::Conn;

use crate::{
    Seen,
    relay::{Relay, client},
    wire::local_socket,
};

/// Shows it.
pub async fn show() -> anyhow::Result<Seen> {
    let relay = Relay::start().await?;
    let (client, own) = client(relay.addr).await?;
    let conn = client.allocate().await?;
    let peer = local_socket().await?;
    // Opens the permission for the peer's address.
    conn.send_to(b"hello", peer.local_addr()?).await?;
    let before = hears(&conn, &peer).await?;
    let stranger = local_socket().await?;
    let mut request = vec![0x00, 0x01, 0x00, 0x00, 0x21, 0x12, 0xa4, 0x42];
    request.resize(20, 7);
    stranger.send_to(&request, own).await?;
    tokio::time::sleep(Duration::from_millis(100)).await;
    let after = hears(&conn, &peer).await?;
    // Another address needs another permission, whose answer nobody reads.
    let begun = Instant::now();
    let sent = timeout(
        Duration::from_secs(20),
        conn.send_to(b"hello", ([127, 0, 0, 2], 9).into()),
    )
    .await;
    let ended = if sent.is_ok() {
        "took"
    } else {
        "did not end within"
    };
    let took = begun.elapsed();
    Ok(Seen {
        expected: "what a client does not understand is silently discarded (RFC 8489 section 6.3)".into(),
        seen: format!(
            "data of the peer arrives: before a stranger's STUN request {before}, after it {after}; the next request \
             {ended} {:.1} s",
            took.as_secs_f64()
        ),
        shows: before && !after && took > Duration::from_secs(5),
    })
}

/// Whether what the peer sends to the relay is read.
async fn hears(conn: &impl Conn, peer: &UdpSocket) -> anyhow::Result<bool> {
    let mut buffer = [0; 64];
    peer.send_to(b"data", conn.local_addr()?).await?;
    let read = timeout(Duration::from_secs(1), conn.recv_from(&mut buffer)).await;
    Ok(matches!(read, Ok(Ok((4, _)))))
}
