//! Story B: users dial and hang up quickly, in groups, at each other and at who is busy.

mod scenes;
mod story;

use sleet::{
    fault::Plan,
    oracle::{
        candidates::{APPLIED, OWN_GENERATION},
        connection::COMPUTED,
        ice::EDGES,
        peers::{CLOSES, NOTHING_LEFT},
        signaling::TURNS,
    },
    peer::PeerKind,
    scenario::{Kind, Scenario},
    seed::Seed,
};

use crate::phone::Make;

const ENOUGH: u64 = 200;

/// The scenarios of the family.
pub fn family() -> Vec<Scenario> {
    vec![
        fixed("rapid", PeerKind::Bare, scenes::rapid)
            .about("Dialed and hung up at every point of a call's life, and dialed again within milliseconds.")
    ]
}

fn fixed(name: &str, peers: PeerKind, scene: fn(Seed) -> Plan) -> Scenario {
    let make = Make { peers, mistake: None };
    let story = move |sim, plan| story::play(sim, plan, make);
    Scenario::new(Kind::Promise, &format!("calls/{name}"), scene, story)
        .from("STORIES B")
        .holds(&[&APPLIED, &OWN_GENERATION, &CLOSES, &NOTHING_LEFT, &EDGES, &COMPUTED, &TURNS])
}
