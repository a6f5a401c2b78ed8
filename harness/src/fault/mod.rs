//! Faults and plans: everything that a run does, as data, and the one timeline on which faults happen.
//!
//! A seed only *draws* a plan; the run executes the plan. A saved failure stores the plan, so that it
//! outlives changes to the way plans are drawn.
//!
//! - [`Fault`], [`Target`]: a fault, its target and its time
//! - [`kinds`]: every kind of fault, a file each, and the one place where they are registered
//! - [`kind`]: the definition of a kind
//! - [`timeline`]: begins and ends faults at their time
//! - [`check`]: checks a plan
//! - [`plan`], [`script`], [`migrate`]: the plan, its users' acts, and plans of earlier versions
//! - [`slow_step`], [`checkpoints`], [`point`]: slow awaits inside the clients, and verdicts at fault points

mod check;
mod checkpoints;
mod coverage;
mod drawing;
pub mod kind;
pub mod kinds;
mod migrate;
mod model;
mod plan;
mod point;
mod script;
mod slow_step;
#[cfg(test)]
pub(crate) mod tests;
mod timeline;
mod user;

pub use checkpoints::Checkpoints;
pub use coverage::coverage;
pub use kind::{Befalls, Behaviour, InForce, KindSpec, Lessen, Span, Stops};
pub use kinds::{
    FaultKind, KindId, Stray, host_crash, host_sleep, ice_server_down, network_switch, partition,
};
pub use migrate::upgrade;
pub use model::{Fault, Target};
pub use plan::{PLAN_VERSION, Plan, PlanError, USUAL_TALK_MS};
pub(crate) use point::Points;
pub use script::{Act, Scripted, When};
pub use slow_step::SlowStep;
pub use timeline::Timeline;
pub use user::User;

pub use crate::{
    net::conditions::{Directions, PacketVerdict},
    signaling::conditions::MessageFate,
    trace::{FaultId, leg_of},
};
