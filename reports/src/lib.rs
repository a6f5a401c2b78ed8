//! Renderers for the record of a run. They only read: they never run anything and never touch a file.
//!
//! - [`timeline`]: one run, a column per host, for `replay`
//! - [`snapshot`]: one run as stable text for review in a pull request
//! - [`behaviour`]: many runs of a family of scenarios as one small table, for the same
//! - [`gather`]: the data for a suite's reports
//! - [`html`]: a suite or a failure as one file for a browser
//! - [`junit`]: a suite as JUnit XML
//! - [`machines`]: a suite for CI systems: step summary, annotations, code quality
//! - [`ladder`]: the signaling messages of a run between its hosts
//! - [`sheet`]: text tables that can be parsed again
//! - [`review`]: differences between committed snapshots and new ones, in groups
//! - [`pcap`]: a capture of one run, for Wireshark
//! - [`mermaid`], [`perfetto`], [`rtcstats`]: one run for other viewers
//! - [`cause`]: causes of packets' fates, and faults while they are in force
//! - [`acts`]: users' acts, in words
//! - [`divergence`]: the first difference of two runs
//! - [`explanation`]: an explanation of a failure, for `explain`
//! - [`failure`]: one failure as text, for `report.txt`
//! - [`shrunk`]: a failure after shrinking
//! - [`sweep`]: the results of a sweep
//! - [`summary`]: a suite as Markdown and as text
//! - [`brief`]: a suite on one screen
//! - [`tracks`]: one run as data over time, for diagrams and traces
//! - [`descriptions`]: descriptions of single events
//! - [`table`]: aligned columns
//! - [`printable`]: text of others, without control characters

pub mod acts;
pub mod behaviour;
pub mod brief;
pub mod cause;
pub mod descriptions;
pub mod divergence;
pub mod explanation;
pub mod failure;
pub mod faults;
pub mod gather;
pub mod html;
pub mod junit;
pub mod ladder;
pub mod machines;
pub mod mermaid;
pub mod pcap;
pub mod perfetto;
pub mod printable;
pub mod review;
pub mod rtcstats;
pub mod sheet;
pub mod shrunk;
pub mod snapshot;
pub mod summary;
pub mod sweep;
pub mod table;
pub mod timeline;
pub mod tracks;
