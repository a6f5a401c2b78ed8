//! The signaling server: whoever connects says its name, and messages go to whom they name.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use anyhow::Context;
use futures_util::{SinkExt, StreamExt};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::mpsc::{self, UnboundedSender},
};
use tokio_tungstenite::{accept_async, tungstenite::Message as Frame};

use super::Envelope;

/// Who is there.
#[derive(Clone, Default)]
pub struct Clients(Arc<Mutex<BTreeMap<String, UnboundedSender<Frame>>>>);

/// Serves one connection until it ends.
///
/// # Errors
/// What the connection says.
pub async fn serve<S>(stream: S, clients: Clients) -> anyhow::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (mut says, mut hears) = accept_async(stream).await?.split();
    let Some(Ok(Frame::Text(name))) = hears.next().await else {
        anyhow::bail!("a client without a name");
    };
    let (to, mut outgoing) = mpsc::unbounded_channel();
    clients.lock()?.insert(name.to_string(), to);
    loop {
        tokio::select! {
            frame = outgoing.recv() => says.send(frame.context("nobody sends")?).await?,
            frame = hears.next() => match frame {
                Some(Ok(Frame::Text(text))) => {
                    let to = serde_json::from_str::<Envelope>(&text)?.to;
                    if let Some(client) = clients.lock()?.get(&to) {
                        let _ = client.send(Frame::Text(text));
                    }
                }
                // The answer to a ping has been written by the library; this sends it.
                Some(Ok(_)) => says.flush().await?,
                Some(Err(_)) | None => return Ok(()),
            },
        }
    }
}

impl Clients {
    fn lock(&self) -> anyhow::Result<std::sync::MutexGuard<'_, BTreeMap<String, UnboundedSender<Frame>>>> {
        self.0.lock().ok().context("a connection panicked")
    }
}
