//! The network: namespaces for clients, NATs, the core and the servers, joined by pairs of interfaces.
//!
//! ```text
//! alice1 ══ a1 (NAT) ──┐            ┌── b1 (NAT) ══ bob1
//! alice2 ══ a2 (NAT) ──┤── core ────┤── b2 (NAT) ══ bob2
//!                      │            │
//!                     wire0        srv
//! ```
//!
//! A client has two networks, of which it is in the second only after it has left the first. All of it is made inside of the cage and ends
//! with it. Nothing here may be called outside of it.

use std::{
    fmt::Write as _,
    io::{BufRead as _, BufReader, Write as _},
    net::Ipv4Addr,
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::Mutex,
};

use anyhow::Context;

use crate::{
    clock::rest,
    lane::Order,
    nat::{self, Gate, Ports, Side},
    tools::{run, within},
    wire,
};

/// Where the app's server listens.
pub const OFFICE: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 80);

/// The address of the STUN and TURN server of a lane.
pub fn turn_of(lane: u8) -> Ipv4Addr {
    Ipv4Addr::new(192, 0, 2, 100 + lane)
}

/// A network that a client may be in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// The one that it is in at first.
    First,
    /// Another one behind the same gate.
    Second,
}

impl Network {
    /// The client's interface to it.
    pub fn interface(self) -> &'static str {
        match self {
            Self::First => "eth0",
            Self::Second => "eth1",
        }
    }

    /// The gate's interface to it.
    fn gate(self) -> &'static str {
        match self {
            Self::First => "in",
            Self::Second => "in2",
        }
    }

    /// The first three bytes of its addresses.
    fn prefix(self, lane: u8, side: Side) -> String {
        let (_, _, net, _) = names(lane, side);
        match self {
            Self::First => format!("10.{lane}.{net}"),
            Self::Second => format!("10.{lane}.{}", 10 + net),
        }
    }

    /// What `ip` is told when a client comes into it.
    fn join(self, lane: u8, side: Side) -> String {
        let (to, prefix) = (self.interface(), self.prefix(lane, side));
        format!("link set {to} up\naddr add {prefix}.1/24 dev {to}\nroute add default via {prefix}.254\n")
    }
}

/// The network.
pub struct World {
    /// How many calls have room in it side by side. Lanes count from 1.
    pub lanes: u8,
    wire: Mutex<WireProcess>,
}

/// The process of the wire.
struct WireProcess {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

/// A side of a lane by its names: the client's namespace, its NAT's, and the bytes of its addresses.
fn names(lane: u8, side: Side) -> (String, String, u8, u8) {
    match side {
        Side::Alice => (format!("alice{lane}"), format!("a{lane}"), 1, 18),
        Side::Bob => (format!("bob{lane}"), format!("b{lane}"), 2, 19),
    }
}

/// The namespace of a client.
pub fn client(lane: u8, side: Side) -> String {
    names(lane, side).0
}

/// The address of a client.
pub fn inside(lane: u8, side: Side) -> Ipv4Addr {
    Ipv4Addr::new(10, lane, names(lane, side).2, 1)
}

/// The address of a NAT on its outside.
pub fn outside(lane: u8, side: Side) -> Ipv4Addr {
    Ipv4Addr::new(198, names(lane, side).3, lane, 1)
}

impl World {
    /// Makes the network, with room for `lanes` calls.
    ///
    /// # Errors
    /// What the system's tools say.
    pub fn new(lanes: u8) -> anyhow::Result<Self> {
        let mut made = "netns add core\nnetns add srv\n".to_owned();
        let mut plugged = String::new();
        let mut inner = vec![
            (
                "core".to_owned(),
                "addr add 192.0.2.254/24 dev s\nlink set s up\n".to_owned(),
            ),
            ("srv".to_owned(), server_side(lanes)),
        ];
        plugged.push_str("link add eth0 netns srv type veth peer name s netns core\n");
        for lane in 1..=lanes {
            for side in [Side::Alice, Side::Bob] {
                let (client, nat, _, block) = names(lane, side);
                writeln!(made, "netns add {client}\nnetns add {nat}")?;
                let far = format!("198.{block}.{lane}");
                let mut gate = format!(
                    "link set out up\naddr add {far}.1/24 dev out\nroute add default via {far}.254\n"
                );
                for network in [Network::First, Network::Second] {
                    let (theirs, ours) = (network.interface(), network.gate());
                    writeln!(
                        plugged,
                        "link add {theirs} netns {client} type veth peer name {ours} netns {nat}"
                    )?;
                    let prefix = network.prefix(lane, side);
                    writeln!(gate, "link set {ours} up\naddr add {prefix}.254/24 dev {ours}")?;
                }
                writeln!(
                    plugged,
                    "link add out netns {nat} type veth peer name {nat} netns core"
                )?;
                let at_home = Network::First.join(lane, side);
                inner.push((client, format!("link set lo up\n{at_home}")));
                inner.push((nat.clone(), gate));
                writeln!(inner[0].1, "link set {nat} up\naddr add {far}.254/24 dev {nat}")?;
            }
        }
        batch(None, &made)?;
        batch(None, &plugged)?;
        for (namespace, lines) in &inner {
            let forward = !namespace.starts_with("alice") && !namespace.starts_with("bob");
            settings(namespace, forward)?;
            batch(Some(namespace), lines)?;
        }
        let wire = Mutex::new(start_wire()?);
        Ok(Self { lanes, wire })
    }

