//! The audio of a full peer: an Opus track of its own, and what is heard of the other end's.
//!
//! What is said is silence: nobody listens to it. That it arrives, through SRTP and the stack's interceptors, is what counts.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use tokio::{sync::watch, task::JoinHandle, time};
use webrtc::{
    api::{
        interceptor_registry::register_default_interceptors,
        media_engine::{MIME_TYPE_OPUS, MediaEngine},
    },
    interceptor::registry::Registry,
    media::Sample,
    peer_connection::RTCPeerConnection,
    rtp_transceiver::{rtp_codec::RTCRtpCodecCapability, rtp_sender::RTCRtpSender},
    track::{track_local::track_local_static_sample::TrackLocalStaticSample, track_remote::TrackRemote},
};

use super::{Log, PeerError, stack};

/// The audio in one packet: the longest frame of Opus (RFC 6716, section 2.1.4).
const FRAME: Duration = Duration::from_millis(60);
/// A frame of 60 ms of silence: SILK, narrow band, without the signal itself (RFC 6716, section 3.1).
const SILENCE: &[u8] = &[0x18];
/// How often what was heard is recorded at most.
const TOLD_EVERY: Duration = Duration::from_millis(250);

/// Returns the codecs and the interceptors of a peer with audio, as an app registers them.
pub(super) fn codecs() -> Result<(MediaEngine, Registry), PeerError> {
    let mut media = MediaEngine::default();
    media.register_default_codecs().map_err(stack)?;
    let interceptors = register_default_interceptors(Registry::new(), &mut media).map_err(stack)?;
    Ok((media, interceptors))
}

/// The audio of one peer.
pub(super) struct Audio {
    // The microphone's.
    track: Option<Arc<TrackLocalStaticSample>>,
    log: Log,
    speaks: Mutex<Option<JoinHandle<()>>>,
}

impl Audio {
    /// Listens to the track of the other end of `connection`, and with a microphone gives it one of its own.
    pub async fn of(connection: &RTCPeerConnection, log: &Log, microphone: bool) -> Result<Self, PeerError> {
        let listener = log.clone();
        connection.on_track(Box::new(move |track, _, _| {
            let log = listener.clone();
            listener.host.spawn("audio", listen(track, log));
            Box::pin(async {})
        }));
        Ok(Self {
            track: match microphone {
                true => Some(microphone_of(connection, log).await?),
                false => None,
            },
            log: log.clone(),
            speaks: Mutex::default(),
        })
    }

    /// Speaks from the time when `connected` becomes true, until the peer is closed.
    pub fn speaks_once(&self, mut connected: watch::Receiver<bool>) {
        let Some(track) = self.track.clone() else { return };
        let speaks = async move {
            if connected.wait_for(|connected| *connected).await.is_err() {
                return;
            }
            let sample = || Sample {
                data: Bytes::from_static(SILENCE),
                duration: FRAME,
                ..Sample::default()
            };
            while track.write_sample(&sample()).await.is_ok() {
                time::sleep(FRAME).await;
            }
        };
        let speaks = self.log.host.spawn("microphone", speaks);
        *self.speaks.lock().expect("no panic while it is held") = Some(speaks);
    }

    /// Ends what is said.
    pub fn falls_silent(&self) {
        if let Some(speaks) = self.speaks.lock().expect("no panic while it is held").take() {
            speaks.abort();
        }
    }
}

/// Gives `connection` a track.
async fn microphone_of(
    connection: &RTCPeerConnection,
    log: &Log,
) -> Result<Arc<TrackLocalStaticSample>, PeerError> {
    let opus = RTCRtpCodecCapability {
        mime_type: MIME_TYPE_OPUS.to_owned(),
        clock_rate: 48_000,
        channels: 2,
        ..RTCRtpCodecCapability::default()
    };
    let (id, stream) = ("audio".to_owned(), "sleet".to_owned());
    let track = Arc::new(TrackLocalStaticSample::new(opus, id, stream));
    let sender = connection.add_track(track.clone()).await.map_err(stack)?;
    log.host.spawn("audio reports", read_reports(sender));
    Ok(track)
}

/// Reads what the other end reports of our audio: the stack acts on it as it is read.
async fn read_reports(sender: Arc<RTCRtpSender>) {
    while sender.read_rtcp().await.is_ok() {}
}

/// Listens to the other end's audio until it is over, and records how much of it came.
async fn listen(track: Arc<TrackRemote>, log: Log) {
    let mut packets = 0;
    let mut told = log.sim.now();
    while track.read_rtp().await.is_ok() {
        packets += 1;
        let now = log.sim.now();
        if now >= told + TOLD_EVERY {
            told = now;
            log.heard_audio(std::mem::take(&mut packets));
        }
    }
}
