//! Broken clients that leave something of a call behind.

use std::{sync::Arc, time::Duration};

use sleet::{peer, peer::Peer, peer::PeerKind, peer::PeerSpec, peer::Role, prelude::*};

use crate::network::story_a;

/// Returns the scenarios of the family.
pub fn family() -> Vec<Scenario> {
    vec![
        careless("never-closed", &TEAR_05_STACK_ENDS, drop)
            .about("A client drops its agent without closing it: the tasks of the stack stay."),
        careless("forgotten", &TEAR_02_NOTHING_LEFT, |peer| {
            tokio::spawn(async move {
                let _ = peer.connected().wait_for(|connected| *connected).await;
            });
        })
        .about("A client waits for ever for a peer that nobody answers: its task and its sockets stay."),
    ]
}

/// A client that creates an agent and then applies `mistake` to it.
fn careless(name: &str, trips: &'static Oracle, mistake: fn(Arc<dyn Peer>)) -> Scenario {
    let story = move |sim: Sim, _| async move {
        let alice = sim.host("alice");
        let spec = PeerSpec::new(PeerKind::Bare, "c1", Role::Offerer);
        let host = alice.clone();
        let made = alice.spawn("careless", async move {
            let created = peer::create(&host, spec, Box::new(|_| Box::pin(async {}))).await;
            created.map(mistake)
        });
        let _ = made.await;
        sim.sleep(Duration::from_secs(5)).await;
        alice.check_leaks(0);
    };
    Scenario::new(Kind::Demonstration, &format!("teardown/{name}"), story_a, story)
        .from("docs/hazards.md#21-dropped-without-closing")
        .expects(Expectation::broken(trips, 1))
}
