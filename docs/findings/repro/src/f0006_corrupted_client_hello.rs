//! Finding 0006: one flipped bit in a ClientHello, and a task of the DTLS server panics.

use std::{
    panic,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::time::timeout;
use webrtc::dtls::handshake::handshake_message_client_hello::HandshakeMessageClientHello;

use crate::{
    Seen,
    panics::short,
    secured::handshake,
    wire::{Fate, Rule, Way},
};

/// How long the two ends have.
const PATIENCE: Duration = Duration::from_secs(6);
/// Where the body of a handshake message begins, behind the headers of the record and of the message.
const BODY: usize = 25;

/// Shows it.
pub async fn show() -> anyhow::Result<Seen> {
    let panics = Arc::new(Mutex::new(Vec::new()));
    let told = panics.clone();
    panic::set_hook(Box::new(move |info| {
        told.lock().expect("no panic while it is held").push(short(info));
    }));
    let flipped = Arc::new(Mutex::new(None));
    let result = damaged(&panics, &flipped).await;
    drop(panic::take_hook());
    let connected = result?;
    let (panics, bit) = (
        panics.lock().expect("no panic while it is held").clone(),
        flipped.lock().expect("no panic while it is held").take(),
    );
    Ok(Seen {
        expected: "an invalid record is silently discarded (RFC 6347 section 4.1.2.7), and the next ClientHello is answered".into(),
        seen: match bit {
            Some(bit) => format!("bit {bit} of the first ClientHello was flipped; panics: {panics:?}; connected within {PATIENCE:?}: {connected}"),
            None => "there is no bit that makes the parser panic".into(),
        },
        shows: bit.is_some() && !panics.is_empty() && !connected,
    })
}

type Shared<T> = Arc<Mutex<T>>;

/// Whether both ends connect.
async fn damaged(panics: &Shared<Vec<String>>, flipped: &Shared<Option<usize>>) -> anyhow::Result<bool> {
    let (_wire, client, server) = handshake(flips_first_hello(panics.clone(), flipped.clone())).await?;
    let both = async { (client.await, server.await) };
    let ended = timeout(PATIENCE, both).await;
    Ok(matches!(ended, Ok((Ok(Ok(_)), Ok(Ok(_))))))
}

/// Flips the first bit of the first ClientHello that makes the parser panic.
fn flips_first_hello(panics: Shared<Vec<String>>, flipped: Shared<Option<usize>>) -> Rule {
    let mut done = false;
    Box::new(move |way, data| {
        if done || way == Way::ToLeft || data.len() <= BODY {
            return Fate::Pass;
        }
        done = true;
        let flip = |bit: usize| {
            let mut changed = data.to_vec();
            changed[bit / 8] ^= 0x80 >> (bit % 8);
            changed
        };
        let bit = (BODY * 8..data.len() * 8).find(|bit| {
            let changed = flip(*bit);
            panic::catch_unwind(|| drop(HandshakeMessageClientHello::unmarshal(&mut &changed[BODY..])))
                .is_err()
        });
        // Those of the search do not count.
        panics.lock().expect("no panic while it is held").clear();
        *flipped.lock().expect("no panic while it is held") = bit;
        bit.map_or(Fate::Pass, |bit| Fate::Instead(flip(bit)))
    })
}
