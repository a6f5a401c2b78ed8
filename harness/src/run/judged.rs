//! The verdicts of a scenario's oracles on one run, and what of them a known defect explains.
//!
//! Judging never changes what was recorded.

use crate::{
    oracle::{Evidence, Oracle, Verdict, Violation},
    scenario::{Kind, Scenario},
};

/// What the oracles of a scenario found, and what of it is expected.
pub(super) struct Judged {
    pub verdicts: Vec<(&'static str, Verdict)>,
    pub known: Option<&'static str>,
    pub excused: Vec<&'static str>,
}

impl Judged {
    pub fn of(scenario: &Scenario, evidence: Evidence<'_>) -> Self {
        let judge = |o: &&'static Oracle| (o.id, (o.check)(evidence));
        let mut verdicts: Vec<_> = scenario.oracles.iter().map(judge).collect();
        let defects = scenario.known_defects(evidence.plan);
        let is_broken = |oracle: &Oracle| {
            let mut broken = verdicts.iter().filter(|(_, v)| matches!(v, Verdict::Fail(_)));
            broken.any(|(id, _)| *id == oracle.id)
        };
        let shown: Vec<bool> = defects
            .iter()
            .map(|(oracle, defect)| is_broken(oracle) && (defect.explains)(evidence))
            .collect();
        let is_excused = |id: &str| {
            let mut all = defects.iter().zip(&shown);
            all.any(|((oracle, defect), shown)| *shown && defect.excuses(oracle, id))
        };
        if scenario.kind == Kind::Promise {
            for (id, verdict) in &mut verdicts {
                if let Verdict::Unknown(why) = verdict
                    && !is_excused(id)
                {
                    *verdict = Verdict::Fail(Violation {
                        why: format!("could not be judged: {why}"),
                        ..Violation::default()
                    });
                }
            }
        }
        let excused = verdicts.iter().map(|(id, _)| *id).filter(|id| is_excused(id));
        Self {
            excused: excused.collect(),
            known: defects
                .iter()
                .zip(&shown)
                .find(|((_, defect), shown)| defect.always || **shown)
                .map(|((oracle, _), _)| oracle.id),
            verdicts,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        fault::Plan,
        net::topology::Topology,
        run::{
            RunRecord,
            result::{RunOutcome, RunResult},
            summary::unexpected,
        },
        scenario::{Expectation, KnownDefect},
        seed::Seed,
        trace::Trace,
    };

    static BREAKS: Oracle = oracle("T-01", &|_| Verdict::Fail(Violation::of_call("c1", "it broke")));
    static BREAKS_TOO: Oracle = oracle("T-02", &|_| {
        Verdict::Fail(Violation::of_call("c1", "it broke too"))
    });
    static HOLDS: Oracle = oracle("T-03", &|_| Verdict::Pass);
    static UNKNOWN: Oracle = oracle("T-04", &|_| Verdict::Unknown("the run was too short".into()));

    const DEFECT: KnownDefect = KnownDefect {
        always: false,
        explains: |_| true,
        with: &[&UNKNOWN],
    };

    const fn oracle(id: &'static str, check: &'static crate::oracle::Check) -> Oracle {
        Oracle {
            id,
            meaning: "",
            source: "",
            check,
        }
    }

    /// The result of a run that `oracles` judge, and whether it is unexpected.
    fn result(
        kind: Kind,
        oracles: &[&'static Oracle],
        expects: impl IntoIterator<Item = Expectation>,
    ) -> (RunResult, bool) {
        let plan = || Plan::new(Topology::new([]));
        let mut scenario = Scenario::new(kind, "tests/judged", move |_| plan(), |_, _| async {});
        scenario.oracles = oracles.to_vec();
        scenario.expects = expects.into_iter().collect();
        let record = RunRecord::recall(
            &scenario,
            Seed(0),
            Arc::new(plan()),
            Trace::from_events(Vec::new()),
        );
        let result = record.result();
        let unexpected = unexpected(&scenario, &result);
        (result, unexpected)
    }

    /// The same of a promise in which a defect of the stack is known to break T-01.
    fn with_defect(
        oracles: &[&'static Oracle],
        shows: fn(&Plan) -> Option<KnownDefect>,
    ) -> (RunResult, bool) {
        result(
            Kind::Promise,
            oracles,
            [Expectation::known_defect(&BREAKS, shows)],
        )
    }

    #[test]
    fn what_cannot_be_judged_has_failed_in_a_promise_and_nowhere_else() {
        let (promise, is_unexpected) = result(Kind::Promise, &[&HOLDS, &UNKNOWN], []);
        assert_eq!(promise.oracle.as_deref(), Some("T-04"));
        assert_eq!(
            promise.why.as_deref(),
            Some("could not be judged: the run was too short")
        );
        assert!(is_unexpected);
        let broken = Expectation::broken(&BREAKS, 1);
        let (demonstration, is_unexpected) = result(Kind::Demonstration, &[&UNKNOWN], [broken]);
        assert_eq!(demonstration.outcome, RunOutcome::Pass);
        assert!(!is_unexpected);
    }

    #[test]
    fn a_known_defect_excuses_what_it_explains_and_its_consequences() {
        let (known, is_unexpected) = with_defect(&[&BREAKS, &UNKNOWN, &HOLDS], |_| Some(DEFECT));
        assert_eq!(
            (known.oracle.as_deref(), known.known.as_deref()),
            (Some("T-01"), Some("T-01"))
        );
        assert!(!is_unexpected && known.also.is_empty());
    }

    #[test]
    fn another_oracle_that_breaks_beside_a_known_defect_decides() {
        for oracles in [[&BREAKS, &BREAKS_TOO], [&BREAKS_TOO, &BREAKS]] {
            let (run, is_unexpected) = with_defect(&oracles, |_| Some(DEFECT));
            assert_eq!(run.oracle.as_deref(), Some("T-02"));
            assert_eq!(run.also, ["T-01"]);
            assert!(is_unexpected);
        }
    }

    #[test]
    fn a_defect_that_does_not_explain_what_happened_or_does_not_apply_excuses_nothing() {
        let explains_nothing = |_: &Plan| {
            Some(KnownDefect {
                explains: |_| false,
                ..DEFECT
            })
        };
        for shows in [explains_nothing, |_: &Plan| None] {
            let (run, is_unexpected) = with_defect(&[&BREAKS, &UNKNOWN], shows);
            assert_eq!(
                (run.oracle.as_deref(), run.known.as_deref()),
                (Some("T-01"), None)
            );
            assert_eq!(run.also, ["T-04"]);
            assert!(is_unexpected);
        }
    }

    #[test]
    fn a_defect_that_shows_on_every_run_and_did_not_is_unexpected() {
        let always = |_: &Plan| {
            Some(KnownDefect {
                always: true,
                ..DEFECT
            })
        };
        let (run, is_unexpected) = with_defect(&[&HOLDS], always);
        assert_eq!(run.outcome, RunOutcome::Pass);
        assert!(is_unexpected);
        let (sometimes, is_unexpected) = with_defect(&[&HOLDS], |_| Some(DEFECT));
        assert_eq!(sometimes.known, None);
        assert!(!is_unexpected);
    }

    #[test]
    fn a_broken_client_is_judged_by_the_oracle_that_it_is_to_break() {
        let broken = || [Expectation::broken(&BREAKS, 1)];
        let (shown, is_unexpected) = result(Kind::Demonstration, &[&BREAKS, &BREAKS_TOO], broken());
        assert_eq!(shown.oracle.as_deref(), Some("T-01"));
        assert!(!is_unexpected);
        let (other, is_unexpected) = result(Kind::Demonstration, &[&BREAKS_TOO, &BREAKS], broken());
        assert_eq!(other.oracle.as_deref(), Some("T-02"));
        assert!(is_unexpected);
    }
}
