//! A phone's connection to the server, made again whenever it is lost.

use std::time::Duration;

use anyhow::Context;
use futures_util::{SinkExt, StreamExt};
use tokio::{
    sync::mpsc::{self, UnboundedReceiver, UnboundedSender},
    time::sleep,
};
use tokio_tungstenite::client_async;
use tracing::{debug, warn};

use crate::{
    message::{self, Letter, SignIn},
    net::TcpStream,
};

/// How long a phone waits before it connects again.
const RETRY: Duration = Duration::from_millis(500);

/// Signs `user` in at `server` (`host:port`) and stays signed in: letters given to the sender go to the server, letters
/// from the server come out of the receiver. Drop the sender to sign out.
pub fn open(server: String, user: String) -> (UnboundedSender<Letter>, UnboundedReceiver<Letter>) {
    let (outbox, mut outgoing) = mpsc::unbounded_channel();
    let (incoming, inbox) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        loop {
            match connected(&server, &user, &mut outgoing, &incoming).await {
                Ok(Left::SignedOut) => return,
                Ok(Left::ByServer) => warn!("the server closed the connection"),
                Err(error) => warn!("not connected: {error:#}"),
            }
            sleep(RETRY).await;
        }
    });
    (outbox, inbox)
}

/// Who ended a connection.
enum Left {
    SignedOut,
    ByServer,
}

async fn connected(
    server: &str,
    user: &str,
    outgoing: &mut UnboundedReceiver<Letter>,
    incoming: &UnboundedSender<Letter>,
) -> anyhow::Result<Left> {
    let stream = TcpStream::connect(server).await.context("connecting")?;
    // Else the kernel keeps a letter back until the one before it is acknowledged: 40 ms, on Linux.
    stream.set_nodelay(true)?;
    let (socket, _) = client_async(format!("ws://{server}/"), stream).await?;
    let (mut sink, mut stream) = socket.split();
    let user = user.to_owned();
    message::send(&mut sink, &SignIn { user }).await?;
    debug!("signed in");
    loop {
        tokio::select! {
            letter = outgoing.recv() => match letter {
                Some(letter) => message::send(&mut sink, &letter).await?,
                None => {
                    sink.close().await?;
                    return Ok(Left::SignedOut);
                }
            },
            letter = message::receive(&mut stream) => match letter? {
                // A phone that was switched off reads no letters.
                Some(letter) => drop(incoming.send(letter)),
                None => return Ok(Left::ByServer),
            },
        }
    }
}
