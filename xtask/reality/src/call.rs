//! One call of a plan, executed: phones on kernel sockets, a user's hand, and what became of it.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc::{RecvTimeoutError, channel},
    time::Duration,
};

use anyhow::{Context, bail};
use sleet::{
    fault::{Act, Plan, Scripted, Target, When, kinds::FaultKind},
    seed::Seed,
    servers::{PASSWORD, PORT, USERNAME},
};

use crate::{
    clock::Clock,
    nat::{Gate, Side},
    phone::{Phone, Shown},
    tools::within,
    wire::{Access, Cut, Order},
    world::{OFFICE, World, client, inside, outside, turn_of},
};

/// How long a call that was hung up may take to be over.
const OVER_IN: Duration = Duration::from_millis(500);
/// How long a phone may take to be switched on.
const ON_IN: Duration = Duration::from_secs(10);

/// Where a call takes place.
pub struct Place<'a> {
    /// The network.
    pub world: &'a World,
    /// The lane of it.
    pub lane: u8,
    /// The app under test.
    pub app: &'a Path,
    /// Where logs go.
    pub logs: &'a Path,
    /// What stands between the clients and the core.
    pub gates: [Gate; 2],
}

/// What became of a call.
#[derive(Clone, Debug, Default)]
pub struct Came {
    /// Milliseconds from dialing until both screens said that the two can talk.
    pub connected_ms: Option<u64>,
    /// The kinds of the pair that the caller selected.
    pub pair: Option<String>,
    /// How it ended by itself, if it did.
    pub end: Option<String>,
    /// How long it all took, in milliseconds.
    pub took_ms: u64,
}

/// Something to be done at a time.
enum Todo {
    Act(Side, Act),
    KillTurn,
    ReviveTurn,
}

/// Executes `plan`.
///
/// # Errors
/// What cannot be executed for real: acts, faults and moments that only the simulation has.
pub fn execute(place: &Place<'_>, seed: Seed, plan: &Plan) -> anyhow::Result<Came> {
    fs::create_dir_all(place.logs)?;
    let mut todo = todo(plan)?;
    let mut turn = start_turn(place, plan)?;
    let clock = Clock::start();
    let (seen, shows) = channel();
    let mut phones = BTreeMap::new();
    for side in [Side::Alice, Side::Bob] {
        let command = phone(place, seed, plan, side);
        let log = place.logs.join(format!("{}.log", name(seed, side)));
        phones.insert(side, Phone::start(command, side, clock, seen.clone(), &log)?);
    }
    for _ in 0..phones.len() {
        let on = shows.recv_timeout(ON_IN).context("a phone does not come up")?;
        anyhow::ensure!(on.2 == Shown::On, "a phone shows {:?} first", on.2);
    }
    // From here on the plan's time runs.
    place.world.lay(&order(place, seed, plan)?)?;
    let began = clock.passed();
    let (mut dialed, mut connected, mut came) = (None, BTreeMap::new(), Came::default());
    let budget = Duration::from_millis(plan.budget_ms);
    loop {
        let deadline = dialed.map_or(ON_IN, |at: Duration| at - began + budget);
        let next = todo.keys().next().map_or(deadline, |(at, _)| (*at).min(deadline));
        match shows.recv_timeout((began + next).saturating_sub(clock.passed())) {
            Ok((side, at, shown)) => match shown {
                Shown::Rings { call } if side == Side::Bob => {
                    for (n, ms) in rung(plan).enumerate() {
                        let act = Act::App {
                            name: "accept".into(),
                            with: call.clone().into(),
                        };
                        let due = at - began + Duration::from_millis(ms);
                        todo.insert((due, 1_000 + n), Todo::Act(Side::Bob, act));
                    }
                }
                Shown::Connected { pair } => {
                    if side == Side::Alice {
                        came.pair = pair;
                    }
                    connected.entry(side).or_insert(at);
                    if connected.len() == 2 {
                        break;
                    }
                }
                Shown::Over { end } => {
                    came.end = Some(end.to_string());
                    break;
                }
                _ => {}
            },
            Err(RecvTimeoutError::Disconnected) => bail!("both phones are gone"),
            Err(RecvTimeoutError::Timeout) => {
                let now = clock.passed().saturating_sub(began);
                if now >= deadline {
                    break;
                }
                while let Some(entry) = todo.first_entry().filter(|e| e.key().0 <= now) {
                    match entry.remove() {
                        Todo::KillTurn => drop(turn.take()),
                        Todo::ReviveTurn => turn = start_turn(place, plan)?,
                        Todo::Act(side, act) => {
                            let phone = phones.get_mut(&side).context("two phones")?;
                            if do_it(phone, seed, &act)? {
                                dialed.get_or_insert(clock.passed());
                            }
                        }
                    }
                }
            }
        }
    }
    if let (Some(dialed), Some(last)) = (dialed, connected.values().max().filter(|_| connected.len() == 2)) {
        let took = last.saturating_sub(dialed);
        came.connected_ms = (took <= budget).then(|| took.as_millis() as u64);
    }
    came.pair = came.pair.filter(|_| came.connected_ms.is_some());
    // Whoever has hung up already hears nothing more.
    let _ = phones
        .get_mut(&Side::Alice)
        .map(|p| p.tap("hang-up", &call(seed), None));
    let over = clock.passed() + OVER_IN;
    while let Ok((_, _, shown)) = shows.recv_timeout(over.saturating_sub(clock.passed())) {
        if matches!(shown, Shown::Over { .. }) && came.end.is_some() {
            break;
        }
    }
    drop(phones);
    came.took_ms = clock.passed().as_millis() as u64;
    Ok(came)
}

