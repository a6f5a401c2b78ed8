//! Scenarios: what a suite is made of.
//!
//! - [`expectation`]: which oracles are expected to break, and where
//! - [`ceiling`]: how long something may take
//! - [`row`]: the tables that scenarios fill

mod ceiling;
mod expectation;
mod row;

use std::{fmt, sync::Arc};

pub use ceiling::Ceiling;
use expectation::Runs;
pub use expectation::{Expectation, KnownDefect};
use futures_util::future::BoxFuture;
pub use row::{Cell, Row};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    driver::{self, Deployment},
    fault::Plan,
    oracle::{Clue, Evidence, Oracle, Tell, Violation, app, runs},
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
type Body = Box<dyn Fn(Sim, Arc<Plan>) -> BoxFuture<'static, ()> + Send + Sync>;

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
    /// The oracles that are expected to break, if any.
    pub expects: Vec<Expectation>,
    /// Interesting paths that a suite of at least `min_seeds` seeds must reach.
    pub marks_required: Vec<String>,
    /// How many seeds it takes to judge marks, demonstrations and findings.
    pub min_seeds: u64,
    /// How long something may take, judged over the seeds of a suite.
    pub ceilings: Vec<Ceiling>,
    /// The rows of the suite's tables that it fills.
    pub rows: Vec<Row>,
    /// Whether it takes down or stops the process that runs it.
    pub deadly: bool,
    /// Which orders of its free steps it goes through, if it does not leave the order to the seed.
    pub explores: Option<Exploration>,
    /// What its catalogue knows of how its failures come about.
    pub(crate) tells: Vec<Box<Tell>>,
    draw: Draw,
    body: Body,
}

/// All orders of the free steps of a plan.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Exploration {
    /// In how many parts they are dealt out: seed *n* goes through part *n* modulo that.
    pub parts: u64,
    /// What bounds them, in words.
    pub bound: String,
}

impl fmt::Debug for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, self.kind)
    }
}

impl Scenario {
    /// A scenario that draws its plan with `draw` and then runs `body`.
    ///
    /// It is judged by the oracles of every run; add its own with [`Scenario::holds`].
    pub fn new<S, F>(
        kind: Kind,
        name: &str,
        draw: impl Fn(Seed) -> Plan + Send + Sync + 'static,
        body: S,
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
            expects: Vec::new(),
            marks_required: Vec::new(),
            min_seeds: 1,
            ceilings: Vec::new(),
            rows: Vec::new(),
            deadly: false,
            explores: None,
            tells: Vec::new(),
            draw: Box::new(draw),
            body: Box::new(move |sim, plan| Box::pin(body(sim, plan))),
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

    /// Judges it by the oracle of `expectation` too, which is expected to break.
    ///
    /// # Panics
    /// If it is a second oracle that some seeds break: one decides whether a run came out as expected.
    pub fn expects(mut self, expectation: Expectation) -> Self {
        let goes_first = match expectation.runs {
            Runs::SomeOf(min_seeds) => {
                self.min_seeds = self.min_seeds.max(min_seeds);
                expectation.among_others
            }
            Runs::With(_) => false,
        };
        if goes_first {
            self.oracles.retain(|o| o.id != expectation.oracle.id);
            self.oracles.insert(0, expectation.oracle);
        }
        let broken = |e: &Expectation| matches!(e.runs, Runs::SomeOf(_));
        assert!(
            !broken(&expectation) || !self.expects.iter().any(broken),
            "{}: one oracle is the one that breaks; give {} a scenario of its own",
            self.name,
            expectation.oracle.id
        );
        self.expects.push(expectation);
        self.holds(&[expectation.oracle])
    }

    /// The id of the oracle by which it is expected to fail on some seeds: that of a demonstration or a finding.
    pub fn trips(&self) -> Option<&'static str> {
        let mut expected = self.expects.iter();
        let expected = expected.find(|e| matches!(e.runs, Runs::SomeOf(_)));
        expected.map(|e| e.oracle.id)
    }

    /// The oracles that known defects break in runs with `plan`, and the defects.
    pub fn known_defects(&self, plan: &Plan) -> Vec<(&'static Oracle, KnownDefect)> {
        let of_plan = self.expects.iter().filter_map(|expected| match expected.runs {
            Runs::With(shows) => Some((expected.oracle, shows(plan)?)),
            Runs::SomeOf(_) => None,
        });
        of_plan.collect()
    }

    /// Requires that a suite of at least `min_seeds` seeds reaches every one of `marks`.
    pub fn reaches(mut self, marks: &[impl AsRef<str>], min_seeds: u64) -> Self {
        self.marks_required
            .extend(marks.iter().map(|m| m.as_ref().to_owned()));
        self.min_seeds = self.min_seeds.max(min_seeds);
        self
    }

    /// Requires that `percent` percent (1 to 99) of the runs that have the statistic `stat` stay within `ms` milliseconds. Of a
    /// suite of at least [`Ceiling::MIN_SEEDS`] seeds, [`Ceiling::MIN_RUNS`] must have it.
    pub fn within(mut self, stat: &'static str, percent: u64, ms: u64) -> Self {
        self.ceilings.push(Ceiling { stat, percent, ms });
        self.min_seeds = self.min_seeds.max(Ceiling::MIN_SEEDS);
        self
    }

    /// Fills `row` of a table of the suite.
    pub fn fills(mut self, row: Row) -> Self {
        self.rows.push(row);
        self
    }

    /// The cell of its matrix that `plan` fills, if it fills one.
    pub fn cell(&self, plan: &Plan) -> Option<Cell> {
        self.rows.iter().find_map(|row| match row {
            Row::Matrix(cell) => Some(cell(plan)),
            _ => None,
        })
    }

    /// Says that it takes down or stops the process that runs it: a test of the workers.
    pub fn deadly(mut self) -> Self {
        self.deadly = true;
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

    /// Plays `plan`.
    pub fn play(&self, sim: Sim, plan: Arc<Plan>) -> BoxFuture<'static, ()> {
        (self.body)(sim, plan)
    }
}
