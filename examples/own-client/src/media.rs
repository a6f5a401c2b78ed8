//! What is said and heard during a call: Opus audio as an RTP stream, and short texts over the data channel.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use tokio::{task::JoinHandle, time::interval};
use tracing::debug;
use webrtc::{
    api::media_engine::MIME_TYPE_OPUS,
    data_channel::RTCDataChannel,
    media::Sample,
    rtp_transceiver::{rtp_codec::RTCRtpCodecCapability, rtp_sender::RTCRtpSender},
    track::{track_local::track_local_static_sample::TrackLocalStaticSample, track_remote::TrackRemote},
};

/// How much audio goes into one packet.
const FRAME: Duration = Duration::from_millis(20);
/// How often a text is sent.
const TEXT_EVERY: Duration = Duration::from_millis(100);
/// An Opus frame of 20 ms in which nobody says anything.
const SILENCE: &[u8] = &[0xf8, 0xff, 0xfe];

/// What was heard so far.
#[derive(Debug, Default)]
pub struct Heard {
    audio: AtomicU64,
    texts: AtomicU64,
}

impl Heard {
    /// RTP packets of the other side's audio.
    pub fn audio(&self) -> u64 {
        self.audio.load(Ordering::Relaxed)
    }

    /// Texts of the other side.
    pub fn texts(&self) -> u64 {
        self.texts.load(Ordering::Relaxed)
    }
}

/// The microphone's track.
pub fn microphone() -> Arc<TrackLocalStaticSample> {
    let opus = RTCRtpCodecCapability {
        mime_type: MIME_TYPE_OPUS.to_owned(),
        clock_rate: 48_000,
        channels: 2,
        ..RTCRtpCodecCapability::default()
    };
    Arc::new(TrackLocalStaticSample::new(
        opus,
        "audio".to_owned(),
        "call".to_owned(),
    ))
}

/// Speaks into the track until the call is over.
pub fn speak(track: Arc<TrackLocalStaticSample>) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut frames = interval(FRAME);
        loop {
            frames.tick().await;
            let sample = Sample {
                data: Bytes::from_static(SILENCE),
                duration: FRAME,
                ..Sample::default()
            };
            if let Err(error) = track.write_sample(&sample).await {
                debug!("the microphone stops: {error}");
                return;
            }
        }
    })
}

/// Reads what the other side reports about our audio; the stack acts on it as it is read.
pub async fn read_reports(sender: Arc<RTCRtpSender>) {
    while sender.read_rtcp().await.is_ok() {}
}

/// Listens to the other side's audio until it ends.
pub async fn listen(track: Arc<TrackRemote>, heard: Arc<Heard>) {
    while track.read_rtp().await.is_ok() {
        heard.audio.fetch_add(1, Ordering::Relaxed);
    }
}

/// Sends a text every now and then, and counts those that come.
pub fn chat(channel: &Arc<RTCDataChannel>, heard: &Arc<Heard>) {
    let heard = heard.clone();
    channel.on_message(Box::new(move |_| {
        heard.texts.fetch_add(1, Ordering::Relaxed);
        Box::pin(async {})
    }));
    let opened = Arc::downgrade(channel);
    channel.on_open(Box::new(move || {
        Box::pin(async move {
            let mut ticks = interval(TEXT_EVERY);
            for number in 1.. {
                ticks.tick().await;
                let Some(channel) = opened.upgrade() else {
                    return;
                };
                if channel.send_text(format!("text {number}")).await.is_err() {
                    return;
                }
            }
        })
    }));
}
