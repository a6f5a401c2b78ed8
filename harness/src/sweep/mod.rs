//! Sweeps: a good run is recorded, and run again once for every single packet and message that it needed, with that one lost,
//! doubled, late, cut short or damaged; then for pairs of losses that the first pass gives reason to try.
//!
//! - [`terms`], [`naming`]: what a packet is, in protocol terms, and after how long whoever waits for it has given it up
//! - [`subject`]: what can be singled out, what can be done to it, and the fault that does it
//! - [`seen`]: what is kept of a run, and how two runs compare
//! - [`prober`]: how a plan is run: in this process, or wherever an implementation of [`Prober`] runs it
//! - [`trial`]: something done to a run, and what came of it
//! - [`search`]: which plans are run, in which order
//! - [`known`]: the runs that a catalogue has swept, and what is known to break there
//! - [`pairs`]: second losses that could matter (lineage-driven: Alvaro, Rosen and Hellerstein, 2015)
//!
//! A sweep draws nothing: the same scenario, seed and build give the same results, on however many threads. Nothing here may
//! judge a run: what is broken is what the scenario's oracles say.

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
