//! Renderers over what a run recorded. They read; they never run anything and never touch a file.
//!
//! - [`timeline`]: one run, a column per host, for `replay`
//! - [`snapshot`]: one run as stable text for review in a pull request
//! - [`behaviour`]: many runs of a family of scenarios as one small table, for the same
//! - [`gather`]: what the reports of a suite need of its results
//! - [`html`]: a suite or a failure as one file for a browser
//! - [`junit`]: a suite as JUnit XML
//! - [`machines`]: what CI systems show of a suite: step summary, annotations, code quality
//! - [`ladder`]: the signaling messages of a run between its hosts
//! - [`sheet`]: text tables that are read back as they were written
//! - [`review`]: what differs between committed snapshots and new ones, in groups
//! - [`pcap`]: a capture of one run, for Wireshark
//! - [`mermaid`], [`perfetto`], [`rtcstats`]: one run for other people's viewers
//! - [`cause`]: what decided the fate of a packet, and faults while they are in force
//! - [`acts`]: what users do, in words
//! - [`divergence`]: where two runs part
//! - [`explanation`]: why a failure came about, for `explain`
//! - [`failure`]: one failure as text, for `report.txt`
//! - [`shrunk`]: what is left of a failure after shrinking
//! - [`sweep`]: what a sweep came to
//! - [`summary`]: a suite as Markdown and as text
//! - [`brief`]: a suite on one screen
//! - [`tracks`]: one run as data over time, which diagrams and traces are drawn from
//! - [`descriptions`]: how a single event is put
//! - [`table`]: aligned columns

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
