//! Scenarios: what a suite is made of.

use std::{fmt, sync::Arc};

use futures_util::future::BoxFuture;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    driver::{self, Deployment},
    fault::Plan,
    oracle::{Clue, Evidence, Oracle, Tell, Violation, app, runs},
    reach::Reach,
    seed::Seed,
    world::{self, Sim, WorldError},
};

/// What a suite expects of a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Every oracle holds on every seed.
    Promise,
    /// A broken client: it fails on some seed of the range, by the oracle that it names and no other.
    Demonstration,
    /// A known defect of a dependency: it shows on every seed, by the oracle that it names and no other.
    Finding,
    /// A test of the harness itself, hidden from suites.
    Selftest,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Promise => "promise",
            Self::Demonstration => "demonstration",
            Self::Finding => "finding",
            Self::Selftest => "selftest",
        })
    }
}

type Draw = Box<dyn Fn(Seed) -> Plan + Send + Sync>;
type Story = Box<dyn Fn(Sim, Arc<Plan>) -> BoxFuture<'static, ()> + Send + Sync>;

/// Who is there, what the network is like, what users do, and what must hold.
pub struct Scenario {
    /// `family/name`.
    pub name: String,
    /// What a suite expects.
    pub kind: Kind,
    /// One sentence for a reader.
    pub summary: String,
    /// Where it comes from.
    pub sources: Vec<String>,
    /// What must hold.
    pub oracles: Vec<&'static Oracle>,
    /// The id of the oracle by which a demonstration or a finding fails.
    pub trips: Option<&'static str>,
    /// Interesting paths that a suite of at least `min_seeds` seeds must reach.
    pub marks_required: Vec<String>,
    /// How many seeds it takes to judge marks, demonstrations and findings.
    pub min_seeds: u64,
    /// The row of the remedy table that it fills, if any.
    pub remedy: Option<String>,
    /// The row of the table of mistakes that it fills, if any.
    pub mistake: Option<String>,
    /// Which plans show a known defect of the stack, and by which oracle: such a run must fail by it.
    pub known: Option<fn(&Plan) -> Option<Known>>,
    /// The cell of a matrix that a plan fills, if the scenario fills one.
    pub cell: Option<fn(&Plan) -> Cell>,
    /// Whether it takes down or stops the process that runs it.
    pub deadly: bool,
    /// Which orders of its free steps it goes through, if it does not leave the order to the seed.
    pub explores: Option<Exploration>,
    /// What its catalogue knows of how its failures come about.
    pub(crate) tells: Vec<Box<Tell>>,
    draw: Draw,
    story: Story,
}

/// A known defect of the stack that shows with a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// The oracle that it breaks.
    pub oracle: &'static str,
    /// Whether it must break it; else it may, by chance of the draws.
    pub always: bool,
}

/// All orders of the free steps of a plan.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Exploration {
    /// In how many parts they are dealt out: seed *n* goes through part *n* modulo that.
    pub parts: u64,
    /// What bounds them, in words.
    pub bound: String,
}

/// A cell of a matrix.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Cell {
    /// What the caller is behind.
    pub row: String,
    /// What the callee is behind.
    pub column: String,
    /// What must happen.
    pub expected: Reach,
}

impl fmt::Debug for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, self.kind)
    }
}

