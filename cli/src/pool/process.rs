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
use sleet::{run::result::RunResult, scenario::Scenario, sweep::Probe};

use super::{
    death::Death,
    protocol::{PROTOCOL, Reply, Request, program, stamp},
};
use crate::identity::build_id;

/// How often a parent that waits for a reply looks up to see whether it is to stop.
const LOOK_UP: Duration = Duration::from_millis(50);
/// Bytes of a worker's error output that are kept.
const TAIL: usize = 8 << 10;
/// How often a worker that somebody kills before it is ready is started again.
const STARTS: usize = 3;
/// How often a run may lose its process to somebody outside.
const LOST: usize = 3;
/// How long a run that is there to make no headway is waited for.
const PATIENCE_WITH_THE_DEADLY: Duration = Duration::from_secs(1);

/// The most memory that a worker may have, where nobody says.
pub const MEMORY_LIMIT_MIB: u64 = 4_096;
/// How long a run may make no headway, where nobody says.
pub const HANG_AFTER_S: u64 = 30;

/// What every worker of a suite is started with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What tells the parent's own file from any other (`protocol::stamp`).
    pub stamp: String,
    /// The parent's build.
    pub build: String,
    /// The most memory that a worker may have.
    pub memory_limit_mib: u64,
    /// How long a run may make no headway in real time.
    pub hang_after: Duration,
}

impl Settings {
    /// Workers of this program.
    ///
    /// # Errors
    /// If its file cannot be read.
    pub fn new(memory_limit_mib: u64, hang_after: Duration) -> anyhow::Result<Self> {
        Ok(Self {
            stamp: stamp().context("cannot look at this program")?,
            build: build_id()?,
            memory_limit_mib,
            hang_after,
        })
    }

    /// As where nobody says anything else.
    ///
    /// # Errors
    /// As [`Settings::new`].
    pub fn usual() -> anyhow::Result<Self> {
        Self::new(MEMORY_LIMIT_MIB, Duration::from_secs(HANG_AFTER_S))
    }

    /// How long a run of `scenario` may make no headway.
    pub fn patience(&self, scenario: &Scenario) -> Duration {
        match scenario.deadly {
            true => self.hang_after.min(PATIENCE_WITH_THE_DEADLY),
            false => self.hang_after,
        }
    }
}

/// How one run went.
pub enum Run {
    /// To its end; and what could not be saved of it.
    Ended(Box<RunResult>, Option<String>),
    /// Its process died, which said this at last.
    Died(Death, String),
}

/// Has `process`, or a new one where there is none, run what `request` asks for, and another if somebody outside kills it:
/// `lost` is told. The process is gone if it died. Nothing if `stop` became true.
///
/// # Errors
/// If no worker can be started, or it refuses.
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

/// What came of a request to run something.
pub enum Fate {
    /// It ended, and what could not be saved of it.
    Ended(Box<RunResult>, Option<String>),
    /// The process did not live to its end.
    Died(Death),
    /// It cannot run anything on this machine.
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
    /// If it cannot be started, or refuses.
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

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Has it run something, which may make no headway for `patience`. After any fate but an end, the process is
    /// dead.
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

    /// Has it run a plan of a sweep, which may make no headway for `patience`.
    ///
    /// # Errors
    /// What became of the process: it is dead.
    pub fn probe(&mut self, request: &Request, patience: Duration, stop: &AtomicBool) -> Result<Probe, Fate> {
        self.ask(request)?;
        match self.reply(patience, stop)? {
            Reply::Probed { probe } => Ok(*probe),
            Reply::Refused { why } => Err(Fate::Refused(why)),
            _ => Err(self.died()),
        }
    }

    /// Has it write the trace of its last run; false if that did not work.
    pub fn dump(&mut self, file: &std::path::Path, patience: Duration) -> bool {
        let file = file.to_owned();
        let asked = self.ask(&Request::Dump { file });
        let never = AtomicBool::new(false);
        asked.is_ok() && matches!(self.reply(patience, &never), Ok(Reply::Dumped { unsaved: None }))
    }

    /// The end of what it said on its error output.
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

    /// It closed its pipe, so it is dead or as good as dead: a signal that is on its way already keeps its name.
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
