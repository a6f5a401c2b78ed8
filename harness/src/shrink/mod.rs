//! Shrinking: the smallest plan that still breaks the same oracle in the same way.
//!
//! - [`edit`], [`knobs`], [`actors`], [`app`]: what can be removed from a plan, each with a name
//! - [`simpler`]: what can be made shorter or plainer
//! - [`ddmin`]: delta debugging over numbered things, knowing nothing of plans
//! - [`executor`]: how a candidate plan is judged
//! - [`search`]: which candidates are tried, and how many
//!
//! What happens to packets is drawn from (seed, link, ordinal), so that removing one fault moves no other. Nothing
//! here looks at a clock: who shrinks says when it has taken long enough. The result does not depend on how many
//! candidates are tried at once.

mod actors;
mod app;
mod ddmin;
mod edit;
mod executor;
mod knobs;
#[cfg(test)]
mod registered;
mod search;
mod simpler;
#[cfg(test)]
mod tests;

pub use edit::{Element, Inventory};
pub use executor::{Broken, ExecuteError, Executor, InProcess};
pub use search::{Limits, Progress, ShrinkError, Shrunk, shrink};
