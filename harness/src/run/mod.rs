//! Running scenarios and keeping what came of it.
//!
//! - [`Runner`]: one scenario with one seed or one plan
//! - [`RunRecord`]: everything that it recorded, and what the oracles found
//! - [`orders`], [`explored`]: one job that goes through many orders, and the sum over them
//! - [`suite`]: many of them on several threads
//! - [`shard`], [`merge`]: a suite dealt to several machines, and put together again
//! - [`result`]: the line of `results.jsonl`
//! - [`summary`]: what a suite comes to, and its exit code
//! - [`tally`]: results are summed up one by one
//! - [`matrix`]: how calls were carried, by what their ends are behind
//! - [`repro`]: a saved failure
//! - [`stats`]: the arithmetic of the remedy table

mod came_to;
pub mod explored;
mod heard;
mod judged;
mod marks;
pub mod matrix;
pub mod merge;
pub mod orders;
mod record;
pub mod repro;
pub mod result;
mod runner;
pub mod shard;
pub mod stats;
pub mod suite;
pub mod summary;
pub mod tally;

pub use record::RunRecord;
pub use runner::Runner;
