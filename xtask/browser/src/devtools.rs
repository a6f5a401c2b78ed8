//! A browser as a process, and what little of the DevTools protocol drives it: commands with answers, and events.
//!
//! A browser has a profile of its own in a folder that goes with it, and dies with its handle. Nothing here knows what a
//! page is about.

use std::{
    collections::BTreeMap,
    path::Path,
    process::Stdio,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context, anyhow};
use futures_util::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::TcpStream,
    process::{Child, ChildStderr, Command},
    sync::{
        mpsc::{self, UnboundedReceiver, UnboundedSender},
        oneshot,
    },
    time::timeout,
};
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite::Message};

/// How long a browser may take to start, or to answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// With these a page may make a call without anybody at the screen, as it would with somebody there: audio starts without a
/// click, timers of a page that is not in front run as fast, and nothing is asked of the network that the page did not ask.
const FLAGS: [&str; 12] = [
    "--headless=new",
    "--remote-debugging-port=0",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-timer-throttling",
    "--disable-renderer-backgrounding",
    "--autoplay-policy=no-user-gesture-required",
];

/// Who waits for which answer.
type Waiting = Arc<Mutex<BTreeMap<u64, oneshot::Sender<Value>>>>;

/// A browser that runs.
pub struct Browser {
    child: Child,
    sink: SplitSink<WebSocketStream<TcpStream>, Message>,
    waiting: Waiting,
    last: u64,
    // Its profile: gone when the browser is.
    _profile: TempDir,
}

impl Browser {
    /// Starts `program` with `more` flags; its events come out of the receiver, until it is gone.
    ///
    /// # Errors
    /// When it does not start, or does not say where it listens; the text has what it said instead.
    pub async fn start(program: &Path, more: &[String]) -> anyhow::Result<(Self, UnboundedReceiver<Value>)> {
        let profile = tempfile::tempdir().context("a folder for the browser's profile")?;
        let mut command = Command::new(program);
        command
            .args(FLAGS)
            .args(more)
            .arg(format!("--user-data-dir={}", profile.path().display()))
            // The namespaces around it are the sandbox; as root it takes no other.
            .arg("--no-sandbox")
            .arg("about:blank")
            .kill_on_drop(true);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = command.spawn().context(program.display().to_string())?;
        let stderr = child.stderr.take().context("its output")?;
        let endpoint = timeout(PATIENCE, endpoint(stderr))
            .await
            .context("it does not say where it listens")??;
        let socket = connect(&endpoint).await.context(endpoint)?;
        let (sink, stream) = socket.split();
        let waiting = Waiting::default();
        let (events, happened) = mpsc::unbounded_channel();
        tokio::spawn(listen(stream, waiting.clone(), events));
        let browser = Self {
            child,
            sink,
            waiting,
            last: 0,
            _profile: profile,
        };
        Ok((browser, happened))
    }

    /// Gives a command, to a session if there is one; the answer.
    ///
    /// # Errors
    /// When the browser refuses it, does not answer, or is gone.
    pub async fn command(
        &mut self,
        session: Option<&str>,
        method: &str,
        params: Value,
    ) -> anyhow::Result<Value> {
        self.last += 1;
        let mut message = json!({"id": self.last, "method": method, "params": params});
        if let Some(session) = session {
            message["sessionId"] = json!(session);
        }
        let (answered, answer) = oneshot::channel();
        lock(&self.waiting).insert(self.last, answered);
        self.sink
            .send(Message::text(message.to_string()))
            .await
            .with_context(|| method.to_owned())?;
        let answer = timeout(PATIENCE, answer)
            .await
            .with_context(|| format!("{method}: no answer"))?;
        let mut answer = answer.map_err(|_| anyhow!("{method}: the browser is gone"))?;
        match answer.get("error") {
            Some(error) => Err(anyhow!("{method}: {error}")),
            None => Ok(answer["result"].take()),
        }
    }

    /// Kills it: it says goodbye to nobody.
    ///
    /// # Errors
    /// When the system cannot.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        Ok(self.child.kill().await?)
    }
}

fn lock(waiting: &Waiting) -> std::sync::MutexGuard<'_, BTreeMap<u64, oneshot::Sender<Value>>> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Passes answers on to who waits for them, and events to `events`.
async fn listen(
    mut stream: SplitStream<WebSocketStream<TcpStream>>,
    waiting: Waiting,
    events: UnboundedSender<Value>,
) {
    while let Some(Ok(message)) = stream.next().await {
        let Message::Text(text) = message else { continue };
        // A message that is not JSON would be a defect of the browser; who waits for it says that nothing came.
        let Ok(value) = serde_json::from_str::<Value>(&text) else {
            continue;
        };
        match value["id"].as_u64() {
            Some(id) => {
                if let Some(answered) = lock(&waiting).remove(&id) {
                    // Who asked may have given up.
                    let _ = answered.send(value);
                }
            }
            // Whoever started the browser may not listen any more.
            None => drop(events.send(value)),
        }
    }
    // Nobody waits for a browser that is gone.
    lock(&waiting).clear();
}

async fn connect(endpoint: &str) -> anyhow::Result<WebSocketStream<TcpStream>> {
    let host = host_of(endpoint).context("not of the form ws://host:port/path")?;
    let stream = TcpStream::connect(host).await?;
    stream.set_nodelay(true)?;
    Ok(client_async(endpoint, stream).await?.0)
}

/// Reads where the browser listens; the rest of what it says is read too, as a full pipe would stop it.
async fn endpoint(stderr: ChildStderr) -> anyhow::Result<String> {
    let mut lines = BufReader::new(stderr).lines();
    let mut said = Vec::new();
    while let Some(line) = lines.next_line().await? {
        if let Some(endpoint) = endpoint_in(&line) {
            let endpoint = endpoint.to_owned();
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return Ok(endpoint);
        }
        said.push(line);
    }
    Err(anyhow!("it ended: {}", said.join("; ")))
}

/// The address in a line of a browser that says where it listens.
fn endpoint_in(line: &str) -> Option<&str> {
    let endpoint = line.strip_prefix("DevTools listening on ")?.trim();
    endpoint.starts_with("ws://").then_some(endpoint)
}

/// `host:port` of an address `ws://host:port/path`.
fn host_of(endpoint: &str) -> Option<&str> {
    let (host, _) = endpoint.strip_prefix("ws://")?.split_once('/')?;
    host.contains(':').then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_endpoint_is_found_in_the_line_that_has_it() {
        let line = "DevTools listening on ws://127.0.0.1:35413/devtools/browser/92e288d5\n";
        let endpoint = endpoint_in(line);
        assert_eq!(endpoint, Some("ws://127.0.0.1:35413/devtools/browser/92e288d5"));
        assert_eq!(endpoint.and_then(host_of), Some("127.0.0.1:35413"));
        for other in [
            "[1:2:ERROR:bus.cc] Failed to connect to ws://127.0.0.1:1/",
            "DevTools listening on a pipe",
            "",
        ] {
            assert_eq!(endpoint_in(other), None, "{other}");
        }
        assert_eq!(host_of("ws://127.0.0.1/no-port"), None);
    }

    #[tokio::test]
    async fn a_browser_that_is_none_says_so() {
        let error = Browser::start(Path::new("/bin/false"), &[]).await.err();
        let said = format!("{:#}", error.expect("it is no browser"));
        assert!(said.contains("it ended"), "{said}");
    }
}