impl Scenario {
    /// A scenario that draws its plan with `draw` and then plays `story`.
    ///
    /// It is judged by the oracles of every run; add its own with [`Scenario::holds`].
    pub fn new<S, F>(
        kind: Kind,
        name: &str,
        draw: impl Fn(Seed) -> Plan + Send + Sync + 'static,
        story: S,
    ) -> Self
    where
        S: Fn(Sim, Arc<Plan>) -> F + Send + Sync + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        Self {
            name: name.to_owned(),
            kind,
            summary: String::new(),
            sources: Vec::new(),
            oracles: vec![
                &runs::RUN_01_NO_PANIC,
                &runs::RUN_02_BOUNDED,
                &runs::RUN_03_PLAYED,
                &app::APP_01_INVARIANTS,
            ],
            trips: None,
            marks_required: Vec::new(),
            min_seeds: 1,
            remedy: None,
            mistake: None,
            known: None,
            cell: None,
            deadly: false,
            explores: None,
            tells: Vec::new(),
            draw: Box::new(draw),
            story: Box::new(move |sim, plan| Box::pin(story(sim, plan))),
        }
    }

    /// A scenario that draws its plan with `draw`, which the programs of `deployment` and their users then play.
    pub fn played(
        kind: Kind,
        name: &str,
        draw: impl Fn(Seed) -> Plan + Send + Sync + 'static,
        deployment: Deployment,
    ) -> Self {
        let deployment = Arc::new(deployment);
        Self::new(kind, name, draw, move |sim, plan| {
            driver::play(sim, plan, deployment.clone())
        })
    }

    /// Says in one sentence what it is about.
    pub fn about(mut self, summary: &str) -> Self {
        self.summary = summary.to_owned();
        self
    }

    /// Says where it comes from.
    pub fn from(mut self, source: &str) -> Self {
        self.sources.push(source.to_owned());
        self
    }

    /// Judges it by `oracles` too; by one that judges it already, not again.
    pub fn holds(mut self, oracles: &[&'static Oracle]) -> Self {
        for oracle in oracles {
            if self.oracles.iter().all(|o| o.id != oracle.id) {
                self.oracles.push(oracle);
            }
        }
        self
    }

    /// Lets `tell` add to the explanation of its failures what only the app's own events and its own section of the plan
    /// ([`Plan::app`]) say. Rules of the harness are asked all the same.
    ///
    /// ```
    /// # use sleet::{fault::Plan, net::topology::Topology, scenario::{Kind, Scenario}};
    /// use sleet::{oracle::Clue, trace::EventKind};
    ///
    /// # let draw = |_| Plan::new(Topology::default());
    /// # let story = |_, _| async {};
    /// Scenario::new(Kind::Promise, "own/saved", draw, story).explained_by(|evidence, _| {
    ///     let events = evidence.trace.events.iter();
    ///     let full = events.filter(|e| matches!(&e.kind, EventKind::Step { step, .. } if step == "disk is full"));
    ///     full.map(|e| Clue { event: e.seq, what: "the draft was never saved".to_owned() }).collect()
    /// });
    /// ```
    pub fn explained_by(
        mut self,
        tell: impl Fn(Evidence<'_>, &Violation) -> Vec<Clue> + Send + Sync + 'static,
    ) -> Self {
        self.tells.push(Box::new(tell));
        self
    }

    /// As [`Scenario::trips`], but judged before the bounds of the run, which the same defect exceeds.
    pub fn trips_first(mut self, oracle: &'static Oracle, min_seeds: u64) -> Self {
        self.oracles.insert(0, oracle);
        self.trips = Some(oracle.id);
        self.min_seeds = self.min_seeds.max(min_seeds);
        self
    }

    /// Names one of the oracles of every run as the one that it is expected to break.
    pub fn tripping(mut self, oracle: &'static str) -> Self {
        self.trips = Some(oracle);
        self
    }

    /// Judges it by `oracle` too, which it is expected to break on some of at least `min_seeds` seeds.
    pub fn trips(mut self, oracle: &'static Oracle, min_seeds: u64) -> Self {
        self.trips = Some(oracle.id);
        self.min_seeds = self.min_seeds.max(min_seeds);
        self.holds(&[oracle])
    }

    /// Requires that a suite of at least `min_seeds` seeds reaches every one of `marks`.
    pub fn reaches(mut self, marks: &[impl AsRef<str>], min_seeds: u64) -> Self {
        self.marks_required
            .extend(marks.iter().map(|m| m.as_ref().to_owned()));
        self.min_seeds = self.min_seeds.max(min_seeds);
        self
    }

    /// Fills the row `row` of the remedy table.
    pub fn in_table(mut self, row: &str) -> Self {
        self.remedy = Some(row.to_owned());
        self
    }

    /// Fills the row `row` of the table of mistakes: which oracle catches it, and how often.
    pub fn in_mistakes(mut self, row: &str) -> Self {
        self.mistake = Some(row.to_owned());
        self
    }

    /// Judges it by `oracle` before any other, which `shows` expects to be broken on the plans that it names: a known
    /// defect of the stack in a corner of a promise.
    pub fn except_where(mut self, oracle: &'static Oracle, shows: fn(&Plan) -> Option<Known>) -> Self {
        self.oracles.retain(|o| o.id != oracle.id);
        self.oracles.insert(0, oracle);
        self.known = Some(shows);
        self
    }

    /// Says that it takes down or stops the process that runs it: a test of the workers.
    pub fn deadly(mut self) -> Self {
        self.deadly = true;
        self
    }

    /// Fills the cells of a matrix.
    pub fn in_matrix(mut self, cell: fn(&Plan) -> Cell) -> Self {
        self.cell = Some(cell);
        self
    }

    /// Goes through every order of the free steps of its plan, dealt out to `parts` seeds, which it takes to judge it;
    /// `bound` says in words which steps those are.
    pub fn explores(mut self, parts: u64, bound: &str) -> Self {
        self.min_seeds = self.min_seeds.max(parts);
        self.explores = Some(Exploration {
            parts,
            bound: bound.to_owned(),
        });
        self
    }

    /// The first part of its name.
    pub fn family(&self) -> &str {
        self.name.split('/').next().unwrap_or(&self.name)
    }

    /// Draws the plan of `seed`.
    pub fn draw(&self, seed: Seed) -> Plan {
        (self.draw)(seed)
    }

    /// As [`Scenario::draw`], where a panic costs no more than the seed.
    ///
    /// # Errors
    /// [`WorldError::NoPlan`] if drawing panics.
    pub fn try_draw(&self, seed: Seed) -> Result<Plan, WorldError> {
        world::catch_panic(|| self.draw(seed)).map_err(WorldError::NoPlan)
    }

    /// Plays the story of `plan`.
    pub fn play(&self, sim: Sim, plan: Arc<Plan>) -> BoxFuture<'static, ()> {
        (self.story)(sim, plan)
    }
}
