//! The calling app's programs as processes: a phone, and the server. Nothing here knows what they say to each other.

use std::{
    path::Path,
    process::Stdio,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::Context;
use serde_json::Value;
use sleet_reality::clock::Clock;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWriteExt, BufReader},
    process::{Child, ChildStdin, Command},
    sync::{mpsc::UnboundedSender, watch},
};

/// Lines of a log, each with the time at which it was read.
#[derive(Clone)]
pub struct Log {
    clock: Clock,
    lines: Arc<Mutex<Vec<(Duration, String)>>>,
    // How many lines there are: who waits for one is woken.
    count: watch::Sender<usize>,
}

impl Log {
    fn new(clock: Clock) -> Self {
        Self {
            clock,
            lines: Arc::default(),
            count: watch::channel(0).0,
        }
    }

    /// Reads `from` until it ends.
    async fn read(self, from: impl AsyncRead + Unpin) {
        let mut lines = BufReader::new(from).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            let mut log = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
            log.push((self.clock.passed(), line));
            self.count.send_replace(log.len());
        }
    }

    /// What `pick` takes of the lines so far, in order.
    pub fn picked<T>(&self, pick: impl Fn(Duration, &str) -> Option<T>) -> Vec<T> {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().filter_map(|(at, line)| pick(*at, line)).collect()
    }

    /// Waits for a line that has all of `words`.
    pub async fn has(&self, words: &[&str]) {
        let mut count = self.count.subscribe();
        let fits = |_, line: &str| words.iter().all(|word| line.contains(word)).then_some(());
        while self.picked(fits).is_empty() {
            // The sender is ours: it does not go.
            let _ = count.changed().await;
        }
    }
}

/// A program of the app; killed with its handle.
pub struct Process {
    child: Child,
    taps: Option<ChildStdin>,
    /// What it logs.
    pub log: Log,
}

impl Process {
    /// Starts `app` with `args`; each line of its output goes to `said`.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(
        app: &Path,
        args: &[String],
        clock: Clock,
        said: UnboundedSender<String>,
    ) -> anyhow::Result<Self> {
        let mut command = Command::new(app);
        command
            .args(args)
            .env("RUST_LOG", "own_client=debug")
            .env("NO_COLOR", "1");
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command.spawn().context(app.display().to_string())?;
        let stdout = child.stdout.take().context("its output")?;
        tokio::spawn(async move {
            let mut lines = BufReader::new(stdout).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                // Whoever started it may not listen any more.
                let _ = said.send(line);
            }
        });
        let log = Log::new(clock);
        tokio::spawn(log.clone().read(child.stderr.take().context("its log")?));
        Ok(Self {
            taps: child.stdin.take(),
            child,
            log,
        })
    }

    /// Taps.
    ///
    /// # Errors
    /// When it is gone.
    pub async fn tap(&mut self, tap: &Value) -> anyhow::Result<()> {
        let taps = self.taps.as_mut().context("it is switched off")?;
        let line = format!("{tap}\n");
        taps.write_all(line.as_bytes()).await.context("a phone is gone")
    }

    /// Kills it: it says goodbye to nobody.
    ///
    /// # Errors
    /// When the system cannot.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        Ok(self.child.kill().await?)
    }

    /// Stops it where it is (`STOP`), or lets it go on (`CONT`): its sockets stay open meanwhile.
    ///
    /// # Errors
    /// When it is gone.
    pub async fn signal(&self, name: &str) -> anyhow::Result<()> {
        let id = self.child.id().context("it has ended")?.to_string();
        let status = Command::new("kill").args(["-s", name, &id]).status().await?;
        anyhow::ensure!(status.success(), "kill -s {name}: {status}");
        Ok(())
    }
}
