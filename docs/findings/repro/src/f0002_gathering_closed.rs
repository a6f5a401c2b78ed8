//! Finding 0002: a peer connection is closed, and its handler for gathering states hears of a state that there is not.

use std::sync::{Arc, Mutex};

use webrtc::{api::APIBuilder, peer_connection::configuration::RTCConfiguration};

use crate::Seen;

/// Shows it.
pub async fn show() -> anyhow::Result<Seen> {
    let peer = APIBuilder::new()
        .build()
        .new_peer_connection(RTCConfiguration::default())
        .await?;
    let heard = Arc::new(Mutex::new(Vec::new()));
    let hears = heard.clone();
    peer.on_ice_gathering_state_change(Box::new(move |state| {
        hears
            .lock()
            .expect("no panic while it is held")
            .push(state.to_string());
        Box::pin(async {})
    }));
    peer.close().await?;
    let heard = heard.lock().expect("no panic while it is held").clone();
    Ok(Seen {
        expected: "an iceGatheringState is new, gathering or complete (W3C webrtc-pc section 4.3.2)".into(),
        seen: format!("after close the handler was called with {heard:?}"),
        shows: heard.iter().any(|state| state == "closed"),
    })
}
