//! Finding 0025: a candidate of a generation that the remote description does not have is taken.

use webrtc::{
    api::{APIBuilder, media_engine::MediaEngine},
    ice_transport::ice_candidate::RTCIceCandidateInit,
    peer_connection::{RTCPeerConnection, configuration::RTCConfiguration},
};

use crate::Seen;

async fn peer() -> anyhow::Result<RTCPeerConnection> {
    let api = APIBuilder::new()
        .with_media_engine(MediaEngine::default())
        .build();
    Ok(api.new_peer_connection(RTCConfiguration::default()).await?)
}

/// Shows it.
pub async fn show() -> anyhow::Result<Seen> {
    let (caller, callee) = (peer().await?, peer().await?);
    caller.create_data_channel("chat", None).await?;
    callee
        .set_remote_description(caller.create_offer(None).await?)
        .await?;
    let stale = RTCIceCandidateInit {
        candidate: "candidate:1 1 udp 2130706431 192.0.2.1 5000 typ host".into(),
        sdp_mid: Some("0".into()),
        sdp_mline_index: Some(0),
        username_fragment: Some("of-another-generation".into()),
    };
    let taken = callee.add_ice_candidate(stale).await;
    caller.close().await?;
    callee.close().await?;
    Ok(Seen {
        expected: "a candidate whose usernameFragment no applied remote description has is rejected with an OperationError (W3C \
                   webrtc-pc section 4.4.2, addIceCandidate)"
            .into(),
        seen: format!("add_ice_candidate of another generation returned {taken:?}"),
        shows: taken.is_ok(),
    })
}
