//! One execution of a plan: phones on kernel sockets, a user's hand, and what became of it.

use std::{
    collections::BTreeMap,
    fs,
    process::Command,
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    time::Duration,
};

use anyhow::{Context, bail};
use sleet::{
    fault::{Act, FaultKind, Plan, Target},
    seed::Seed,
    servers::{PASSWORD, PORT, USERNAME},
};

use crate::{
    cases::Story,
    clock::Clock,
    nat::Side,
    phone::{Phone, Shown},
    place::Place,
    round::Round,
    todo::{Todo, Todos, order, phone_of, rung, todo},
    tools::within,
    turn::Turn,
    world::{Network, OFFICE, client, turn_of},
};

/// How long a call that was hung up may take to be over.
const OVER_IN: Duration = Duration::from_millis(500);
/// How long a phone may take to be switched on.
const ON_IN: Duration = Duration::from_secs(10);

/// What became of it.
#[derive(Clone, Debug, Default)]
pub struct Came {
    /// Whether it came out as its story wants.
    pub well: bool,
    /// What the story measures, in milliseconds.
    pub ms: Option<u64>,
    /// The kinds of the pair that the caller selected.
    pub pair: Option<String>,
    /// What was left at the end, and how much of each.
    pub left: BTreeMap<String, u64>,
    /// How it ended by itself, if it did.
    pub end: Option<String>,
    /// How long it all took, in milliseconds.
    pub took_ms: u64,
}

/// Executes `plan`.
///
/// # Errors
/// What cannot be executed for real: acts, faults and moments that only the simulation has.
pub fn execute(place: &Place<'_>, seed: Seed, plan: &Plan) -> anyhow::Result<Came> {
    fs::create_dir_all(place.logs)?;
    let turn = Turn::start(place, plan)?;
    turn.as_ref().map(Turn::until_it_listens).transpose()?;
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
    let mut todo = todo(plan)?;
    let round = match place.story {
        Story::HungUp(hangups) => Some(Round::of(plan, hangups.settle_ms, &mut todo)),
        _ => None,
    };
    let call = Call {
        place,
        seed,
        plan,
        todo,
        phones,
        turn,
        clock,
        began: clock.passed(),
        dialed: None,
        connected: BTreeMap::new(),
        over: None,
        restarted: None,
        again: BTreeMap::new(),
        round,
        came: Came::default(),
    };
    let came = call.follow(&shows)?;
    undo(place, plan)?;
    Ok(came)
}

