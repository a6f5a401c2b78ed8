//! What other people's tools make of the reports: tshark, JUnit readers, Mermaid's own parser, a browser.
//!
//! A tool that is not here costs its test, not the suite: the test says on standard error that it was skipped. `.ci/report-tools`
//! brings all of them.

mod browser;
mod drawings;
mod junit;
mod pcap;
mod runs;
mod tools;
