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
pub mod consent;
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
pub mod permitted;
pub mod prompt;
pub mod reach;
pub mod repeated;
pub mod ringing;
pub mod runs;
pub mod shown;
pub mod signaling;
pub mod silent;
pub mod talk;
pub mod told;
pub mod trickle;
mod wanted;
pub mod wire;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    fault::Plan,
    trace::{Event, Trace},
};

/// What an oracle judges by.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// What happened.
    pub trace: &'a Trace,
    /// What was meant to happen.
    pub plan: &'a Plan,
}

/// What an oracle found.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
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
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Violation {
    /// The sequence number of the deciding event, if one event decided.
    pub event: Option<u64>,
    /// The call that it is about, if it is about one that no deciding event names.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub call: Option<String>,
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
    pub check: &'static Check,
}

/// What judges a run, from its evidence alone and always alike.
pub type Check = dyn Fn(Evidence<'_>) -> Verdict + Send + Sync;

impl Oracle {
    /// An oracle of a catalogue's own, which lives as long as the program: make each once, where the catalogue is made.
    ///
    /// `id` is stable and no other oracle's; `meaning` says in one sentence what must hold, `source` where that is written.
    ///
    /// ```
    /// use sleet::{
    ///     oracle::{Oracle, Verdict, Violation},
    ///     trace::EventKind,
    /// };
    ///
    /// let longest = 200;
    /// let brief = Oracle::new("OWN-01", "No message is long.", "our style guide", move |evidence| {
    ///     let is_long = |kind: &EventKind| matches!(kind, EventKind::Data { text, .. } if text.len() > longest);
    ///     let long = evidence.trace.events.iter().find(|e| is_long(&e.kind));
    ///     long.map_or(Verdict::Pass, |e| Verdict::Fail(Violation::at(e, "a message is long")))
    /// });
    /// assert_eq!(brief.id, "OWN-01");
    /// ```
    pub fn new(
        id: &str,
        meaning: &str,
        source: &str,
        check: impl Fn(Evidence<'_>) -> Verdict + Send + Sync + 'static,
    ) -> &'static Self {
        let text = |text: &str| -> &'static str { Box::leak(text.into()) };
        Box::leak(Box::new(Self {
            id: text(id),
            meaning: text(meaning),
            source: text(source),
            check: Box::leak(Box::new(check)),
        }))
    }
}

impl Violation {
    /// One that `event` decides.
    pub fn at(event: &Event, why: impl Into<String>) -> Self {
        Self {
            event: Some(event.seq),
            why: why.into(),
            ..Self::default()
        }
    }

    /// One of the call `call` that no single event decides.
    pub fn of_call(call: &str, why: impl Into<String>) -> Self {
        Self {
            call: Some(call.to_owned()),
            why: why.into(),
            ..Self::default()
        }
    }
}

/// Something that led to a failure, as a catalogue's own rule tells it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Clue {
    /// The sequence number of the event that shows it.
    pub event: u64,
    /// What happened, in the terms of the app.
    pub what: String,
}

/// Tells what led to a violation, from what happened and what the plan held; nothing where it knows nothing of it.
pub type Tell = dyn Fn(Evidence<'_>, &Violation) -> Vec<Clue> + Send + Sync;

impl std::fmt::Debug for Oracle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.id)
    }
}

/// Every oracle there is.
pub const ALL: &[&Oracle] = &[
    &runs::RUN_01_NO_PANIC,
    &runs::RUN_02_BOUNDED,
    &runs::RUN_03_PLAYED,
    &app::APP_01_INVARIANTS,
    &candidates::CAND_01_APPLIED,
    &candidates::CAND_02_OWN_GENERATION,
    &calls::CONN_01_CONNECTS,
    &again::CONN_02_OUTLIVES,
    &talk::TALK_01_TO_THE_END,
    &talk::TALK_02_AUDIO,
    &heeded::INT_01_HEEDED,
    &causes::CALL_04_CAUSED,
    &shown::CALL_05_TRUE,
    &forks::CALL_06_ONE,
    &once::SAID_01_ONCE,
    &trickle::TRIC_01_ENDS,
    &outcomes::CALL_01_AGREED,
    &outcomes::CONN_03_GOES_ON,
    &prompt::CONN_04_PROMPT,
    &after::CALL_02_QUIET,
    &after::CALL_03_DEAD,
    &ringing::RING_01_CALLED,
    &forks::RING_02_ANSWERED,
    &forks::RING_03_REFUSED,
    &told::RING_04_TOLD,
    &factory::FACT_01_AS_LONG_AS_CALLS,
    &hangup::HANG_01_RETURNS,
    &hangup::TEAR_03_CLOSED_ONCE,
    &hangup::TEAR_04_CLOSED_FIRST,
    &peers::TEAR_01_CLOSES,
    &peers::TEAR_02_NOTHING_LEFT,
    &peers::TEAR_05_STACK_ENDS,
    &silent::TEAR_06_SILENT,
    &reach::REACH_01_AS_COMPUTED,
    &pace::PACE_01_PACED,
    &ice::STATE_01_EDGES,
    &connection::STATE_02_COMPUTED,
    &gathering::STATE_03_ONE_END,
    &signaling::STATE_04_TURNS,
    &events::STATE_05_NEWS,
    &events::STATE_06_LAST_WORD,
    &liveness::TIME_01_TIMELY,
    &consent::CONS_01_ANSWERED,
    &wire::WIRE_01_PROTECTED,
    &wire::WIRE_02_ROLES,
    &wire::WIRE_03_PRIORITY,
    &wire::WIRE_04_CONFLICT,
    &wire::WIRE_05_TRIGGERED,
    &permitted::TURN_01_PERMITTED,
    &repeated::STUN_01_SCHEDULE,
    &comeback::BACK_01_COMES_BACK,
    &pairs::PAIR_01_MIRRORED,
    &pairs::PAIR_02_BEST,
    &pairs::PAIR_03_RANKED,
    &pairs::PAIR_04_LAST_PAIR,
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
                ..Violation::default()
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
