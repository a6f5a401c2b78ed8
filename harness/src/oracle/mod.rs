//! Oracles: what must hold in a run, read from its trace alone.
//!
//! Each has a stable id, one sentence of meaning and its source; each is tripped by a broken client or
//! network element in the catalogue. An oracle never looks at the world while it runs.

pub mod after;
pub mod again;
pub mod app;
pub mod calls;
pub mod candidates;
pub mod causes;
pub mod comeback;
pub mod connection;
mod ends;
pub mod events;
pub mod factory;
pub mod forks;
pub mod gathering;
pub mod hangup;
pub mod heeded;
pub mod ice;
pub mod liveness;
mod machine;
pub mod once;
pub mod outcomes;
pub mod pace;
pub mod pairs;
pub mod peers;
pub mod reach;
pub mod ringing;
pub mod runs;
pub mod signaling;
pub mod talk;
mod wanted;

use serde::{Deserialize, Serialize};

use crate::{fault::Plan, trace::Trace};

/// What an oracle judges by.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// What happened.
    pub trace: &'a Trace,
    /// What was meant to happen.
    pub plan: &'a Plan,
}

/// What an oracle found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It held.
    Pass,
    /// It was broken.
    Fail(Violation),
    /// The run ended before it could be judged.
    Unknown(String),
}

/// How an oracle was broken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// The sequence number of the deciding event, if one event decided.
    pub event: Option<u64>,
    /// What happened, in protocol terms.
    pub why: String,
}

/// An invariant.
#[derive(Clone, Copy)]
pub struct Oracle {
    /// Its stable id.
    pub id: &'static str,
    /// What must hold, in one sentence.
    pub meaning: &'static str,
    /// Where that is written.
    pub source: &'static str,
    /// Judges a run.
    pub check: fn(Evidence<'_>) -> Verdict,
}

impl std::fmt::Debug for Oracle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.id)
    }
}

/// Every oracle there is.
pub const ALL: &[&Oracle] = &[
    &runs::NO_PANIC,
    &runs::BOUNDED,
    &runs::RUN_03_PLAYED,
    &app::INVARIANTS,
    &candidates::APPLIED,
    &candidates::OWN_GENERATION,
    &calls::CONNECTS,
    &again::OUTLIVES,
    &talk::TALK_01_TO_THE_END,
    &heeded::INT_01_HEEDED,
    &causes::CALL_04_CAUSED,
    &causes::CALL_05_TRUE,
    &forks::CALL_06_ONE,
    &once::SAID_01_ONCE,
    &outcomes::AGREED,
    &outcomes::GOES_ON,
    &after::QUIET,
    &after::DEAD,
    &ringing::CALLED,
    &forks::RING_02_ANSWERED,
    &forks::RING_03_REFUSED,
    &factory::AS_LONG_AS_CALLS,
    &hangup::RETURNS,
    &hangup::CLOSED_ONCE,
    &hangup::CLOSED_FIRST,
    &peers::CLOSES,
    &peers::NOTHING_LEFT,
    &peers::STACK_ENDS,
    &reach::AS_COMPUTED,
    &pace::PACED,
    &ice::EDGES,
    &connection::COMPUTED,
    &gathering::ONE_END,
    &signaling::TURNS,
    &events::NEWS,
    &events::LAST_WORD,
    &liveness::TIMELY,
    &comeback::COMES_BACK,
    &pairs::MIRRORED,
    &pairs::BEST,
    &pairs::RANKED,
    &pairs::LAST_PAIR,
];

/// The verdict of several: the first failure, else the first unknown, else a pass.
pub fn worst(verdicts: impl IntoIterator<Item = Verdict>) -> Verdict {
    let mut worst = Verdict::Pass;
    for verdict in verdicts {
        match (&worst, &verdict) {
            (_, Verdict::Fail(_)) => return verdict,
            (Verdict::Pass, Verdict::Unknown(_)) => worst = verdict,
            _ => {}
        }
    }
    worst
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_verdict_wins_and_the_first_failure_is_named() {
        let fail = |why: &str| {
            Verdict::Fail(Violation {
                event: None,
                why: why.into(),
            })
        };
        let unknown = Verdict::Unknown("cut short".into());
        assert_eq!(worst([]), Verdict::Pass);
        assert_eq!(worst([Verdict::Pass, unknown.clone(), Verdict::Pass]), unknown);
        assert_eq!(worst([unknown, fail("a"), fail("b")]), fail("a"));
    }

    #[test]
    fn ids_are_unique() {
        for (i, oracle) in ALL.iter().enumerate() {
            assert!(
                ALL[..i].iter().all(|other| other.id != oracle.id),
                "{}",
                oracle.id
            );
        }
    }
}
