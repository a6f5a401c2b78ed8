//! Renderers over what a run recorded. They read; they never run anything and never touch a file.
//!
//! - [`timeline`]: one run, a column per host, for `replay`
//! - [`snapshot`]: one run as stable text for review in a pull request
//! - [`divergence`]: where two runs part
//! - [`explanation`]: why a failure came about, for `explain`
//! - [`failure`]: one failure as text, for `report.txt`
//! - [`shrunk`]: what is left of a failure after shrinking
//! - [`summary`]: a suite as Markdown and as text
//! - [`words`]: how a single event is put
//! - [`table`]: aligned columns

pub mod divergence;
pub mod explanation;
pub mod failure;
pub mod faults;
pub mod shrunk;
pub mod snapshot;
pub mod summary;
pub mod table;
pub mod timeline;
pub mod words;
