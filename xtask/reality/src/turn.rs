//! The STUN and TURN server of a call, coturn: started, killed, and asked what it holds.
//!
//! What it holds is read from its own log: nothing here may count for it.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use anyhow::Context;
use sleet::{
    fault::Plan,
    servers::{PASSWORD, USERNAME},
};

use crate::{place::Place, tools::within, world::turn_of};

/// A running coturn. Dropped, it is killed without a goodbye.
pub struct Turn {
    child: Child,
    log: PathBuf,
}

impl Turn {
    /// Starts the STUN and TURN server of a call; none where the plan has none.
    ///
    /// # Errors
    /// When coturn cannot be started.
    pub fn start(place: &Place<'_>, plan: &Plan) -> anyhow::Result<Option<Self>> {
        if plan.ice_servers.is_empty() {
            return Ok(None);
        }
        let log = place.logs.join("coturn.log");
        // After a death in the same call, the log goes on.
        let written = File::options().create(true).append(true).open(&log)?;
        let mut command = command(place);
        command.stdin(Stdio::null()).stdout(written).stderr(Stdio::null());
        let child = command.spawn().context("coturn")?;
        Ok(Some(Self { child, log }))
    }

    /// How many allocations it holds, by its own log.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn allocations(&self) -> anyhow::Result<u64> {
        let log = fs::read(&self.log).with_context(|| self.log.display().to_string())?;
        Ok(held(&String::from_utf8_lossy(&log)))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(place: &Place<'_>) -> Command {
    let address = turn_of(place.lane).to_string();
    let pid = place.logs.join("coturn.pid");
    let mut command = within("srv", "turnserver");
    command.args([
        "-n",
        "--no-cli",
        "--no-tls",
        "--no-dtls",
        "--no-tcp",
        "--no-tcp-relay",
        "--verbose",
        "--simple-log",
    ]);
    command.args(["--listening-ip", &address, "--relay-ip", &address]);
    command.args(["--lt-cred-mech", "--realm", "sleet", "--user"]);
    command.arg(format!("{USERNAME}:{PASSWORD}"));
    command
        .args(["--relay-threads", "1", "--log-file", "stdout", "--pidfile"])
        .arg(pid);
    command
}

/// The sessions of a log of coturn that were granted an allocation and have neither given it back nor been closed.
fn held(log: &str) -> u64 {
    let mut held = BTreeSet::new();
    for line in log.lines() {
        let Some((_, said)) = line.split_once(": session ") else {
            continue;
        };
        let Some((session, what)) = said.split_once(": ") else {
            continue;
        };
        if what.starts_with("new, ") {
            held.insert(session);
        } else if what.starts_with("closed")
            || (what.starts_with("refreshed,") && what.ends_with("lifetime=0"))
        {
            held.remove(session);
        }
    }
    held.len() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRANTED: &str = "0: : session 000000000000000001: new, realm=<sleet>, username=<sleet>, lifetime=600\n\
                           0: : session 000000000000000001: realm <sleet> user <sleet>: incoming packet ALLOCATE processed, success\n";

    #[test]
    fn an_allocation_is_held_until_it_is_given_back() {
        assert_eq!(held(GRANTED), 1);
        let refreshed = |s: u64| {
            format!(
                "{GRANTED}2: : session 000000000000000001: refreshed, realm=<sleet>, username=<sleet>, lifetime={s}\n"
            )
        };
        assert_eq!(held(&refreshed(600)), 1, "it lives on");
        assert_eq!(held(&refreshed(0)), 0, "given back");
        let closed = "9: : session 000000000000000001: closed (2nd stage), user <sleet> realm <sleet>, reason: allocation timeout\n";
        assert_eq!(held(&format!("{GRANTED}{closed}")), 0, "it has timed out");
    }
}