    /// Sets the NATs of all lanes, and sends everything over the wire, or nothing.
    ///
    /// # Errors
    /// What the system's tools say.
    pub fn shape(&self, gates: &[Gate; 2], wired: bool) -> anyhow::Result<()> {
        for lane in 1..=self.lanes {
            for (side, gate) in [Side::Alice, Side::Bob].into_iter().zip(gates) {
                let (_, nat, ..) = names(lane, side);
                self.rule(lane, side, gate)?;
                let to = format!("{}.0/24", Network::First.prefix(lane, side));
                let via = outside(lane, side).to_string();
                let verb = if gate.translates() { "del" } else { "replace" };
                let mut route = Command::new("ip");
                route.args(["-n", "core", "route", verb, &to, "via", &via, "dev", &nat]);
                // There may be none to take away.
                let routed = run(&mut route, None);
                anyhow::ensure!(gate.translates() || routed.is_ok(), "{routed:?}");
            }
        }
        let mut flush = Command::new("ip");
        flush.args(["-n", "core", "rule", "del", "pref", "100"]);
        let _ = run(&mut flush, None);
        if wired {
            batch(
                Some("core"),
                &format!("rule add pref 100 not iif {} lookup 100\n", wire::DEVICE),
            )?;
        }
        Ok(())
    }

    /// Sets the rules of a NAT, and how long it remembers.
    ///
    /// # Errors
    /// What the system's tools say.
    pub fn rule(&self, lane: u8, side: Side, gate: &Gate) -> anyhow::Result<()> {
        let (_, nat, ..) = names(lane, side);
        run(within(&nat, "nft").args(["-f", "-"]), Some(&nat::rules(gate)))?;
        let (asked, answered) = nat::remembers_s(gate);
        let timeout = "net.netfilter.nf_conntrack_udp_timeout";
        let mut sysctl = within(&nat, "sysctl");
        sysctl.args([
            "-qw",
            &format!("{timeout}={asked}"),
            &format!("{timeout}_stream={answered}"),
        ]);
        run(&mut sysctl, None).map(drop)
    }

    /// Lets a NAT forget every mapping. `masquerade` forgets those of an interface that goes down.
    ///
    /// # Errors
    /// What the system's tools say.
    pub fn reboot(&self, lane: u8, side: Side, gate: &Gate, ports: Ports) -> anyhow::Result<()> {
        let (_, nat, _, block) = names(lane, side);
        run(
            within(&nat, "nft").args(["-f", "-"]),
            Some(&nat::rules_again(gate, ports)),
        )?;
        batch(
            Some(&nat),
            &format!("link set out down\nlink set out up\nroute add default via 198.{block}.{lane}.254\n"),
        )
    }

