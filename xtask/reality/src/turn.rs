//! The STUN and TURN server of a call, coturn or our own: started, killed, and asked what it holds.
//!
//! What it holds is read from its own log: nothing here may count for it.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    net::Ipv4Addr,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::Context;
use sleet::{
    fault::Plan,
    servers::{PASSWORD, PORT, USERNAME},
};

use crate::{
    clock::{Clock, rest},
    place::Place,
    tools::within,
    world::turn_of,
};

/// How long it may take to come up, on a machine that has other work.
const UP_IN: Duration = Duration::from_secs(10);

/// A running server. Dropped, it is killed without a goodbye.
pub struct Turn {
    child: Child,
    address: Ipv4Addr,
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
        let log = place.logs.join("turn.log");
        // After a death in the same call, the log goes on.
        let written = File::options().create(true).append(true).open(&log)?;
        let mut command = match place.own_server {
            true => own(place)?,
            false => coturn(place),
        };
        command.stdin(Stdio::null()).stdout(written).stderr(Stdio::null());
        let child = command.spawn().context("the TURN server")?;
        let address = turn_of(place.lane);
        Ok(Some(Self { child, address, log }))
    }

    /// Waits until it listens. Who asks a server before that is told so by the kernel, and an app asks a STUN server once
    /// (finding 0014).
    ///
    /// # Errors
    /// When it does not listen in time.
    pub fn until_it_listens(&self) -> anyhow::Result<()> {
        const LOOK_AGAIN: Duration = Duration::from_millis(10);
        let table = format!("/proc/{}/net/udp", self.child.id());
        let clock = Clock::start();
        while !fs::read_to_string(&table).is_ok_and(|table| is_bound(&table, self.address)) {
            anyhow::ensure!(
                clock.passed() < UP_IN,
                "the STUN server does not listen on {}",
                self.address
            );
            rest(LOOK_AGAIN);
        }
        Ok(())
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

/// The [stack's own server](crate::own_server).
fn own(place: &Place<'_>) -> anyhow::Result<Command> {
    let mut command = within("srv", std::env::current_exe()?);
    command.args(["reality", "--serve", &turn_of(place.lane).to_string()]);
    Ok(command)
}

fn coturn(place: &Place<'_>) -> Command {
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

/// Whether a table of sockets, as `/proc/net/udp`, has the one of a server on `address`.
fn is_bound(table: &str, address: Ipv4Addr) -> bool {
    // The kernel prints the address as a number of this machine, whose bytes are in network order.
    let wanted = format!("{:08X}:{PORT:04X}", u32::from_ne_bytes(address.octets()));
    let mut sockets = table.lines().skip(1);
    sockets.any(|line| line.split_whitespace().nth(1) == Some(wanted.as_str()))
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
    #[cfg(target_endian = "little")]
    fn a_server_is_bound_where_the_table_has_its_address_and_port() {
        let table = "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n\
                     2155: 650200C0:0D96 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 51 2 0000 0\n";
        assert!(is_bound(table, Ipv4Addr::new(192, 0, 2, 101)));
        assert!(
            !is_bound(table, Ipv4Addr::new(192, 0, 2, 102)),
            "that of another lane"
        );
        assert!(!is_bound(
            &table.replace("0D96", "0D97"),
            Ipv4Addr::new(192, 0, 2, 101)
        ));
    }

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
