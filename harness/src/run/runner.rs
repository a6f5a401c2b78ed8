//! Runs one scenario with one seed: of its own plan, of one that is given, or through the orders that the seed names.

use std::sync::Arc;

use super::{RunRecord, orders};
use crate::{
    app,
    fault::{Plan, Timeline},
    scenario::Scenario,
    seed::Seed,
    trace::Watch,
    world::{self, Sim, WorldError, WorldSpec},
};

/// One run that is about to take place.
///
/// ```
/// use std::sync::Arc;
///
/// use sleet::prelude::*;
///
/// let alone = Topology::new([HostSpec::new("alice", "10.0.0.1", LinkProfile::default())]);
/// let draw = move |_| Plan::new(alone.clone());
/// let body = |sim: Sim, _| async move { sim.mark("was there") };
/// let scenario = Arc::new(Scenario::new(Kind::Promise, "own/alone", draw, body));
/// let record = Runner::new(&scenario, Seed(1)).run()?;
/// assert_eq!(record.failure(), None);
/// assert_eq!(record.marks()["was there"], 1);
/// # Ok::<(), sleet::world::WorldError>(())
/// ```
#[derive(Clone)]
#[must_use = "nothing runs before `run`"]
pub struct Runner<'a> {
    scenario: &'a Arc<Scenario>,
    seed: Seed,
    plan: Option<Arc<Plan>>,
    watch: Arc<Watch>,
}

impl<'a> Runner<'a> {
    /// A run of `scenario` with the plan that `seed` draws; of a scenario that explores, of all orders that `seed` names.
    pub fn new(scenario: &'a Arc<Scenario>, seed: Seed) -> Self {
        Self {
            scenario,
            seed,
            plan: None,
            watch: Arc::default(),
        }
    }

    /// Runs `plan` instead; the seed draws what the plan leaves open.
    pub fn with_plan(mut self, plan: impl Into<Arc<Plan>>) -> Self {
        self.plan = Some(plan.into());
        self
    }

    /// Tells `watch` how far the run is. Of a run that goes through orders it is told only that another one is over.
    pub fn watched(mut self, watch: Arc<Watch>) -> Self {
        self.watch = watch;
        self
    }

    /// The plan that shows what the run does: of several orders, the plan of the one whose record is kept.
    ///
    /// # Errors
    /// [`WorldError::NoPlan`] if the scenario cannot draw one; of a scenario that explores, what [`Runner::run`] returns.
    pub fn plan(self) -> Result<Arc<Plan>, WorldError> {
        match (&self.plan, &self.scenario.explores) {
            (Some(plan), _) => Ok(plan.clone()),
            (None, Some(_)) => Ok(self.run()?.plan),
            (None, None) => Ok(Arc::new(self.scenario.try_draw(self.seed)?)),
        }
    }

    /// Runs it and judges it by the oracles of its scenario.
    ///
    /// # Errors
    /// [`WorldError`]: by cause, the plan could not be drawn, a thread or a runtime could not be made, the clock is not under
    /// control, or Sleet itself panicked. A failure of the app or of the stack is no error but in the record.
    pub fn run(self) -> Result<RunRecord, WorldError> {
        let plan = match (self.plan, &self.scenario.explores) {
            (Some(plan), _) => plan,
            (None, Some(explores)) => {
                let run = |plan| run_plan(self.scenario, self.seed, Arc::new(plan), Arc::default());
                return orders::explore(self.scenario, self.seed, explores.parts, &self.watch, run);
            }
            (None, None) => Arc::new(self.scenario.try_draw(self.seed)?),
        };
        run_plan(self.scenario, self.seed, plan, self.watch)
    }
}

fn run_plan(
    scenario: &Arc<Scenario>,
    seed: Seed,
    plan: Arc<Plan>,
    watch: Arc<Watch>,
) -> Result<RunRecord, WorldError> {
    let spec = WorldSpec {
        seed,
        topology: plan.topology.clone(),
        bounds: plan.bounds(),
    };
    let (played, script) = (scenario.clone(), plan.clone());
    let timeline = Timeline::of(&plan);
    let ending = world::run_under(spec, timeline, watch, move |sim| {
        app::follow(&sim, &script);
        let body = played.play(sim.clone(), script.clone());
        in_order(body, sim, script)
    })?;
    Ok(RunRecord::judged(scenario, seed, plan, ending))
}

/// Plays `body` in the order of `plan`, if it has one; it ends at once where that turns out to repeat another.
async fn in_order(body: impl Future<Output = ()>, sim: Sim, plan: Arc<Plan>) {
    let Some(order) = &plan.order else {
        return body.await;
    };
    sim.keep(order);
    tokio::select! {
        biased;
        () = body => {}
        () = sim.redundant() => {}
    }
}
