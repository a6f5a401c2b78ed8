//! A worker process, seen from inside: `xtask worker`, hidden from users.
//!
//! Whatever a run does to its process happens here and not to the suite. A worker ends when its parent does, whatever
//! it is doing, because its standard input ends then.

use std::{
    fs::{self, File},
    io::{self, BufRead, Write},
    os::fd::AsFd,
    path::Path,
    process,
    sync::{
        Arc, Mutex,
        mpsc::{self, Receiver},
    },
    thread,
    time::Duration,
};

use anyhow::Context;
use nix::{
    sys::resource::{Resource, setrlimit},
    unistd::dup2_stdout,
};
use sleet::{
    run::{
        RunRecord, execute_seed_watched,
        repro::Repro,
        result::{Outcome, RunResult},
    },
    scenario::Scenario,
    seed::Seed,
    trace::Watch,
    world::WorldError,
};
use sleet_reports::failure;

use super::protocol::{PROTOCOL, Reply, Request, stamp};
use crate::{Done, cli::WorkerArgs, select};

/// How often a run that gets on says so.
const BEAT: Duration = Duration::from_millis(100);

/// Serves the parent until it goes away.
pub fn serve(args: &WorkerArgs) -> Done {
    let out = Out::take().context("the parent's pipe cannot be taken over")?;
    let stamp = stamp().context("cannot look at this program")?;
    if stamp != args.stamp {
        let why = format!(
            "this is another build ({stamp}) than the parent's ({})",
            args.stamp
        );
        out.say(&Reply::Refused { why: why.clone() });
        anyhow::bail!(why);
    }
    limit(args.memory_limit)?;
    let scenarios = sleet_scenarios::catalogue();
    let requests = listen();
    let watched = beat(&out);
    out.say(&Reply::Hello { v: PROTOCOL, stamp });
    let mut last = None;
    for request in requests {
        out.say(&match request {
            Request::Run { scenario, seed, save } => {
                let scenario = select::among(&scenarios, &scenario)?;
                let watch = Arc::new(match &save {
                    Some(folder) => stream_into(folder),
                    None => Watch::default(),
                });
                *watched.lock().expect("beating does not panic") = watch.clone();
                match execute_seed_watched(&scenario, seed, watch) {
                    Ok(record) => ended(&scenario, last.insert(record), save.as_deref(), &args.build),
                    Err(error) => failed(&scenario, seed, &error),
                }
            }
            Request::Dump { file } => dump(last.as_ref(), &file),
        });
    }
    Ok(0)
}

/// The way to the parent. Standard output itself leads to the error output from here on: what a run prints is no
/// reply.
#[derive(Clone)]
struct Out(Arc<Mutex<File>>);

impl Out {
    fn take() -> io::Result<Self> {
        let out = io::stdout().as_fd().try_clone_to_owned()?;
        dup2_stdout(io::stderr())?;
        Ok(Self(Arc::new(Mutex::new(out.into()))))
    }

    /// Says `reply`. Without a parent there is nothing left to do.
    fn say(&self, reply: &Reply) {
        let line = serde_json::to_string(reply).expect("replies are plain data") + "\n";
        let said = self
            .0
            .lock()
            .expect("saying does not panic")
            .write_all(line.as_bytes());
        if said.is_err() {
            process::exit(0);
        }
    }
}

/// Limits this process. A dump of its memory would help nobody: a seed replays.
fn limit(memory_mib: u64) -> anyhow::Result<()> {
    let bytes = memory_mib << 20;
    setrlimit(Resource::RLIMIT_DATA, bytes, bytes).context("memory cannot be limited")?;
    setrlimit(Resource::RLIMIT_CORE, 0, 0).context("core dumps cannot be switched off")
}

/// Requests as they come. The process ends with its parent, even in the middle of a run.
fn listen() -> Receiver<Request> {
    let (sender, requests) = mpsc::channel();
    thread::spawn(move || {
        for line in io::stdin().lock().lines().map_while(Result::ok) {
            let Ok(request) = serde_json::from_str(&line) else {
                break;
            };
            if sender.send(request).is_err() {
                break;
            }
        }
        process::exit(0);
    });
    requests
}

/// Tells the parent whenever the watched run has got on.
fn beat(out: &Out) -> Arc<Mutex<Arc<Watch>>> {
    let watched = Arc::new(Mutex::new(Arc::new(Watch::default())));
    let (out, watching) = (out.clone(), watched.clone());
    thread::spawn(move || {
        let mut before = 0;
        loop {
            thread::park_timeout(BEAT);
            let steps = watching.lock().expect("beating does not panic").steps();
            if steps != before {
                before = steps;
                out.say(&Reply::Beat);
            }
        }
    });
    watched
}

/// Streams a trace into `folder`. What cannot be written will be noticed at the end.
fn stream_into(folder: &Path) -> Watch {
    let file = fs::create_dir_all(folder).and_then(|()| File::create(folder.join(TRACE)));
    file.map_or_else(|_| Watch::default(), Watch::streaming)
}

/// The file of a failure's trace.
pub const TRACE: &str = "trace.jsonl";

fn ended(scenario: &Scenario, record: &RunRecord, save: Option<&Path>, build: &str) -> Reply {
    let saved = save.map_or(Ok(()), |folder| self::save(scenario, record, folder, build));
    Reply::Ended {
        result: Box::new(record.result()),
        unsaved: saved.err().map(|e| format!("{e:#}")),
    }
}

fn failed(scenario: &Scenario, seed: Seed, error: &WorldError) -> Reply {
    match error {
        WorldError::Panicked(_) => Reply::Ended {
            result: Box::new(RunResult::without_record(
                &scenario.name,
                seed,
                Outcome::Error,
                error.to_string(),
            )),
            unsaved: None,
        },
        error => Reply::Refused {
            why: error.to_string(),
        },
    }
}

/// Leaves what is needed to look into a run. The plan comes last: where it is, the rest is whole.
fn save(scenario: &Scenario, record: &RunRecord, folder: &Path, build: &str) -> anyhow::Result<()> {
    let write = |name: &str, text: String| {
        let path = folder.join(name);
        fs::write(&path, text).with_context(|| format!("cannot write '{}'", path.display()))
    };
    fs::create_dir_all(folder).with_context(|| format!("cannot make '{}'", folder.display()))?;
    write(TRACE, record.trace.to_json_lines())?;
    write("report.txt", failure::report(scenario, record))?;
    write("repro.json", Repro::of(record, build).to_json() + "\n")
}

fn dump(last: Option<&RunRecord>, file: &Path) -> Reply {
    let written = match last {
        Some(record) => {
            let folder = file.parent().map_or(Ok(()), fs::create_dir_all);
            folder.and_then(|()| fs::write(file, record.trace.to_json_lines()))
        }
        None => Err(io::Error::other("nothing has run yet")),
    };
    Reply::Dumped {
        unsaved: written.err().map(|e| e.to_string()),
    }
}
