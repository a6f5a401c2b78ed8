//! The tools of the system, and what is missing of them.

use std::{
    env,
    path::Path,
    process::{Command, Output, Stdio},
};

use anyhow::Context;

/// A tool, what it is for, and how Debian installs it.
const NEEDED: [(&str, &str, &str); 4] = [
    ("unshare", "namespaces", "apt-get install util-linux"),
    ("ip", "interfaces and routes", "apt-get install iproute2"),
    ("nft", "NATs and firewalls", "apt-get install nftables"),
    ("sysctl", "forwarding", "apt-get install procps"),
];
/// The STUN and TURN server of Debian's package `coturn`.
const COTURN: &str = "turnserver";

/// Cargo, as who calls `cargo xtask` starts it: what cargo told this program of its own package, the build script of `ring` would
/// take for a change, and build the stack anew each time.
pub fn cargo() -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in env::vars_os() {
        let of_package = |start: &str| name.to_string_lossy().starts_with(start);
        if of_package("CARGO_PKG_") || of_package("CARGO_MANIFEST_") || name == "OUT_DIR" {
            cargo.env_remove(&name);
        }
    }
    cargo
}

/// What this machine lacks, one thing in each entry.
pub fn missing() -> Vec<String> {
    if !cfg!(target_os = "linux") {
        return vec!["Linux: namespaces and nftables are its own".to_owned()];
    }
    let tools = NEEDED.iter().filter(|(tool, ..)| !is_there(tool));
    let mut missing: Vec<String> = tools
        .map(|(tool, what, how)| format!("{tool}, for {what} ({how})"))
        .collect();
    if !Path::new("/dev/net/tun").exists() {
        missing.push("/dev/net/tun, for the wire".to_owned());
    }
    if missing.is_empty() && !may_unshare() {
        missing.push("the right to make network namespaces and NATs (root)".to_owned());
    }
    missing
}

/// Whether coturn is installed.
pub fn has_coturn() -> bool {
    is_there(COTURN)
}

fn is_there(tool: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join(tool).is_file())
}

/// Whether a namespace with a NAT can be made; it ends with the command.
fn may_unshare() -> bool {
    let mut command = Command::new("unshare");
    command.args(["--net", "--pid", "--fork", "--mount-proc", "--kill-child", "nft"]);
    command.arg("add table ip t; add chain ip t c { type nat hook postrouting priority 100 ; }; add rule ip t c masquerade");
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// A command that runs in the namespace `of`.
pub fn within(of: &str, program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new("ip");
    command.args(["netns", "exec", of]).arg(program);
    command
}

/// Does `command`, with `input` if there is any, and fails with what it said if it fails.
///
/// # Errors
/// When it cannot be started, or ends with an error.
pub fn run(command: &mut Command, input: Option<&str>) -> anyhow::Result<String> {
    use std::io::Write;

    let name = format!("{command:?}");
    let stdin = input.map_or_else(Stdio::null, |_| Stdio::piped());
    command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().with_context(|| name.clone())?;
    if let (Some(input), Some(mut stdin)) = (input, child.stdin.take()) {
        stdin.write_all(input.as_bytes()).with_context(|| name.clone())?;
    }
    let Output {
        status,
        stdout,
        stderr,
    } = child.wait_with_output().with_context(|| name.clone())?;
    let said = String::from_utf8_lossy(&stdout).into_owned();
    anyhow::ensure!(
        status.success(),
        "{name}: {}{said}",
        String::from_utf8_lossy(&stderr)
    );
    Ok(said)
}
