//! A worker process, seen from its parent: started, asked, watched, killed.

use std::{
    collections::VecDeque,
    io::{self, BufRead, BufReader, Read, Write},
    os::unix::process::CommandExt,
    process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, Receiver, RecvTimeoutError, Sender},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use anyhow::{Context, bail};
use sleet::{run::result::RunResult, scenario::Scenario};

use super::{
    death::Death,
    protocol::{PROTOCOL, Reply, Request, program, stamp},
};
use crate::identity::build_id;

/// The interval at which a parent that waits for a reply checks whether it is to stop.
const LOOK_UP: Duration = Duration::from_millis(50);
/// The number of bytes kept of a worker's standard error.
const TAIL: usize = 8 << 10;
/// The number of attempts to start a worker that is killed from outside before it is ready.
const STARTS: usize = 3;
/// The number of times that a run may lose its process to a kill from outside.
pub(super) const LOST: usize = 3;
/// The patience with a run that is expected to make no progress.
const PATIENCE_WITH_THE_DEADLY: Duration = Duration::from_secs(1);

/// The default memory limit of a worker, in MiB.
pub const MEMORY_LIMIT_MIB: u64 = 4_096;
/// The default patience with a run that makes no progress, in seconds.
pub const HANG_AFTER_S: u64 = 30;

/// The settings of every worker of a suite.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The stamp of the parent's own file (`protocol::stamp`).
    pub stamp: String,
    /// The build id of the parent.
    pub build: String,
    /// The memory limit of a worker, in MiB.
    pub memory_limit_mib: u64,
    /// The real time for which a run may make no progress.
    pub hang_after: Duration,
}

impl Settings {
    /// Creates the settings for workers of this program.
    ///
    /// # Errors
    /// Fails if its file cannot be read.
    pub fn new(memory_limit_mib: u64, hang_after: Duration) -> anyhow::Result<Self> {
        Ok(Self {
            stamp: stamp().context("cannot look at this program")?,
            build: build_id()?,
            memory_limit_mib,
            hang_after,
        })
    }

    /// Creates the default settings.
    ///
    /// # Errors
    /// Fails as [`Settings::new`] does.
    pub fn usual() -> anyhow::Result<Self> {
        Self::new(MEMORY_LIMIT_MIB, Duration::from_secs(HANG_AFTER_S))
    }

    /// Returns the time for which a run of `scenario` may make no progress.
    pub fn patience(&self, scenario: &Scenario) -> Duration {
        match scenario.deadly {
            true => self.hang_after.min(PATIENCE_WITH_THE_DEADLY),
            false => self.hang_after,
        }
    }
}

/// The end of one run.
pub enum Run {
    /// The run ended; with the error if something of it could not be saved.
    Ended(Box<RunResult>, Option<String>),
    /// The process died; with the end of its standard error.
    Died(Death, String),
}

/// Runs `request` in `process`, or in a new process if there is none, and in another one if it is killed from outside:
/// then `lost` is called. A process that died is removed. Returns `None` if `stop` became true.
///
/// # Errors
/// Fails if no worker can be started, or if it refuses.
pub fn run_in(
    process: &mut Option<Process>,
    settings: &Settings,
    (request, patience): (&Request, Duration),
    stop: &AtomicBool,
    mut lost: impl FnMut(u32, &Death),
) -> anyhow::Result<Option<Run>> {
    for losses in 1.. {
        let mut alive = match process.take() {
            Some(alive) => alive,
            None => Process::start(settings)?,
        };
        match alive.run(request, patience, stop) {
            Fate::Stopped => return Ok(None),
            Fate::Refused(why) => bail!("a worker refuses to run anything: {why}"),
            Fate::Ended(result, unsaved) => {
                *process = Some(alive);
                return Ok(Some(Run::Ended(result, unsaved)));
            }
            Fate::Died(death) if death.is_from_outside() && losses < LOST => lost(alive.id(), &death),
            Fate::Died(death) => return Ok(Some(Run::Died(death, alive.stderr()))),
        }
    }
    unreachable!("the last loss is reported")
}

/// The result of a request to run something.
pub enum Fate {
    /// The run ended; with the error if something of it could not be saved.
    Ended(Box<RunResult>, Option<String>),
    /// The process died before the end of the run.
    Died(Death),
    /// The worker cannot run anything on this machine.
    Refused(String),
    /// The suite is to stop; the process is dead.
    Stopped,
}

/// A worker process that is alive, as far as is known.
pub struct Process {
    child: Child,
    requests: ChildStdin,
    replies: Receiver<Reply>,
    stderr: Arc<Mutex<VecDeque<u8>>>,
    drains: Option<JoinHandle<()>>,
}

impl Process {
    /// Starts a worker and waits until it is ready.
    ///
    /// # Errors
    /// Fails if it cannot be started, or refuses.
    pub fn start(settings: &Settings) -> anyhow::Result<Self> {
        for _ in 1..STARTS {
            match Self::start_once(settings)? {
                Ok(process) => return Ok(process),
                Err(death) if death.is_from_outside() => {}
                Err(death) => bail!("a worker could not be started: {death}"),
            }
        }
        match Self::start_once(settings)? {
            Ok(process) => Ok(process),
            Err(death) => bail!("a worker could not be started: {death}"),
        }
    }