    /// Moves a client from one network to another, as a machine that loses the one: its addresses go, and its connections break, as
    /// Android's do; Linux by itself would keep them, and send them nowhere. Who is in the other one already is there afterwards too.
    ///
    /// # Errors
    /// What the system's tools say.
    pub fn switch(&self, lane: u8, side: Side, from: Network, to: Network) -> anyhow::Result<()> {
        let (client, leaves) = (client(lane, side), from.interface());
        let moved = format!(
            "addr flush dev {leaves}\nlink set {leaves} down\naddr flush dev {0}\n{1}",
            to.interface(),
            to.join(lane, side)
        );
        batch(Some(&client), &moved)?;
        let mut breaks = within(&client, "ss");
        breaks.args([
            "--kill",
            "--tcp",
            "src",
            &format!("{}.1", from.prefix(lane, side)),
        ]);
        run(&mut breaks, None).map(drop)
    }

    /// Tells the wire the links of a call.
    ///
    /// # Errors
    /// When the wire is gone.
    pub fn lay(&self, order: &Order) -> anyhow::Result<()> {
        self.tell(&wire::Told::Lay(order.clone()), false).map(drop)
    }

    /// Keeps a capture of the last call of `lane` in `file`.
    ///
    /// # Errors
    /// When the wire is gone, or the file cannot be written.
    pub fn keep(&self, lane: u8, file: &Path, about: &str) -> anyhow::Result<()> {
        let keep = wire::Told::Keep {
            lane,
            file: file.to_owned(),
            about: about.to_owned(),
        };
        let wrong = self.tell(&keep, true)?;
        anyhow::ensure!(wrong.is_empty(), "a capture: {wrong}");
        Ok(())
    }

    fn tell(&self, told: &wire::Told, is_answered: bool) -> anyhow::Result<String> {
        let mut wire = self
            .wire
            .lock()
            .map_err(|_| anyhow::anyhow!("a thread broke off"))?;
        writeln!(wire.stdin, "{}", serde_json::to_string(told)?).context("the wire")?;
        let mut answer = String::new();
        if is_answered {
            let read = wire.stdout.read_line(&mut answer).context("the wire")?;
            anyhow::ensure!(read > 0, "the wire is gone");
        }
        Ok(answer.trim_end().to_owned())
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Ok(wire) = self.wire.get_mut() {
            // It may have ended by itself; the cage ends it in any case.
            let _ = wire.child.kill();
            let _ = wire.child.wait();
        }
    }
}

fn server_side(lanes: u8) -> String {
    let mut lines = format!("link set lo up\nlink set eth0 up\naddr add {OFFICE}/24 dev eth0\n");
    for lane in 1..=lanes {
        lines.push_str(&format!("addr add {}/24 dev eth0\n", turn_of(lane)));
    }
    lines + "route add default via 192.0.2.254\n"
}

fn settings(namespace: &str, forward: bool) -> anyhow::Result<()> {
    let mut sysctl = within(namespace, "sysctl");
    sysctl.arg("-qw");
    for scope in ["all", "default"] {
        sysctl.arg(format!("net.ipv6.conf.{scope}.disable_ipv6=1"));
        sysctl.arg(format!("net.ipv4.conf.{scope}.rp_filter=0"));
    }
    sysctl.arg(format!("net.ipv4.ip_forward={}", u8::from(forward)));
    run(&mut sysctl, None).map(drop)
}

/// Gives `ip` many lines at once.
fn batch(namespace: Option<&str>, lines: &str) -> anyhow::Result<()> {
    let mut ip = Command::new("ip");
    if let Some(namespace) = namespace {
        ip.args(["-n", namespace]);
    }
    run(ip.args(["-batch", "-"]), Some(lines)).map(drop)
}

fn start_wire() -> anyhow::Result<WireProcess> {
    let mut command = within("core", std::env::current_exe()?);
    command.args(["reality", "--wire"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().context("the wire")?;
    let stdin = child.stdin.take().context("the wire's input")?;
    let stdout = BufReader::new(child.stdout.take().context("the wire's output")?);
    let wire = WireProcess { child, stdin, stdout };
    let up = format!(
        "link set {0} up txqueuelen 5000\nroute add default dev {0} table 100\n",
        wire::DEVICE
    );
    for _ in 0..100 {
        if batch(Some("core"), &up).is_ok() {
            return Ok(wire);
        }
        rest(std::time::Duration::from_millis(20));
    }
    anyhow::bail!("the wire does not come up")
}
