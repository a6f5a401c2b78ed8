//! Connections that the stack's own API made, wrapped after they were built: they are watched like every other.

use std::{sync::Arc, time::Duration};

use sleet::{
    trace::EventKind,
    webrtc::{RTCPeerConnection, configure, observe},
    world,
};
use tokio::sync::mpsc;
use webrtc::{
    api::setting_engine::SettingEngine,
    peer_connection::{configuration::RTCConfiguration, offer_answer_options::RTCOfferOptions},
};

use super::{
    calls::{Result, events_of},
    panics, steps, three_hosts,
};

/// Two connections of the stack's own API on one host, wrapped after they were built.
async fn with_the_stacks_api() -> Result<()> {
    let mut settings = SettingEngine::default();
    let interface = configure(&mut settings).await?;
    let api = webrtc::api::APIBuilder::new()
        .with_setting_engine(settings)
        .build();
    let mut ends = Vec::new();
    for call in ["offers", "answers"] {
        let connection = api.new_peer_connection(RTCConfiguration::default()).await?;
        let connection = Arc::new(RTCPeerConnection::over(connection, &interface).await?);
        observe(&connection, call, 1);
        let (candidate, candidates) = mpsc::unbounded_channel();
        connection.on_ice_candidate(Box::new(move |found| {
            let found = found.and_then(|c| c.to_json().ok());
            if let Some(json) = found {
                // The other end's are not needed.
                let _ = candidate.send(json);
            }
            Box::pin(async {})
        }));
        ends.push((connection, candidates));
    }
    let [(offers, mut first), (answers, _)] = <[_; 2]>::try_from(ends).expect("two");
    offers.create_data_channel("chat", None).await?;
    let offer = offers.create_offer(None).await?;
    offers.set_local_description(offer.clone()).await?;
    let early = first.recv().await.ok_or("none")?;
    assert!(
        answers.add_ice_candidate(early.clone()).await.is_err(),
        "there is no description"
    );
    answers.set_remote_description(offer).await?;
    answers.add_ice_candidate(early.clone()).await?;
    let answer = answers.create_answer(None).await?;
    answers.set_local_description(answer.clone()).await?;
    offers.set_remote_description(answer).await?;
    tokio::time::sleep(Duration::from_secs(2)).await;

    // Another generation: what was gathered in the first is not of it.
    let restart = RTCOfferOptions {
        ice_restart: true,
        ..RTCOfferOptions::default()
    };
    let again = offers.create_offer(Some(restart)).await?;
    offers.set_local_description(again.clone()).await?;
    answers.set_remote_description(again).await?;
    let said = offers.local_description().await.ok_or("none")?;
    assert!(said.sdp.contains("a=ice-ufrag:"));
    answers.add_ice_candidate(early).await?;
    offers.close().await?;
    answers.close().await?;
    Ok(())
}

#[test]
fn connections_of_the_stacks_own_api_are_watched_too() {
    let run = || {
        let run = world::run(three_hosts(4), |sim| async move {
            let ended = sim.host("alice").spawn("both ends", with_the_stacks_api()).await;
            sim.step(
                "ended",
                format!("{:?}", ended.expect("it ends").map_err(|e| e.to_string())),
            );
            sim.sleep(Duration::from_secs(1)).await;
            sim.host("alice").check_leaks(0);
        });
        run.expect("the run takes place")
    };
    let ending = run();
    assert_eq!(
        (steps(&ending), panics(&ending)),
        (vec!["ended: Ok(())".to_owned()], Vec::new())
    );
    let refused = |k: &EventKind| matches!(k, EventKind::CandidateRefused { peer, candidate, error } if peer.call == "answers" && !candidate.ufrag.is_empty() && error.contains("remote description"));
    assert_eq!(events_of(&ending, "alice", refused).len(), 1);
    let applied = events_of(&ending, "alice", |k| {
        matches!(k, EventKind::CandidateApplied { .. })
    });
    let fits: Vec<bool> = applied
        .iter()
        .map(|e| matches!(&e.kind, EventKind::CandidateApplied { candidate, into, .. } if candidate.ufrag == *into))
        .collect();
    assert_eq!(
        fits,
        [true, false],
        "the last was gathered in the generation before"
    );
    let leak_check = events_of(&ending, "alice", |k| matches!(k, EventKind::LeakCheck { .. }));
    let EventKind::LeakCheck { tasks, sockets, .. } = &leak_check[0].kind else {
        unreachable!("it is one")
    };
    assert_eq!((tasks, sockets), (&Vec::new(), &Vec::new()));
    assert_eq!(ending.trace.digest, run().trace.digest);
}
