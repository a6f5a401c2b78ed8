//! A calling app as production has it: JSON lines over TCP, the `webrtc` API with its handlers, a data channel and an
//! audio track. It has no handle of the world.

use std::{
    error::Error,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    time::Duration,
};

use serde::{Deserialize, Serialize};
use sleet::{
    app::net::{TcpListener, TcpStream},
    trace::{Event, EventKind, Machine},
    webrtc::{API, APIBuilder, RTCPeerConnection, observe},
    world::{self, Ending},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    sync::{Notify, mpsc},
};
use webrtc::{
    api::{interceptor_registry::register_default_interceptors, media_engine::MediaEngine},
    ice_transport::ice_candidate::{RTCIceCandidate, RTCIceCandidateInit},
    interceptor::registry::Registry,
    media::Sample,
    peer_connection::{configuration::RTCConfiguration, sdp::session_description::RTCSessionDescription},
    rtp_transceiver::rtp_codec::RTCRtpCodecCapability,
    track::track_local::{TrackLocal, track_local_static_sample::TrackLocalStaticSample},
};

use super::{crash, panics, steps, three_hosts};

pub(super) type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Line {
    Description(Box<RTCSessionDescription>),
    Candidate(RTCIceCandidateInit),
}

fn api() -> Result<API> {
    let mut media = MediaEngine::default();
    media.register_default_codecs()?;
    let registry = register_default_interceptors(Registry::new(), &mut media)?;
    Ok(APIBuilder::new()
        .with_media_engine(media)
        .with_interceptor_registry(registry)
        .build())
}

fn opus() -> Arc<TrackLocalStaticSample> {
    let codec = RTCRtpCodecCapability {
        mime_type: "audio/opus".to_owned(),
        clock_rate: 48_000,
        channels: 2,
        ..RTCRtpCodecCapability::default()
    };
    let track = TrackLocalStaticSample::new(codec, "audio".to_owned(), "microphone".to_owned());
    Arc::new(track)
}

/// What one end of a call heard.
#[derive(Default)]
struct Heard {
    packets: AtomicU32,
    states: AtomicU32,
    candidates: AtomicU32,
    message: Notify,
}

/// Registers what any app registers.
fn listen(connection: &Arc<RTCPeerConnection>, heard: &Arc<Heard>, line: &mpsc::UnboundedSender<Line>) {
    let (line, h) = (line.clone(), heard.clone());
    connection.on_ice_candidate(Box::new(move |candidate: Option<RTCIceCandidate>| {
        if let Some(json) = candidate.and_then(|c| c.to_json().ok()) {
            h.candidates.fetch_add(1, Relaxed);
            let _ = line.send(Line::Candidate(json));
        }
        Box::pin(async {})
    }));
    let h = heard.clone();
    connection.on_peer_connection_state_change(Box::new(move |_| {
        h.states.fetch_add(1, Relaxed);
        Box::pin(async {})
    }));
    let h = heard.clone();
    connection.on_track(Box::new(move |track, _, _| {
        let h = h.clone();
        Box::pin(async move {
            tokio::spawn(async move {
                while track.read_rtp().await.is_ok() {
                    h.packets.fetch_add(1, Relaxed);
                }
            });
        })
    }));
    let h = heard.clone();
    connection.on_data_channel(Box::new(move |channel| {
        let h = h.clone();
        Box::pin(async move {
            let back = channel.clone();
            channel.on_message(Box::new(move |message| {
                let (h, back) = (h.clone(), back.clone());
                Box::pin(async move {
                    let _ = back.send(&message.data).await;
                    h.message.notify_one();
                })
            }));
        })
    }));
}

