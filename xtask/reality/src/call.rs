//! One call of a plan, executed: phones on kernel sockets, a user's hand, and what became of it.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
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
    let turn = start_turn(place, plan)?;
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
    let call = Call {
        place,
        seed,
        plan,
        todo: todo(plan)?,
        phones,
        turn,
        clock,
        began: clock.passed(),
        dialed: None,
        connected: BTreeMap::new(),
        came: Came::default(),
    };
    call.follow(&shows)
}

/// A call that takes place.
struct Call<'a> {
    place: &'a Place<'a>,
    seed: Seed,
    plan: &'a Plan,
    todo: BTreeMap<(Duration, usize), Todo>,
    phones: BTreeMap<Side, Phone>,
    turn: Option<Turn>,
    clock: Clock,
    // By the clock: when the plan's time began, when the caller dialed, and since when they can talk.
    began: Duration,
    dialed: Option<Duration>,
    connected: BTreeMap<Side, Duration>,
    came: Came,
}

impl Call<'_> {
    /// Does what is to be done when it is due, until the call has connected, is over, or has had its time.
    fn follow(mut self, shows: &Receiver<(Side, Duration, Shown)>) -> anyhow::Result<Came> {
        let budget = Duration::from_millis(self.plan.budget_ms);
        loop {
            let deadline = self.dialed.map_or(ON_IN, |at| at - self.began + budget);
            let next = self
                .todo
                .keys()
                .next()
                .map_or(deadline, |(at, _)| (*at).min(deadline));
            let wait = (self.began + next).saturating_sub(self.clock.passed());
            match shows.recv_timeout(wait) {
                Ok((side, at, shown)) => {
                    if self.see(side, at, shown) {
                        break;
                    }
                }
                Err(RecvTimeoutError::Disconnected) => bail!("both phones are gone"),
                Err(RecvTimeoutError::Timeout) => {
                    let now = self.clock.passed().saturating_sub(self.began);
                    if now >= deadline {
                        break;
                    }
                    self.act(now)?;
                }
            }
        }
        self.judge(budget);
        // Whoever has hung up already hears nothing more.
        let _ = self
            .phones
            .get_mut(&Side::Alice)
            .map(|phone| phone.tap("hang-up", &call_id(self.seed), None));
        let over = self.clock.passed() + OVER_IN;
        while shows
            .recv_timeout(over.saturating_sub(self.clock.passed()))
            .is_ok()
        {}
        self.phones.clear();
        self.came.took_ms = self.clock.passed().as_millis() as u64;
        Ok(self.came)
    }

    /// A phone shows something; says whether that decides the call.
    fn see(&mut self, side: Side, at: Duration, shown: Shown) -> bool {
        match shown {
            Shown::Rings { call } if side == Side::Bob => {
                for (n, ms) in rung(self.plan).enumerate() {
                    let act = Act::App {
                        name: "accept".into(),
                        with: call.clone().into(),
                    };
                    let due = at.saturating_sub(self.began) + Duration::from_millis(ms);
                    self.todo.insert((due, usize::MAX - n), Todo::Act(side, act));
                }
                false
            }
            Shown::Connected { pair } => {
                if side == Side::Alice {
                    self.came.pair = pair;
                }
                self.connected.entry(side).or_insert(at);
                self.connected.len() == 2
            }
            Shown::Over { end } => {
                self.came.end = Some(end.to_string());
                true
            }
            _ => false,
        }
    }

    /// Does what is due `now`, in the plan's time.
    fn act(&mut self, now: Duration) -> anyhow::Result<()> {
        while let Some(entry) = self.todo.first_entry().filter(|e| e.key().0 <= now) {
            match entry.remove() {
                Todo::KillTurn => drop(self.turn.take()),
                Todo::ReviveTurn => self.turn = start_turn(self.place, self.plan)?,
                Todo::Act(side, act) => {
                    let phone = self.phones.get_mut(&side).context("two phones")?;
                    if do_it(phone, self.seed, &act)? {
                        self.dialed.get_or_insert(self.clock.passed());
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether both were connected in time, and after how long.
    fn judge(&mut self, budget: Duration) {
        let last = self
            .connected
            .values()
            .max()
            .filter(|_| self.connected.len() == 2);
        let took = last
            .zip(self.dialed)
            .map(|(last, dialed)| last.saturating_sub(dialed));
        let in_time = took.filter(|took| *took <= budget);
        self.came.connected_ms = in_time.map(|took| took.as_millis() as u64);
        if in_time.is_none() {
            self.came.pair = None;
        }
    }
}

fn name(seed: Seed, side: Side) -> String {
    match side {
        Side::Alice => format!("alice-{}", seed.0),
        Side::Bob => format!("bob-{}", seed.0),
    }
}

fn call_id(seed: Seed) -> String {
    format!("call-{}", seed.0)
}

/// Does what a user wants; says whether that was to dial.
fn do_it(phone: &mut Phone, seed: Seed, act: &Act) -> anyhow::Result<bool> {
    match act {
        Act::Dial { .. } => {
            let to = name(seed, Side::Bob);
            phone.tap("dial", &call_id(seed), Some(&to))?;
            return Ok(true);
        }
        Act::Hangup { .. } => phone.tap("hang-up", &call_id(seed), None)?,
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
