//! A worker process, seen from inside: the command `worker`, hidden from users.
//!
//! Whatever a run does to its process happens here and not to the suite. A worker ends when its parent does, whatever
//! it is doing, because its standard input ends then.

use std::{
    fs::{self, File},
    io::{self, BufRead, Write},
    os::fd::AsFd,
    path::{Path, PathBuf},
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
    fault::Plan,
    run::{
        RunRecord, Runner,
        repro::Repro,
        result::{RunOutcome, RunResult},
    },
    scenario::Scenario,
    search::Lesson,
    seed::Seed,
    sweep::probe,
    trace::Watch,
    world::WorldError,
};
use sleet_reports::{failure, pcap};

use super::protocol::{PROTOCOL, Reply, Request, stamp};
use crate::{Done, args::WorkerArgs, catalogue::Catalogue, select};

/// The interval of beats from a run that makes progress.
const BEAT: Duration = Duration::from_millis(100);

/// Serves the parent until it goes away.
pub fn serve(catalogue: &Catalogue, args: &WorkerArgs) -> Done {
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
    if let Err(why) = limit(args.memory_limit) {
        out.say(&Reply::Refused {
            why: format!("{why:#}"),
        });
        return Err(why);
    }
    let ours = Ours {
        program: catalogue.program(),
        build: &args.build,
    };
    let requests = listen();
    let watched = beat(&out);
    out.say(&Reply::Hello { v: PROTOCOL, stamp });
    let mut last = None;
    for request in requests {
        out.say(&match request {
            Request::Run { scenario, seed, save } => {
                let scenario = select::scenario(catalogue, &scenario)?;
                let watch = watch(&watched, save.as_deref(), false);
                let done = run(&scenario, seed, save.as_deref(), watch);
                let done = done.map(|record| (record, None));
                ours.tell(&scenario, seed, done, &mut last, save.as_deref())
            }
            Request::Play { repro, save, capture } => {
                let scenario = select::scenario(catalogue, &repro.scenario)?;
                let watch = watch(&watched, save.as_deref(), capture);
                let done = play(&scenario, repro.seed, repro.plan, save.as_deref(), watch.clone());
                let captured = done.as_ref().ok().zip(save.as_deref());
                let captured =
                    captured.map_or(Ok(()), |(record, folder)| leave_capture(record, &watch, folder));
                let file = save.as_deref().map(|folder| folder.join(REPRO));
                let done = done.map(|record| (record, file));
                let mut reply = ours.tell(&scenario, repro.seed, done, &mut last, save.as_deref());
                if let (Reply::Ended { unsaved, .. }, Err(error)) = (&mut reply, captured) {
                    *unsaved = Some(format!("{error:#}"));
                }
                reply
            }
            Request::Probe {
                scenario,
                seed,
                plan,
                listen,
            } => {
                let scenario = select::scenario(catalogue, &scenario)?;
                match probe(&scenario, seed, Arc::new(*plan), listen) {
                    Ok(probe) => Reply::Probed {
                        probe: Box::new(probe),
                    },
                    Err(error) => Reply::Refused {
                        why: error.to_string(),
                    },
                }
            }
            Request::Search { scenario, seed, plan } => {
                let scenario = select::scenario(catalogue, &scenario)?;
                let watch = watch(&watched, None, false);
                match play(&scenario, seed, *plan, None, watch) {
                    Ok(record) => Reply::Searched {
                        lesson: Ok(Box::new(Lesson::of(&record))),
                    },
                    Err(error @ WorldError::Panicked(_)) => Reply::Searched {
                        lesson: Err(error.to_string()),
                    },
                    Err(error) => Reply::Refused {
                        why: error.to_string(),
                    },
                }
            }
            Request::Dump { file } => dump(last.as_ref(), &file),
        });
    }
    Ok(0)
}

/// The connection to the parent. Standard output itself is redirected to standard error from here on: the output of a
/// run is no reply.
#[derive(Clone)]
struct Out(Arc<Mutex<File>>);

impl Out {
    fn take() -> io::Result<Self> {
        let out = io::stdout().as_fd().try_clone_to_owned()?;
        dup2_stdout(io::stderr())?;
        Ok(Self(Arc::new(Mutex::new(out.into()))))
    }

