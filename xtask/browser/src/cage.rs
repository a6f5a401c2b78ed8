//! The cage: namespaces of networks, processes and mounts, in which the calls take place. No packet of theirs leaves it.
//!
//! Its one interface leads nowhere, and the only addresses are its own: what phones send each other goes through the kernel
//! and comes back. The kernel takes everything away with the process that holds the cage: browsers, and their profiles.

use std::{
    env,
    ffi::OsString,
    fs,
    path::Path,
    process::{Command, ExitStatus, Stdio},
};

use anyhow::Context;
use sleet_reality::{
    cage::{begin, hold, unshare},
    tools::run,
};

/// The address of every phone and of the server: of TEST-NET-2 (RFC 5737), since browsers ask before a page may reach a private one.
pub const ADDRESS: &str = "198.51.100.1";

/// What makes the cage's network. The route is there because a browser looks for its address by the way to the world.
const NETWORK: [&[&str]; 6] = [
    PAIR,
    &["address", "add", "198.51.100.1/24", "dev", "nowhere"],
    &["link", "set", "lo", "up"],
    &["link", "set", "nowhere", "up"],
    &["link", "set", "beyond", "up"],
    &["route", "add", "default", "dev", "nowhere"],
];
/// An interface and what lies beyond it, which has no address.
const PAIR: &[&str] = &["link", "add", "nowhere", "type", "veth", "peer", "name", "beyond"];

/// Whether there can be a cage here.
pub fn is_possible() -> bool {
    let mut command = unshare("ip");
    command.args(PAIR);
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

/// Starts this program again inside of a cage, with `args` and a place for temporary files at `temporary`; the status with which
/// it ended.
///
/// # Errors
/// When there can be no cage.
pub fn inside(args: &[OsString], temporary: &Path) -> anyhow::Result<ExitStatus> {
    fs::create_dir_all(temporary).with_context(|| temporary.display().to_string())?;
    let mut command = unshare(env::current_exe()?);
    command.env("TMPDIR", temporary).args(args);
    hold(command)
}

/// Begins life inside of the cage: makes its network and its temporary files' place, and ends when whoever started it is gone.
///
/// # Errors
/// When this is no cage.
pub fn settle() -> anyhow::Result<()> {
    begin("cargo xtask chromium")?;
    let mut mount = Command::new("mount");
    run(mount.args(["-t", "tmpfs", "tmpfs"]).arg(env::temp_dir()), None)?;
    for args in NETWORK {
        run(Command::new("ip").args(args), None)?;
    }
    Ok(())
}
