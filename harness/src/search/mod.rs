//! Guided search: keeps plans whose runs reached something new, breeds new plans from them, and runs what was not run together before.
//!
//! - [`reached`]: what a run reached, as a set of small features
//! - [`traits`]: what a plan is made of, and how often that was run
//! - [`breed`](mod@breed), [`acts`], [`aim`]: new plans from plans: changed, or put together from two
//! - [`pool`]: the plans that are bred from, and how many runs reached each feature
//! - [`strategy`]: where plans come from
//! - [`lesson`]: what a search is told of a run
//! - [`hunt`]: proposes runs, and is told what they reached
//!
//! A search draws from labelled streams of its first seed alone: the same scenario, first seed and strategy propose the same runs,
//! byte for byte. Nothing here looks at a clock or judges a run: the caller says when it has taken long enough, and the scenario's
//! oracles say what is broken.

mod acts;
mod aim;
mod breed;
mod hunt;
mod lesson;
mod pool;
mod reached;
mod strategy;
#[cfg(test)]
mod tests;
mod traits;

pub use breed::{Change, Parents, breed};
pub use hunt::{Proposal, Search};
pub use lesson::{Found, Lesson};
pub use reached::{Feature, Reached};
pub use strategy::{NoStrategy, Origin, Strategy};