    /// Sends `reply`. Without a parent there is nothing left to do.
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

/// The least memory of a run beside what the program uses already, in MiB: the stacks of its threads, and allocations
/// of the stack under test.
const ROOM_MIB: u64 = 64;

/// Limits the memory of this process, without core dumps: a seed replays.
fn limit(memory_mib: u64) -> anyhow::Result<()> {
    let needed = data_mib()?.saturating_add(ROOM_MIB);
    anyhow::ensure!(
        memory_mib >= needed,
        "--memory-limit {memory_mib} is too small to run anything: this program needs {needed} MiB"
    );
    let bytes = memory_mib.saturating_mul(1 << 20);
    setrlimit(Resource::RLIMIT_DATA, bytes, bytes).context("memory cannot be limited")?;
    setrlimit(Resource::RLIMIT_CORE, 0, 0).context("core dumps cannot be switched off")
}

/// Returns the memory that counts against the limit already, in MiB; 0 if the system does not tell.
fn data_mib() -> anyhow::Result<u64> {
    let Ok(status) = fs::read_to_string("/proc/self/status") else {
        return Ok(0);
    };
    let data = status.lines().find_map(|line| line.strip_prefix("VmData:"));
    let kib = data.and_then(|data| data.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    Ok(kib
        .context("the system does not say how much memory this process has")?
        .div_ceil(1_024))
}

/// Reads requests. The process ends with its parent, even in the middle of a run.
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

/// Sends a beat to the parent whenever the watched run has made progress.
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

/// The name of the file with a failure's trace.
pub const TRACE: &str = "trace.jsonl";
/// The name of the file with a whole failure.
pub const REPRO: &str = "repro.json";
/// The name of the file with a plan that is about to be run; removed once a complete failure is saved.
pub const PLAN: &str = "plan.json";

/// The name of the capture file.
pub const CAPTURE: &str = "capture.pcapng";

/// Writes the capture of a run, if `watch` tapped it.
fn leave_capture(record: &RunRecord, watch: &Watch, folder: &Path) -> anyhow::Result<()> {
    let Some(tap) = watch.tap() else { return Ok(()) };
    let path = folder.join(CAPTURE);
    let bytes = pcap::pcapng(record, &tap.take())?;
    fs::write(&path, bytes).with_context(|| format!("cannot write '{}'", path.display()))
}

/// Creates the watch of the next run, which streams its trace into `save`; with `capture`, it keeps packets.
fn watch(watched: &Mutex<Arc<Watch>>, save: Option<&Path>, capture: bool) -> Arc<Watch> {
    let watch = save.map_or_else(Watch::default, stream_into);
    let watch = Arc::new(if capture { watch.tapping() } else { watch });
    *watched.lock().expect("beating does not panic") = watch.clone();
    watch
}

/// Creates a watch that streams into `folder`. A write error is noticed at the end.
fn stream_into(folder: &Path) -> Watch {
    let file = fs::create_dir_all(folder).and_then(|()| File::create(folder.join(TRACE)));
    file.map_or_else(|_| Watch::default(), Watch::streaming)
}

/// Runs a seed. With `save`, the plan is saved first.
fn run(
    scenario: &Arc<Scenario>,
    seed: Seed,
    save: Option<&Path>,
    watch: Arc<Watch>,
) -> Result<RunRecord, WorldError> {
    if scenario.explores.is_none() {
        return play(scenario, seed, scenario.try_draw(seed)?, save, watch);
    }
    if let Some(folder) = save {
        leave_plan(folder, &scenario.try_draw(seed)?);
    }
    Runner::new(scenario, seed).watched(watch).run()
}

/// Runs a plan. With `save`, the plan is saved first.
fn play(
    scenario: &Arc<Scenario>,
    seed: Seed,
    plan: Plan,
    save: Option<&Path>,
    watch: Arc<Watch>,
) -> Result<RunRecord, WorldError> {
    if let Some(folder) = save {
        leave_plan(folder, &plan);
    }
    Runner::new(scenario, seed).with_plan(plan).watched(watch).run()
}

/// Saves the plan for the parent, in case this process dies. A write error is noticed at the end.
fn leave_plan(folder: &Path, plan: &Plan) {
    let text = serde_json::to_vec(plan).expect("plans are plain data");
    let _ = fs::create_dir_all(folder).and_then(|()| fs::write(folder.join(PLAN), text));
}

/// The program and build for results and saved files.
struct Ours<'a> {
    program: &'a str,
    build: &'a str,
}

impl Ours<'_> {
    /// Keeps the record of a run, with the file that replays it if the seed does not, and returns the reply.
    fn tell(
        &self,
        scenario: &Scenario,
        seed: Seed,
        done: Result<(RunRecord, Option<PathBuf>), WorldError>,
        last: &mut Option<RunRecord>,
        save: Option<&Path>,
    ) -> Reply {
        match done {
            Ok((record, file)) => {
                let record = last.insert(record);
                let result = match file {
                    Some(file) => record.result().replayed_from(self.program, &file),
                    None => record.result().replayed_by(self.program),
                };
                let saved = save.map_or(Ok(()), |folder| {
                    self.save(scenario, record, &result.replay, folder)
                });
                Reply::Ended {
                    result: Box::new(result),
                    unsaved: saved.err().map(|e| format!("{e:#}")),
                }
            }
            Err(error @ (WorldError::Panicked(_) | WorldError::NoPlan(_))) => {
                let why = error.to_string();
                let result = RunResult::without_record(&scenario.name, seed, RunOutcome::Error, why);
                Reply::Ended {
                    result: Box::new(result.replayed_by(self.program)),
                    unsaved: None,
                }
            }
            Err(error) => Reply::Refused {
                why: error.to_string(),
            },
        }
    }

    /// Saves the files for an examination of a run. `repro.json` comes last: if it exists, the rest is complete.
    fn save(
        &self,
        scenario: &Scenario,
        record: &RunRecord,
        replay: &str,
        folder: &Path,
    ) -> anyhow::Result<()> {
        let write = |name: &str, text: String| {
            let path = folder.join(name);
            fs::write(&path, text).with_context(|| format!("cannot write '{}'", path.display()))
        };
        fs::create_dir_all(folder).with_context(|| format!("cannot make '{}'", folder.display()))?;
        write(TRACE, record.trace.to_json_lines())?;
        write("report.txt", failure::report(scenario, record, replay))?;
        write(REPRO, Repro::of(record, self.build).to_json() + "\n")?;
        let plan = folder.join(PLAN);
        fs::remove_file(&plan).with_context(|| format!("cannot remove '{}'", plan.display()))
    }
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
