//! Sweeps: a good run is recorded, and run again once for every single packet and message of it, with that one lost,
//! doubled, late, cut short or damaged; then for pairs of losses that the first pass suggests.
//!
//! - [`terms`], [`naming`]: names of packets in protocol terms, and the time after which the receiver has given a
//!   packet up
//! - [`subject`]: the packets and messages to single out, their treatments, and the faults that implement them
//! - [`seen`]: the data kept of a run, and the comparison of two runs
//! - [`prober`]: runs a plan: in this process, or by another implementation of [`Prober`]
//! - [`trial`]: a treated run and its outcome
//! - [`search`]: which plans are run, in which order
//! - [`known`]: the runs that a catalogue has swept, and the known failures there
//! - [`pairs`]: second losses that could matter (lineage-driven: Alvaro, Rosen and Hellerstein, 2015)
//!
//! A sweep draws nothing: the same scenario, seed and build give the same results, on however many threads. Nothing
//! here may judge a run: the scenario's oracles say what is broken.

mod known;
mod naming;
mod pairs;
mod prober;
mod search;
mod seen;
mod subject;
mod terms;
#[cfg(test)]
mod tests;
mod trial;

pub use known::{KnownBreak, Listed};
pub use naming::Class;
pub use prober::{InProcess, Probe, ProbeError, Prober, probe};
pub use search::{Limits, SweepError, Swept, sweep};
pub use seen::{Broken, Message, Seen, TrialOutcome};
pub use subject::{Hit, Subject, Treatment};
pub use terms::Packet;
pub use trial::Tried;
