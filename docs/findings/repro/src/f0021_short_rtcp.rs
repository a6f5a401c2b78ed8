//! Finding 0021: the first bytes of an RTCP packet, and the task that reads RTCP panics.

use std::{
    panic,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{net::UdpSocket, time::sleep};
use webrtc::srtp::{
    config::{Config, SessionKeys},
    protection_profile::ProtectionProfile,
    session::Session,
};

use crate::{Seen, panics::short};

/// A sender report (RFC 3550 section 6.4.1), cut off before the sender's SSRC.
const CUT: [u8; 6] = [0x80, 200, 0, 6, 0, 0];

/// Shows it.
pub async fn show() -> anyhow::Result<Seen> {
    let panics = Arc::new(Mutex::new(Vec::new()));
    let told = panics.clone();
    panic::set_hook(Box::new(move |info| {
        told.lock().expect("no panic while it is held").push(short(info));
    }));
    let result = receives_cut().await;
    drop(panic::take_hook());
    result?;
    let panics = panics.lock().expect("no panic while it is held").clone();
    Ok(Seen {
        expected:
            "a packet that fails its authentication is discarded (RFC 3711 section 3.4), and the next is read"
                .into(),
        seen: format!("{} bytes from the peer's address; panics: {panics:?}", CUT.len()),
        shows: !panics.is_empty(),
    })
}

/// An SRTCP session gets the bytes from the address of its peer.
async fn receives_cut() -> anyhow::Result<()> {
    let (us, them) = (
        UdpSocket::bind("127.0.0.1:0").await?,
        UdpSocket::bind("127.0.0.1:0").await?,
    );
    us.connect(them.local_addr()?).await?;
    them.connect(us.local_addr()?).await?;
    let config = Config {
        keys: SessionKeys {
            local_master_key: vec![1; 16],
            local_master_salt: vec![2; 12],
            remote_master_key: vec![3; 16],
            remote_master_salt: vec![4; 12],
        },
        profile: ProtectionProfile::AeadAes128Gcm,
        ..Config::default()
    };
    let _session = Session::new(Arc::new(us), config, false).await?;
    them.send(&CUT).await?;
    sleep(Duration::from_millis(200)).await;
    Ok(())
}