/// One end of a call over `stream`, which goes on until `talk` is over.
async fn call(api: &API, call: &str, stream: TcpStream, calls: bool) -> Result<String> {
    let connection = Arc::new(api.new_peer_connection(RTCConfiguration::default()).await?);
    observe(&connection, call, 1);
    let heard = Arc::new(Heard::default());
    let (line, mut lines) = mpsc::unbounded_channel();
    listen(&connection, &heard, &line);
    let microphone = opus();
    connection
        .add_track(microphone.clone() as Arc<dyn TrackLocal + Send + Sync>)
        .await?;
    if calls {
        let channel = connection.create_data_channel("chat", None).await?;
        let opened = channel.clone();
        channel.on_open(Box::new(move || {
            Box::pin(async move {
                let _ = opened.send_text("hello").await;
            })
        }));
        let h = heard.clone();
        channel.on_message(Box::new(move |_| {
            h.message.notify_one();
            Box::pin(async {})
        }));
        let offer = connection.create_offer(None).await?;
        connection.set_local_description(offer.clone()).await?;
        line.send(Line::Description(Box::new(offer)))?;
    }

    let (read, mut write) = stream.into_split();
    let writer = tokio::spawn(async move {
        while let Some(line) = lines.recv().await {
            let text = serde_json::to_string(&line).expect("plain data") + "\n";
            if write.write_all(text.as_bytes()).await.is_err() {
                return;
            }
        }
    });
    let (reading, replies) = (connection.clone(), line.clone());
    let reader = tokio::spawn(async move {
        let mut read = BufReader::new(read).lines();
        while let Some(text) = read.next_line().await? {
            match serde_json::from_str(&text)? {
                Line::Candidate(candidate) => reading.add_ice_candidate(candidate).await?,
                Line::Description(description) => {
                    reading.set_remote_description(*description).await?;
                    if !calls {
                        let answer = reading.create_answer(None).await?;
                        reading.set_local_description(answer.clone()).await?;
                        replies.send(Line::Description(Box::new(answer)))?;
                    }
                }
            }
        }
        Result::Ok(())
    });

    tokio::time::timeout(Duration::from_secs(20), heard.message.notified()).await?;
    for _ in 0..50 {
        let sample = Sample {
            data: vec![0xfc; 60].into(),
            duration: Duration::from_millis(20),
            ..Sample::default()
        };
        microphone.write_sample(&sample).await?;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    connection.close().await?;
    reader.abort();
    drop((line, connection, microphone));
    let _ = reader.await;
    writer.abort();
    let _ = writer.await;
    let audio = if heard.packets.load(Relaxed) > 40 {
        "audio"
    } else {
        "silence"
    };
    let asked = heard.states.load(Relaxed) > 0 && heard.candidates.load(Relaxed) > 0;
    Ok(format!(
        "{audio}, handlers {}",
        if asked { "called" } else { "forgotten" }
    ))
}

async fn callee(calls: usize) -> Result<String> {
    let listener = TcpListener::bind("0.0.0.0:5060").await?;
    let api = api()?;
    let mut outcome = String::new();
    for n in 1..=calls {
        let (stream, _) = listener.accept().await?;
        outcome = call(&api, &format!("c{n}"), stream, false).await?;
    }
    Ok(outcome)
}

async fn caller(calls: usize) -> Result<String> {
    let api = api()?;
    let mut outcome = String::new();
    for n in 1..=calls {
        let stream = TcpStream::connect("bob:5060").await?;
        outcome = call(&api, &format!("c{n}"), stream, true).await?;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    Ok(outcome)
}

/// Two calls, one after the other, with the same `API` at each end.
fn two_calls(seed: u64) -> Ending {
    let run = world::run(three_hosts(seed), |sim| async move {
        let bob = sim.host("bob").spawn("callee", callee(2));
        let alice = sim.host("alice").spawn("caller", caller(2));
        for (name, end) in [("alice", alice), ("bob", bob)] {
            sim.step(
                name,
                end.await.expect("it ends").unwrap_or_else(|e| e.to_string()),
            );
        }
        sim.sleep(Duration::from_secs(5)).await;
        sim.host("alice").check_leaks(0);
        sim.host("bob").check_leaks(0);
    });
    run.expect("the run takes place")
}

/// The events of `peer` on `host` for which `is` holds.
pub(super) fn events_of<'a>(
    ending: &'a Ending,
    host: &'a str,
    is: impl Fn(&EventKind) -> bool,
) -> Vec<&'a Event> {
    ending.trace.of(host).filter(|e| is(&e.kind)).collect()
}

