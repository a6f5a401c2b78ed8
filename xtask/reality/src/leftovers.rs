//! Shows that a run that is killed leaves nothing: no namespace, route, rule, interface or process.

use std::{
    collections::BTreeSet,
    fs,
    io::Write,
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::Context;

use crate::{clock::rest, tools::run};

/// How long the run goes on before it is killed: phones are on the line then.
const MIDDLE: Duration = Duration::from_secs(12);
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
    /// Processes that belong to a run.
    processes: BTreeSet<String>,
}

/// The programs that a run starts.
const PROGRAMS: [&str; 4] = ["own-client", "turnserver", "reality --wire", "reality --inside"];

/// Starts a run, kills it by SIGKILL in the middle, and says what is left; the exit code.
///
/// # Errors
/// When a run cannot be started, or was over before it was killed.
pub fn show(out: &mut impl Write) -> anyhow::Result<u8> {
    let before = look()?;
    let mut run = Command::new(std::env::current_exe()?)
        .args(["reality", "=nat/relay", "--out", "target/reality-killed"])
        .stdout(Stdio::null())
        .spawn()
        .context("a run")?;
    rest(MIDDLE);
    let middle = look()?;
    anyhow::ensure!(run.try_wait()?.is_none(), "the run was over too early");
    run.kill()?;
    run.wait()?;
    writeln!(
        out,
        "killed in the middle, with {} namespaces and {} processes more than before",
        middle.namespaces.difference(&before.namespaces).count(),
        middle.processes.difference(&before.processes).count()
    )?;
    anyhow::ensure!(
        middle.processes.iter().any(|p| p.contains("own-client")),
        "no phone was there yet"
    );
    let mut after = look()?;
    for _ in 0..LOOKS {
        if after == before {
            break;
        }
        rest(BETWEEN);
        after = look()?;
    }
    if after == before {
        writeln!(
            out,
            "nothing is left: no namespace, interface, route, rule or process"
        )?;
        return Ok(0);
    }
    writeln!(out, "before: {before:#?}\nafter: {after:#?}")?;
    Ok(crate::DISAGREE)
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
            there.processes.insert(format!("{pid} {line}"));
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