fn name(seed: Seed, side: Side) -> String {
    match side {
        Side::Alice => format!("alice-{}", seed.0),
        Side::Bob => format!("bob-{}", seed.0),
    }
}

fn call(seed: Seed) -> String {
    format!("call-{}", seed.0)
}

/// Does what a user wants; says whether that was to dial.
fn do_it(phone: &mut Phone, seed: Seed, act: &Act) -> anyhow::Result<bool> {
    match act {
        Act::Dial { .. } => {
            let to = name(seed, Side::Bob);
            phone.tap("dial", &call(seed), Some(&to))?;
            return Ok(true);
        }
        Act::Hangup { .. } => phone.tap("hang-up", &call(seed), None)?,
        Act::App { with, .. } => phone.tap("accept", with.as_str().unwrap_or_default(), None)?,
        other => bail!("nobody can do that for real: {}", other.name()),
    }
    Ok(false)
}

/// How long after the phone began to ring its user answers.
fn rung(plan: &Plan) -> impl Iterator<Item = u64> {
    plan.script.iter().filter_map(|s| match (s.when, &s.act) {
        (When::Rung { ms }, Act::Answer) => Some(ms),
        _ => None,
    })
}

/// What is to be done at stated times.
fn todo(plan: &Plan) -> anyhow::Result<BTreeMap<(Duration, usize), Todo>> {
    let mut todo = BTreeMap::new();
    let mut at = |ms: u64, what| {
        let key = (Duration::from_millis(ms), todo.len());
        todo.insert(key, what);
    };
    for Scripted { host, when, act } in &plan.script {
        let side = match host.as_str() {
            "alice" => Side::Alice,
            "bob" => Side::Bob,
            other => bail!("{other} has no phone"),
        };
        match when {
            When::At { ms } => at(*ms, Todo::Act(side, act.clone())),
            When::Rung { .. } => {}
            _ => bail!("a user cannot wait for that: {when:?}"),
        }
    }
    for fault in &plan.faults {
        match &fault.kind {
            FaultKind::IceServerDown(_) => {
                at(fault.from_ms, Todo::KillTurn);
                if let Some(ms) = fault.until_ms {
                    at(ms, Todo::ReviveTurn);
                }
            }
            FaultKind::Partition(_) | FaultKind::OneWayPartition(_) => {}
            _ => bail!("this fault cannot be executed: {}", fault.describe()),
        }
    }
    Ok(todo)
}

/// What the wire is to do during the call.
fn order(place: &Place<'_>, seed: Seed, plan: &Plan) -> anyhow::Result<Order> {
    let address = |host: &str| {
        let of = |side, gate: &Gate| match gate.translates() {
            true => outside(place.lane, side),
            false => inside(place.lane, side),
        };
        Ok(match host {
            "alice" => of(Side::Alice, &place.gates[0]),
            "bob" => of(Side::Bob, &place.gates[1]),
            "office" => OFFICE,
            "stun" => turn_of(place.lane),
            other => bail!("there is no place for {other}"),
        })
    };
    let mut links = Vec::new();
    for host in &plan.topology.hosts {
        let interface = host.interfaces.first().context("an interface")?;
        links.push(Access {
            host: host.name.clone(),
            address: address(&host.name)?,
            up: interface.up.clone(),
            down: interface.down.clone(),
        });
    }
    let cuts = plan.faults.iter().filter_map(|fault| match &fault.target {
        Target::Link { name, directions } => Some(Cut {
            host: name.clone(),
            directions: *directions,
            from_ms: fault.from_ms,
            until_ms: fault.until_ms.unwrap_or(u64::MAX),
        }),
        _ => None,
    });
    Ok(Order {
        lane: place.lane,
        seed: seed.0,
        links,
        faults: cuts.collect(),
    })
}

fn phone(place: &Place<'_>, seed: Seed, plan: &Plan, side: Side) -> Command {
    let mut command = within(&client(place.lane, side), place.app);
    command.args(["phone", "--user", &name(seed, side)]);
    command.args(["--server", &format!("{OFFICE}:443")]);
    let server = turn_of(place.lane);
    if !plan.ice_servers.is_empty() {
        command.args(["--stun", &format!("stun:{server}:{PORT}")]);
    }
    if plan.ice_servers.iter().any(|s| s.turn) {
        command.args(["--turn", &format!("turn:{server}:{PORT}")]);
        command.args(["--username", USERNAME, "--password", PASSWORD]);
    }
    if plan.app["trickle"] == "naive" {
        command.arg("--naive");
    }
    command
}

/// A running coturn. Dropped, it is killed without a goodbye.
struct Turn(Child);

impl Drop for Turn {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start_turn(place: &Place<'_>, plan: &Plan) -> anyhow::Result<Option<Turn>> {
    if plan.ice_servers.is_empty() {
        return Ok(None);
    }
    let address = turn_of(place.lane).to_string();
    let pid = place.logs.join(format!("turn-{}.pid", place.lane));
    let mut command = within("srv", "turnserver");
    command.args([
        "-n",
        "--no-cli",
        "--no-tls",
        "--no-dtls",
        "--no-tcp",
        "--no-tcp-relay",
    ]);
    command.args(["--listening-ip", &address, "--relay-ip", &address]);
    command.args(["--lt-cred-mech", "--realm", "sleet", "--user"]);
    command.arg(format!("{USERNAME}:{PASSWORD}"));
    command
        .args(["--relay-threads", "1", "--log-file", "stdout", "--pidfile"])
        .arg(pid);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    Ok(Some(Turn(command.spawn().context("coturn")?)))
}