#[test]
fn two_calls_of_an_unchanged_app_are_watched_and_leave_nothing() {
    let ending = two_calls(1);
    assert_eq!(panics(&ending), Vec::<&str>::new());
    assert_eq!(
        steps(&ending),
        ["alice: audio, handlers called", "bob: audio, handlers called"]
    );
    for host in ["alice", "bob"] {
        for call in ["c1", "c2"] {
            let count = |is: &dyn Fn(&EventKind) -> bool| events_of(&ending, host, is).len();
            let state = |machine: Machine, name: &str| {
                count(
                    &|k| matches!(k, EventKind::State { peer, machine: m, state } if peer.call == call && *m == machine && state == name),
                )
            };
            assert_eq!(state(Machine::Connection, "connected"), 1, "{host} {call}");
            assert_eq!(state(Machine::Connection, "closed"), 1, "{host} {call}");
            assert_eq!(state(Machine::Ice, "connected"), 1, "{host} {call}");
            assert_eq!(state(Machine::Gathering, "complete"), 1, "{host} {call}");
            assert_eq!(state(Machine::Signaling, "stable"), 1, "{host} {call}");
            for remote in [false, true] {
                let described = |k: &EventKind| matches!(k, EventKind::Described { peer, remote: r, ufrag, .. } if peer.call == call && *r == remote && !ufrag.is_empty());
                assert_eq!(count(&described), 1, "{host} {call} remote {remote}");
            }
            assert!(count(&|k| matches!(k, EventKind::PairSelected { peer, .. } if peer.call == call)) >= 1);
            assert!(
                count(
                    &|k| matches!(k, EventKind::Gathered { peer, candidate: Some(c) } if peer.call == call && !c.ufrag.is_empty())
                ) >= 1
            );
            assert_eq!(
                count(&|k| matches!(k, EventKind::Gathered { peer, candidate: None } if peer.call == call)),
                1
            );
            assert!(
                count(
                    &|k| matches!(k, EventKind::CandidateApplied { peer, candidate, into } if peer.call == call && candidate.ufrag == *into)
                ) >= 1,
                "{host} {call}"
            );
            assert_eq!(
                count(&|k| matches!(k, EventKind::Closing { peer } if peer.call == call)),
                1
            );
            assert_eq!(
                count(&|k| matches!(k, EventKind::Closed { peer } if peer.call == call)),
                1
            );
        }
        let leak_check = ending.trace.of(host).find_map(|e| match &e.kind {
            EventKind::LeakCheck { tasks, sockets, .. } => Some((tasks.clone(), sockets.clone())),
            _ => None,
        });
        assert_eq!(leak_check, Some((Vec::new(), Vec::new())), "{host}");
    }
}

#[test]
fn the_raw_api_is_deterministic() {
    assert_eq!(two_calls(2).trace.digest, two_calls(2).trace.digest);
    assert_ne!(two_calls(2).trace.digest, two_calls(3).trace.digest);
}

#[test]
fn a_crash_in_the_middle_of_a_call_leaves_the_next_life_alone() {
    let run = || {
        let run = world::run_under(
            three_hosts(1),
            crash("alice", 900, 1_500),
            Arc::default(),
            |sim| async move {
                let bob = sim.host("bob").spawn("callee", callee(2));
                let first = sim.host("alice").spawn("caller", caller(1));
                assert!(first.await.is_err(), "the crash ended it");
                sim.sleep(Duration::from_secs(4)).await;
                let again = sim.host("alice").spawn("caller", caller(1));
                sim.step(
                    "again",
                    again.await.expect("it ends").unwrap_or_else(|e| e.to_string()),
                );
                bob.abort();
                sim.sleep(Duration::from_secs(5)).await;
                sim.host("alice").check_leaks(0);
            },
        );
        run.expect("the run takes place")
    };
    let ending = run();
    assert_eq!(panics(&ending), Vec::<&str>::new());
    assert_eq!(steps(&ending), ["again: audio, handlers called"]);
    let crashed = ending
        .trace
        .of("alice")
        .find(|e| e.kind == EventKind::Crashed)
        .expect("it did");
    let first_life = |kind: &EventKind| matches!(kind, EventKind::State { peer, .. } if (peer.call.as_str(), peer.life) == ("c1", 0));
    let seen = events_of(&ending, "alice", first_life);
    assert!(
        !seen.is_empty() && seen.iter().all(|e| e.seq < crashed.seq),
        "the dead report nothing"
    );
    let second_life = |kind: &EventKind| matches!(kind, EventKind::State { peer, .. } if (peer.call.as_str(), peer.life) == ("c1", 1));
    assert!(!events_of(&ending, "alice", second_life).is_empty());
    let leak_check = events_of(&ending, "alice", |k| matches!(k, EventKind::LeakCheck { .. }));
    let EventKind::LeakCheck { tasks, sockets, .. } = &leak_check[0].kind else {
        unreachable!("it is one")
    };
    assert_eq!((tasks, sockets), (&Vec::new(), &Vec::new()));
    assert_eq!(ending.trace.digest, run().trace.digest);
}

#[tokio::test]
async fn outside_a_run_they_are_the_stacks_own() {
    let api = api().expect("it can be made");
    let connection = api
        .new_peer_connection(RTCConfiguration::default())
        .await
        .expect("the stack's");
    observe(&connection, "c1", 1);
    connection
        .create_data_channel("chat", None)
        .await
        .expect("the stack's");
    let offer = connection.create_offer(None).await.expect("the stack's");
    assert!(offer.sdp.contains("a=ice-ufrag:"));
    connection.close().await.expect("the stack's");
}