    fn start_once(settings: &Settings) -> anyhow::Result<Result<Self, Death>> {
        let mut child = Command::new(program()?)
            .arg0("sleet-worker")
            .args(["worker", "--stamp", &settings.stamp, "--build", &settings.build])
            .args(["--memory-limit", &settings.memory_limit_mib.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // The terminal's Ctrl-C is for the parent, which ends its workers itself.
            .process_group(0)
            .spawn()
            .context("a worker could not be started")?;
        let piped = "its streams are piped";
        let (requests, stdout) = (
            child.stdin.take().expect(piped),
            child.stdout.take().expect(piped),
        );
        let from_stderr = child.stderr.take().expect(piped);
        let (sender, replies) = mpsc::channel();
        let stderr = Arc::new(Mutex::new(VecDeque::new()));
        let tail = stderr.clone();
        thread::spawn(move || forward(stdout, &sender));
        let drains = thread::spawn(move || keep_tail(from_stderr, &tail));
        let mut process = Self {
            child,
            requests,
            replies,
            stderr,
            drains: Some(drains),
        };
        match process.reply(settings.hang_after, &AtomicBool::new(false)) {
            Ok(Reply::Hello { v: PROTOCOL, stamp }) if stamp == settings.stamp => Ok(Ok(process)),
            Ok(Reply::Refused { why }) => bail!("a worker refuses: {why}"),
            Ok(other) => bail!("a worker of another build answers: {other:?}"),
            Err(Fate::Died(death)) => Ok(Err(death)),
            Err(_) => bail!("a worker did not get ready"),
        }
    }

    /// Returns the process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Makes the worker run something, which may make no progress for `patience`. Unless the run ended, the process is
    /// dead afterwards.
    pub fn run(&mut self, request: &Request, patience: Duration, stop: &AtomicBool) -> Fate {
        if let Err(fate) = self.ask(request) {
            return fate;
        }
        match self.reply(patience, stop) {
            Ok(Reply::Ended { result, unsaved }) => Fate::Ended(result, unsaved),
            Ok(Reply::Refused { why }) => Fate::Refused(why),
            Ok(_) => self.died(),
            Err(fate) => fate,
        }
    }

    /// Makes the worker answer `request` with a reply that `take` takes, which may make no progress for `patience`.
    ///
    /// # Errors
    /// Returns the fate of the process: it is dead, or refuses.
    pub fn answer<T>(
        &mut self,
        request: &Request,
        patience: Duration,
        stop: &AtomicBool,
        take: fn(Reply) -> Option<T>,
    ) -> Result<T, Fate> {
        self.ask(request)?;
        match self.reply(patience, stop)? {
            Reply::Refused { why } => Err(Fate::Refused(why)),
            reply => take(reply).ok_or_else(|| self.died()),
        }
    }

    /// Makes the worker write the trace of its last run; returns false if that failed.
    pub fn dump(&mut self, file: &std::path::Path, patience: Duration) -> bool {
        let file = file.to_owned();
        let asked = self.ask(&Request::Dump { file });
        let never = AtomicBool::new(false);
        asked.is_ok() && matches!(self.reply(patience, &never), Ok(Reply::Dumped { unsaved: None }))
    }

    /// Returns the end of the worker's standard error.
    pub fn stderr(&self) -> String {
        let tail = self.stderr.lock().expect("draining does not panic");
        String::from_utf8_lossy(&tail.iter().copied().collect::<Vec<u8>>()).into_owned()
    }

    fn ask(&mut self, request: &Request) -> Result<(), Fate> {
        let line = serde_json::to_string(request).expect("requests are plain data") + "\n";
        let sent = self.requests.write_all(line.as_bytes());
        sent.map_err(|_| self.died())
    }

    /// Waits for a reply other than a beat.
    fn reply(&mut self, patience: Duration, stop: &AtomicBool) -> Result<Reply, Fate> {
        let mut waited = Duration::ZERO;
        loop {
            match self.replies.recv_timeout(LOOK_UP.min(patience)) {
                Ok(Reply::Beat) => waited = Duration::ZERO,
                Ok(reply) => return Ok(reply),
                Err(RecvTimeoutError::Disconnected) => return Err(self.died()),
                Err(RecvTimeoutError::Timeout) => waited += LOOK_UP.min(patience),
            }
            if stop.load(Ordering::Relaxed) {
                let _ = self.kill();
                return Err(Fate::Stopped);
            }
            if waited >= patience {
                let _ = self.kill();
                return Err(Fate::Died(Death::Stuck(patience)));
            }
        }
    }

    /// Handles a closed pipe: the process is dead or about to die. The signal of a death under way is still reported.
    fn died(&mut self) -> Fate {
        match self.kill() {
            Ok(status) => Fate::Died(Death::of(status, &self.stderr())),
            Err(_) => Fate::Died(Death::Exit(-1)),
        }
    }

    fn kill(&mut self) -> io::Result<std::process::ExitStatus> {
        let _ = self.child.kill();
        let status = self.child.wait();
        if let Some(drains) = self.drains.take() {
            let _ = drains.join();
        }
        status
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.kill();
    }
}

/// Passes replies on until the worker closes its output.
fn forward(stdout: ChildStdout, sender: &Sender<Reply>) {
    for line in BufReader::new(stdout).lines().map_while(Result::ok) {
        let Ok(reply) = serde_json::from_str(&line) else {
            return;
        };
        if sender.send(reply).is_err() {
            return;
        }
    }
}

/// Reads everything and keeps the end.
fn keep_tail(mut stderr: ChildStderr, tail: &Mutex<VecDeque<u8>>) {
    let mut buffer = [0; 1024];
    while let Ok(n @ 1..) = stderr.read(&mut buffer) {
        let mut tail = tail.lock().expect("draining does not panic");
        tail.extend(&buffer[..n]);
        let excess = tail.len().saturating_sub(TAIL);
        tail.drain(..excess);
    }
}
