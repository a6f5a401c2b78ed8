//! The cage: everything that is made for real calls is made inside of namespaces of its own, of networks, processes and mounts.
//!
//! The kernel takes them away with the process that holds them, however it ends: whoever is killed leaves no namespace, route, rule or process.
//! `unshare --kill-child` ends the cage when it is killed itself; and the first process of the cage ends, with all others in it,
//! when whoever started it is gone, because then its input ends.

use std::{
    ffi::OsStr,
    fs,
    path::Path,
    process::{Command, ExitStatus, Stdio, exit},
    thread,
};

use anyhow::Context;

use crate::tools::run;

/// A command that starts `program` in namespaces of its own.
pub fn unshare(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new("unshare");
    command.args([
        "--net",
        "--mount",
        "--pid",
        "--fork",
        "--mount-proc",
        "--kill-child=KILL",
    ]);
    command.arg(program);
    command
}

/// Runs `command`, which begins with [`begin`], while this process is there; the status with which it ended.
///
/// # Errors
/// When there can be no cage.
pub fn hold(mut command: Command) -> anyhow::Result<ExitStatus> {
    // Its input says that we are here.
    let mut child = command.stdin(Stdio::piped()).spawn().context("unshare")?;
    let here = child.stdin.take();
    let status = child.wait();
    drop(here);
    Ok(status?)
}

/// Begins life inside a cage, which ends when the input does. `starts` is the command that makes such cages.
///
/// # Errors
/// When this is no cage.
pub fn begin(starts: &str) -> anyhow::Result<()> {
    anyhow::ensure!(
        std::process::id() == 1,
        "only `{starts}` starts this, in namespaces of its own"
    );
    thread::spawn(|| {
        // Whatever it is that ends the input: nobody waits for us any more.
        let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        exit(1)
    });
    Ok(())
}

/// Does the job that lies in `folder` inside a cage; the status with which it ended.
///
/// # Errors
/// When there can be no cage.
pub fn inside(folder: &Path) -> anyhow::Result<ExitStatus> {
    let mut command = unshare(std::env::current_exe()?);
    command.args(["reality", "--inside"]).arg(folder);
    hold(command)
}

/// Begins life inside the cage: names of namespaces are seen by nobody else.
///
/// # Errors
/// When this is no cage.
pub fn settle() -> anyhow::Result<()> {
    begin("cargo xtask reality")?;
    run(Command::new("mount").args(["-t", "tmpfs", "tmpfs", "/run"]), None)?;
    fs::create_dir_all("/run/netns").context("a place for the names of namespaces")?;
    Ok(())
}
