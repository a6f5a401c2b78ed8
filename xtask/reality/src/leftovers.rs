//! Shows that a run that is killed leaves nothing: no namespace, route, rule, interface or process.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::Write,
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::Context;

use crate::{clock::rest, tools::run};

/// How long phones have been there when the run is killed: they are on the line then.
const MIDDLE: Duration = Duration::from_secs(3);
/// How often it is looked whether phones are there: for a minute and a half.
const LOOKS_FOR_PHONES: u32 = 900;
/// How often it is looked whether everything is gone, and how long between two looks.
const LOOKS: u32 = 50;
const BETWEEN: Duration = Duration::from_millis(100);

/// What there is of what a run makes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct There {
    /// Namespaces of networks, by their numbers.
    namespaces: BTreeSet<String>,
    /// Interfaces, addresses, routes, rules and NATs of the machine's own network.
    network: String,
    /// Processes that belong to a run: their lines by their numbers.
    processes: BTreeMap<String, String>,
}

/// A phone, as it is started.
const PHONE: &str = "own-client phone";
/// The programs that a run starts.
const PROGRAMS: [&str; 5] = [
    PHONE,
    "own-client serve",
    "turnserver",
    "reality --wire",
    "reality --inside",
];

/// Who is killed.
const VICTIMS: [&str; 3] = [
    "the command",
    "the one that made the cage",
    "the first process of the cage",
];

/// Starts runs, kills each by SIGKILL in the middle, at another place every time, and says what is left; the exit code. The app
/// has been built: what builds is no run.
///
/// # Errors
/// When a run cannot be started, or was over before it was killed.
pub fn show(out: &mut impl Write) -> anyhow::Result<u8> {
    let before = look()?;
    for victim in VICTIMS {
        let mut run = Command::new(std::env::current_exe()?)
            .args([
                "reality",
                "=nat/relay",
                "--only",
                "real",
                "--out",
                "target/reality-killed",
            ])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("a run")?;
        let middle = the_middle(&mut run)?;
        let caged = |by_unshare: bool| {
            let caged = middle.processes.iter().find(|(_, line)| {
                line.contains("reality --inside") && line.starts_with("unshare ") == by_unshare
            });
            caged.map(|(pid, _)| pid.clone()).context("no cage")
        };
        let pid = match victim {
            "the command" => run.id().to_string(),
            "the one that made the cage" => caged(true)?,
            _ => caged(false)?,
        };
        crate::tools::run(Command::new("kill").args(["-KILL", &pid]), None)?;
        run.wait()?;
        writeln!(
            out,
            "{victim} was killed, with {} namespaces and {} processes more than before",
            middle.namespaces.difference(&before.namespaces).count(),
            middle.processes.len() - before.processes.len()
        )?;
        if let Some(after) = left(&before)? {
            writeln!(out, "before: {before:#?}\nafter: {after:#?}")?;
            return Ok(crate::DISAGREE);
        }
    }
    writeln!(
        out,
        "nothing is left: no namespace, interface, route, rule or process"
    )?;
    Ok(0)
}

/// What there is when phones have been on the line for a while.
fn the_middle(run: &mut Child) -> anyhow::Result<There> {
    let has_phone = |there: &There| there.processes.values().any(|line| line.contains(PHONE));
    for _ in 0..LOOKS_FOR_PHONES {
        rest(BETWEEN);
        anyhow::ensure!(run.try_wait()?.is_none(), "the run was over too early");
        if has_phone(&look()?) {
            rest(MIDDLE);
            return look();
        }
    }
    anyhow::bail!("no phone came")
}

/// What is there that was not `before`, when it has had its time to go.
fn left(before: &There) -> anyhow::Result<Option<There>> {
    let mut after = look()?;
    for _ in 0..LOOKS {
        if after == *before {
            return Ok(None);
        }
        rest(BETWEEN);
        after = look()?;
    }
    Ok(Some(after))
}

fn look() -> anyhow::Result<There> {
    let mut there = There::default();
    for entry in fs::read_dir("/proc")?.flatten() {
        let path = entry.path();
        // A process may end while it is looked at.
        if let Ok(namespace) = fs::read_link(path.join("ns/net")) {
            there.namespaces.insert(namespace.display().to_string());
        }
        let line = fs::read(path.join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        if PROGRAMS.iter().any(|program| line.contains(program)) {
            let pid = entry.file_name().display().to_string();
            there.processes.insert(pid, line);
        }
    }
    for args in [
        &["-o", "link"][..],
        &["-4", "addr"],
        &["route"],
        &["rule"],
        &["netns"],
    ] {
        there.network += &run(Command::new("ip").args(args), None)?;
    }
    there.network += &run(Command::new("nft").args(["list", "ruleset"]), None)?;
    // Lifetimes of leased addresses count down.
    let stable = there.network.lines().filter(|line| !line.contains("valid_lft"));
    there.network = stable.collect::<Vec<_>>().join("\n");
    Ok(there)
}