/// Takes back what the faults of a call did to the network of its lane: the next call there may be of another case.
fn undo(place: &Place<'_>, plan: &Plan) -> anyhow::Result<()> {
    let (world, lane) = (place.world, place.lane);
    for fault in &plan.faults {
        match (&fault.target, &fault.kind) {
            (Target::Nat(_), _) => {
                for (side, gate) in [Side::Alice, Side::Bob].into_iter().zip(&place.gates) {
                    world.rule(lane, side, gate)?;
                }
            }
            (_, FaultKind::NetworkSwitch(_)) => {
                let side = phone_of(fault.target.name())?;
                world.switch(lane, side, Network::Second, Network::First)?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// A call that takes place.
struct Call<'a> {
    place: &'a Place<'a>,
    seed: Seed,
    plan: &'a Plan,
    todo: Todos,
    phones: BTreeMap<Side, Phone>,
    turn: Option<Turn>,
    clock: Clock,
    // By the clock: when the plan's time began, when the caller dialed, since when they can talk, when it ended by itself.
    began: Duration,
    dialed: Option<Duration>,
    connected: BTreeMap<Side, Duration>,
    over: Option<Duration>,
    // When the caller looked for ways to reach each other anew, and since when they can talk again.
    restarted: Option<Duration>,
    again: BTreeMap<Side, Duration>,
    // Of a story of hangups: what is left.
    round: Option<Round>,
    came: Came,
}

impl Call<'_> {
    /// Does what is to be done when it is due, until the story is decided or has had its time.
    fn follow(mut self, shows: &Receiver<(Side, Duration, Shown)>) -> anyhow::Result<Came> {
        loop {
            let deadline = self.deadline();
            let next = self
                .todo
                .keys()
                .next()
                .map_or(deadline, |(at, _)| (*at).min(deadline));
            let wait = (self.began + next).saturating_sub(self.clock.passed());
            let wait = self.round.as_ref().map_or(wait, |round| round.rest(wait));
            match shows.recv_timeout(wait) {
                Ok((side, at, shown)) => {
                    if self.see(side, at, shown) {
                        break;
                    }
                }
                Err(RecvTimeoutError::Disconnected) => bail!("both phones are gone"),
                Err(RecvTimeoutError::Timeout) => {
                    let now = self.clock.passed().saturating_sub(self.began);
                    if let Some(round) = &mut self.round {
                        round.look(now, &self.phones);
                    }
                    if now >= deadline {
                        break;
                    }
                    self.act(now)?;
                }
            }
        }
        self.judge()?;
        // Whoever has hung up already hears nothing more.
        let last = call_id("c1", self.seed);
        let _ = self
            .phones
            .get_mut(&Side::Alice)
            .map(|phone| phone.tap("hang-up", &last, None));
        let over = self.clock.passed() + OVER_IN;
        while shows
            .recv_timeout(over.saturating_sub(self.clock.passed()))
            .is_ok()
        {}
        self.phones.clear();
        self.came.took_ms = self.clock.passed().as_millis() as u64;
        Ok(self.came)
    }

    /// When it has had its time, in the plan's time.
    fn deadline(&self) -> Duration {
        let budget = Duration::from_millis(self.plan.budget_ms);
        match (self.place.story, &self.round) {
            (Story::Lasts { ms }, _) => Duration::from_millis(hit_at(self.plan) + ms),
            (Story::Restarts { at_ms, within_ms }, _) => {
                let dialed = self.dialed.map_or(ON_IN, |at| at - self.began);
                dialed + Duration::from_millis(at_ms + within_ms)
            }
            (_, Some(round)) => round.ends(),
            (_, None) => self.dialed.map_or(ON_IN, |at| at - self.began + budget),
        }
    }

    /// A phone shows something; says whether that decides the story.
    fn see(&mut self, side: Side, at: Duration, shown: Shown) -> bool {
        match shown {
            Shown::Rings { call } if side == Side::Bob => {
                for (n, ms) in rung(self.plan).enumerate() {
                    let act = Act::App {
                        name: "accept".into(),
                        with: call.clone().into(),
                    };
                    let due = at.saturating_sub(self.began) + Duration::from_millis(ms);
                    let number = usize::MAX - n - self.todo.len();
                    self.todo.insert((due, number), Todo::Act(side, act));
                }
                false
            }
            Shown::Connected { pair } => {
                if side == Side::Alice {
                    self.came.pair = pair;
                }
                self.connected.entry(side).or_insert(at);
                self.place.story == Story::Connects && self.connected.len() == 2
            }
            Shown::Reconnected {} if self.restarted.is_some() => {
                self.again.entry(side).or_insert(at);
                self.again.len() == 2
            }
            Shown::Over { end } => {
                let absent = self.came.end.take().filter(|end| end.contains("absent"));
                self.came.end = absent.or_else(|| Some(end.to_string()));
                self.over.get_or_insert(at);
                self.round.is_none()
            }
            Shown::Tasks { alive } => {
                if let Some(round) = &mut self.round {
                    round.counted(side, alive);
                }
                false
            }
            _ => false,
        }
    }

    /// Does what is due `now`, in the plan's time.
    fn act(&mut self, now: Duration) -> anyhow::Result<()> {
        while let Some(entry) = self.todo.first_entry().filter(|e| e.key().0 <= now) {
            match entry.remove() {
                Todo::KillTurn => drop(self.turn.take()),
                Todo::ReviveTurn => self.turn = Turn::start(self.place, self.plan)?,
                Todo::Reboot(side, ports) => {
                    let gate = self.place.gates[side as usize];
                    self.place.world.reboot(self.place.lane, side, &gate, ports)?;
                }
                Todo::Switch(side) => {
                    let (world, lane) = (self.place.world, self.place.lane);
                    world.switch(lane, side, Network::First, Network::Second)?;
                }
                Todo::Count => {
                    for phone in self.phones.values_mut() {
                        phone.tap("count", "", None)?;
                    }
                }
                Todo::Act(side, act) => {
                    let phone = self.phones.get_mut(&side).context("two phones")?;
                    if do_it(phone, self.seed, &act)? {
                        self.dialed.get_or_insert(self.clock.passed());
                    }
                    if let Act::Retry { .. } = act {
                        self.restarted = Some(self.clock.passed());
                    }
                    if let (Act::Hangup { .. }, Some(round)) = (&act, &mut self.round) {
                        round.hung_up(self.clock.passed().saturating_sub(self.began));
                    }
                }
            }
        }
        Ok(())
    }

    /// Says whether it came out as its story wants, and what the story measures.
    fn judge(&mut self) -> anyhow::Result<()> {
        if let Some(round) = &self.round {
            let turn = self.turn.as_ref();
            self.came.left = round.left(turn.map(Turn::allocations).transpose()?.unwrap_or_default());
            self.came.ms = round.quiet_ms();
            self.came.well = self.came.left.is_empty();
            return Ok(());
        }
        let both = self.connected.len() == 2;
        let since = |from: Option<Duration>, at: Option<Duration>| Some(at?.saturating_sub(from?));
        let mut in_time = |from, ends: &BTreeMap<Side, Duration>, most_ms| {
            let last = ends.values().max().copied().filter(|_| ends.len() == 2);
            let took = since(from, last).filter(|took| *took <= Duration::from_millis(most_ms));
            self.came.ms = took.map(|took| took.as_millis() as u64);
            self.came.well = took.is_some();
        };
        match self.place.story {
            Story::Lasts { .. } => {
                let hit = self.began + Duration::from_millis(hit_at(self.plan));
                self.came.ms = since(Some(hit), self.over).map(|took| took.as_millis() as u64);
                self.came.well = both && self.over.is_none();
            }
            Story::Restarts { within_ms, .. } => in_time(self.restarted, &self.again, within_ms),
            _ => in_time(self.dialed, &self.connected, self.plan.budget_ms),
        }
        if !both || (self.place.story == Story::Connects && !self.came.well) {
            self.came.pair = None;
        }
        Ok(())
    }
}

/// When the first fault of a plan hits, in milliseconds.
pub fn hit_at(plan: &Plan) -> u64 {
    plan.faults.first().map_or(0, |fault| fault.from_ms)
}

fn name(seed: Seed, side: Side) -> String {
    match side {
        Side::Alice => format!("alice-{}", seed.0),
        Side::Bob => format!("bob-{}", seed.0),
    }
}

fn call_id(call: &str, seed: Seed) -> String {
    format!("{call}-{}", seed.0)
}

/// Does what a user wants; says whether that was to dial.
fn do_it(phone: &mut Phone, seed: Seed, act: &Act) -> anyhow::Result<bool> {
    match act {
        Act::Dial { call, .. } => {
            let to = name(seed, Side::Bob);
            phone.tap("dial", &call_id(call, seed), Some(&to))?;
            return Ok(true);
        }
        Act::Retry { call } => phone.tap("restart", &call_id(call, seed), None)?,
        Act::Hangup { call } => phone.tap("hang-up", &call_id(call, seed), None)?,
        Act::App { with, .. } => phone.tap("accept", with.as_str().unwrap_or_default(), None)?,
        other => bail!("nobody can do that for real: {}", other.name()),
    }
    Ok(false)
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
