//! Shrinking: the smallest plan that still breaks the same oracle in the same way.
//!
//! - [`edit`], [`knobs`], [`actors`], [`app`]: the elements that can be removed from a plan, each with a name
//! - [`simpler`]: the values that can be made shorter or plainer
//! - [`ddmin`]: delta debugging over numbered elements, without knowledge of plans
//! - [`executor`]: judges a candidate plan
//! - [`search`]: which candidates are tried, and how many
//!
//! Random draws about packets depend on (seed, link, ordinal), so that removing one fault moves no other. Nothing here
//! looks at a clock: the caller says when it has taken long enough. The result does not depend on the number of
//! candidates that are tried at once.

mod actors;
mod app;
mod ddmin;
mod edit;
mod executor;
mod habits;
mod item;
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
