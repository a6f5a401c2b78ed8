//! Tests of the search on a made-up run: what is swept, which second losses are tried, and that threads make no
//! difference.

use std::{collections::BTreeMap, num::NonZeroUsize, sync::Arc};

use super::*;
use crate::{
    fault::{FaultKind, PacketVerdict, Plan, Target},
    net::{
        link::LinkProfile,
        topology::{HostSpec, Topology},
    },
    trace::{Digest, Direction},
};

/// A made-up run: alice asks until she has asked three times or is answered; bob answers each packet that arrives once.
/// With `needs` the call cannot do without the packet of that number.
struct Asks {
    needs: Option<u64>,
}

impl Prober for Asks {
    fn probe(&self, plan: &Arc<Plan>, listen: bool) -> Result<Probe, ProbeError> {
        let lost = |ordinal: u64, link: &str| {
            plan.faults.iter().any(|f| {
                f.target.name() == link
                    && matches!(f.target, Target::Link { .. })
                    && matches!(&f.kind, FaultKind::Packet(p) if p.ordinal == ordinal && p.verdict == PacketVerdict::Drop)
            })
        };
        let mut packets = Vec::new();
        let (mut answers, mut answered) = (0, None);
        for asked in 0..3 {
            packets.push(packet("alice", asked, 100 * asked, "request", asked + 1));
            if !lost(asked, "alice") {
                packets.push(packet("bob", answers, 100 * asked + 10, "response", answers + 1));
                answers += 1;
                if !lost(answers - 1, "bob") {
                    answered = Some(100 * asked + 20);
                    break;
                }
            }
        }
        let needed = self.needs.is_some_and(|n| lost(n, "alice"));
        let broken = (answered.is_none() || needed).then(|| Broken {
            oracle: "CONN-01".into(),
            why: "nobody answered".into(),
        });
        if !listen {
            packets.clear();
        }
        Ok(Probe::Ended(Box::new(Seen {
            broken,
            ready_ms: answered,
            closing_ms: 0,
            pairs: BTreeMap::new(),
            attempts: 1,
            digest: Digest::of(b"a run"),
            packets,
            messages: Vec::new(),
        })))
    }
}

fn packet(link: &str, ordinal: u64, at_ms: u64, kind: &str, nth: u64) -> Packet {
    Packet {
        link: link.into(),
        direction: Direction::Up,
        ordinal,
        packet: ordinal,
        at_ms,
        len: 20,
        by: link.into(),
        kind: kind.into(),
        nth,
        class: Class::Data,
        beyond_nat: false,
    }
}

fn plan() -> Plan {
    let host = |name, address| HostSpec::new(name, address, LinkProfile::default());
    Plan::new(Topology::new([
        host("alice", "10.0.0.1"),
        host("bob", "10.0.0.2"),
    ]))
}

fn swept(needs: Option<u64>, jobs: usize, pairs: usize) -> Swept {
    let limits = Limits {
        jobs: NonZeroUsize::new(jobs).expect("not zero"),
        pairs,
    };
    let mut plan = plan();
    if pairs > 0 {
        // A replacement of a lost packet comes later than the end of the good run, and must still meet a fault.
        plan.heal_at_ms = 1_000;
    }
    sweep(&Asks { needs }, &plan, limits, &|_, _| {}).expect("a good run")
}

fn describe(tried: &Tried) -> String {
    let description: Vec<String> = tried.hits.iter().map(|hit| hit.describe()).collect();
    description.join(" and ")
}

#[test]
fn every_packet_of_the_good_run_is_singled_out_in_every_way_before_the_healing() {
    let swept = swept(None, 2, 0);
    assert_eq!(swept.plan.heal_at_ms, 11, "just after the last packet");
    assert_eq!(
        swept.singles.len(),
        2 * 5,
        "two packets, five things done to each"
    );
    assert!(swept.singles.iter().all(|t| !t.outcome.is_broken()));
    let lost = &swept.singles[0];
    assert_eq!(describe(lost), "the 1st request of alice lost");
    let later = TrialOutcome::Differs {
        later_ms: Some(100),
        closes_later_ms: None,
        pair: None,
        attempts: None,
    };
    assert_eq!(lost.outcome, later);
}

#[test]
fn what_a_call_cannot_do_without_is_found_and_its_plan_has_that_one_fault() {
    let swept = swept(Some(0), 1, 10);
    let broken: Vec<&Tried> = swept.singles.iter().filter(|t| t.outcome.is_broken()).collect();
    assert_eq!(broken.len(), 1);
    assert_eq!(describe(broken[0]), "the 1st request of alice lost");
    assert_eq!(swept.plan_with(&broken[0].hits).faults.len(), 1);
    assert!(
        swept.pairs.iter().all(|t| t.hits[0] != broken[0].hits[0]),
        "a loss that breaks by itself begins no pair"
    );
}

#[test]
fn second_losses_are_sought_among_what_stood_in_for_the_first() {
    let swept = swept(None, 3, 10);
    let pairs: Vec<String> = swept.pairs.iter().map(describe).collect();
    assert!(
        pairs.contains(&"the 1st request of alice lost and the 2nd request of alice lost".to_owned()),
        "{pairs:?}"
    );
    let fewer = self::swept(None, 3, 1);
    assert_eq!(fewer.pairs[..], swept.pairs[..1]);
}

#[test]
fn results_do_not_depend_on_the_threads() {
    assert_eq!(swept(None, 1, 10), swept(None, 4, 10));
}

#[test]
fn a_run_that_is_not_good_is_not_swept() {
    struct Broke;
    impl Prober for Broke {
        fn probe(&self, plan: &Arc<Plan>, listen: bool) -> Result<Probe, ProbeError> {
            let Probe::Ended(mut seen) = Asks { needs: None }.probe(plan, listen)? else {
                unreachable!("it ends");
            };
            seen.broken = Some(Broken {
                oracle: "CONN-01".into(),
                why: "it does".into(),
            });
            Ok(Probe::Ended(seen))
        }
    }
    let limits = Limits {
        jobs: NonZeroUsize::MIN,
        pairs: 0,
    };
    let error = sweep(&Broke, &plan(), limits, &|_, _| {}).expect_err("not good");
    assert!(matches!(error, SweepError::NotGood { .. }), "{error}");
}

#[test]
fn a_known_defect_covers_what_its_kind_treatment_and_oracle_say() {
    let swept = swept(Some(0), 1, 0);
    let broken = swept.singles.iter().find(|t| t.outcome.is_broken()).expect("one");
    let known = KnownBreak {
        page: "docs/findings/0001-late-candidates.md",
        kind: "requ",
        done: &["lost"],
        oracle: "CONN-01",
    };
    assert!(known.covers(broken));
    assert!(
        !KnownBreak {
            done: &["cut"],
            ..known
        }
        .covers(broken)
    );
    assert!(
        !KnownBreak {
            kind: "response",
            ..known
        }
        .covers(broken)
    );
    assert!(
        !KnownBreak {
            oracle: "TEAR-01",
            ..known
        }
        .covers(broken)
    );
}
