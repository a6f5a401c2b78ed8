//! Fault plans: everything that a run does, as data.
//!
//! A seed only *draws* a plan; the run executes the plan. A saved failure stores the plan, so that it
//! outlives changes to the way plans are drawn.

mod plan;
mod point;
mod stretch;
#[cfg(test)]
mod tests;
mod user;

pub use plan::{Act, PLAN_VERSION, Plan, PlanError, Scripted, USUAL_TALK_MS, When};
pub use point::PointFault;
pub use stretch::{Stretch, Stretcher};
pub use user::User;

pub use crate::trace::leg_of;

pub use crate::signaling::fault::{ServiceFault, ServiceFaults, SignalFault, Verdict};
