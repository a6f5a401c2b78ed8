//! The signaling server: passes messages from user to user, and keeps a record of the calls.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use futures_util::StreamExt;
use tokio::sync::mpsc::{self, UnboundedSender};
use tokio_tungstenite::accept_async;
use tracing::{debug, info, warn};

use crate::{
    database::Database,
    message::{self, Body, Decline, Letter, SignIn},
    net::{TcpListener, TcpStream},
    slow::Slow,
};

/// What all connections share.
#[derive(Default)]
struct Office {
    database: Database,
    slow: Slow,
    signed_in: Mutex<HashMap<String, UnboundedSender<Letter>>>,
}

/// Serves whoever connects to `listener`, until the listener fails.
pub async fn serve(listener: TcpListener) -> anyhow::Result<()> {
    serve_slowly(listener, Slow::default()).await
}

/// The same; some steps take their time.
pub async fn serve_slowly(listener: TcpListener, slow: Slow) -> anyhow::Result<()> {
    let office = Arc::new(Office {
        slow,
        ..Office::default()
    });
    loop {
        let (stream, _) = listener.accept().await?;
        let office = office.clone();
        tokio::spawn(async move {
            if let Err(error) = serve_phone(office, stream).await {
                warn!("a connection ended: {error:#}");
            }
        });
    }
}

/// One phone, from its connection to its end.
async fn serve_phone(office: Arc<Office>, stream: TcpStream) -> anyhow::Result<()> {
    stream.set_nodelay(true)?;
    let (mut to_phone, mut from_phone) = accept_async(stream).await?.split();
    let Some(SignIn { user }) = message::receive(&mut from_phone).await? else {
        return Ok(());
    };
    info!(user, "signed in");
    let (outbox, mut letters) = mpsc::unbounded_channel();
    office.sign_in(&user, outbox.clone());
    let writer = tokio::spawn(async move {
        while let Some(letter) = letters.recv().await {
            message::send(&mut to_phone, &letter).await?;
        }
        anyhow::Ok(())
    });
    let end = loop {
        match message::receive::<_, Letter>(&mut from_phone).await {
            // One slow letter does not hold up the others.
            Ok(Some(letter)) => drop(tokio::spawn(office.clone().handle(letter))),
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    office.sign_out(&user, &outbox);
    writer.abort();
    info!(user, "signed out");
    end
}

impl Office {
    /// Writes a new call down; passes every letter on.
    async fn handle(self: Arc<Self>, letter: Letter) {
        if let Body::Invite { .. } = letter.body {
            self.slow.at("insert-call").await;
            let number = self.database.insert_call(&letter).await;
            debug!(call = %letter.call, number, "written down");
        }
        self.slow.at(self.step_of(&letter)).await;
        self.pass_on(letter);
    }

    /// What the office does with a letter, by name.
    fn step_of(&self, letter: &Letter) -> &'static str {
        match letter.body {
            Body::Invite { .. } => "pass-on-invite",
            Body::Accept { .. } => "pass-on-accept",
            Body::Ice { .. } if self.database.is_caller(letter) => "pass-on-ice-of-caller",
            Body::Ice { .. } => "pass-on-ice-of-callee",
            Body::Restart { .. } => "pass-on-restart",
            Body::Restarted { .. } => "pass-on-restarted",
            Body::PleaseRestart => "pass-on-please-restart",
            Body::Decline { .. } | Body::Bye => "pass-on-end",
        }
    }

    fn pass_on(&self, letter: Letter) {
        let signed_in = self.signed_in.lock().unwrap();
        if let Some(outbox) = signed_in.get(&letter.to) {
            debug!(call = %letter.call, from = letter.from, to = letter.to, "passed on");
            // A phone that has just gone reads no letters.
            let _ = outbox.send(letter);
            return;
        }
        debug!(call = %letter.call, to = letter.to, "nobody there");
        if let (Body::Invite { .. }, Some(caller)) = (&letter.body, signed_in.get(&letter.from)) {
            let reason = Decline::Absent;
            let _ = caller.send(Letter {
                call: letter.call,
                from: letter.to,
                to: letter.from,
                body: Body::Decline { reason },
            });
        }
    }

    fn sign_in(&self, user: &str, outbox: UnboundedSender<Letter>) {
        self.signed_in.lock().unwrap().insert(user.to_owned(), outbox);
    }

    /// Forgets a phone, unless it has signed in again meanwhile.
    fn sign_out(&self, user: &str, outbox: &UnboundedSender<Letter>) {
        let mut signed_in = self.signed_in.lock().unwrap();
        if signed_in
            .get(user)
            .is_some_and(|current| current.same_channel(outbox))
        {
            signed_in.remove(user);
        }
    }
}
