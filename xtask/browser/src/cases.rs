//! The list of cases: each has a name, what is expected, and a scene that plays it.

use crate::{
    scenes::{
        self, Scene,
        gone::How,
        hangup::{Moment, Who},
    },
    stage::{APPS, Ends, MIXED, PAGES, Settings},
};

/// A case.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its name: what it is about, then who calls whom.
    pub name: String,
    /// What is expected, in words; the scene checks it.
    pub expected: String,
    /// Who calls whom.
    pub ends: Ends,
    /// How server and phones are set up.
    pub settings: Settings,
    /// What happens.
    pub scene: Scene,
}

impl Case {
    fn new(what: &str, ends: Ends, scene: Scene, expected: &str) -> Self {
        Self {
            name: format!("{what}/{}-calls-{}", ends.caller, ends.callee),
            expected: expected.to_owned(),
            ends,
            settings: Settings::default(),
            scene,
        }
    }

    fn with(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(&mut self.settings);
        self
    }
}

/// Every case.
pub fn all() -> Vec<Case> {
    [connects(), trickles(), hangups(), restarts(), gone(), otherwise()].concat()
}

/// Those whose names begin with one of `filter`; `=name` is that case and no other. Without a filter, all.
pub fn selected(filter: &[String]) -> Vec<Case> {
    let fits = |name: &str| {
        filter.is_empty()
            || filter.iter().any(|f| match f.strip_prefix('=') {
                Some(exact) => name == exact,
                None => name.starts_with(f.as_str()),
            })
    };
    all().into_iter().filter(|case| fits(&case.name)).collect()
}

fn every() -> [Ends; 4] {
    let [page_calls, app_calls] = MIXED;
    [page_calls, app_calls, PAGES, APPS]
}

fn connects() -> Vec<Case> {
    let case = |ends| {
        let expected = "connects; audio and texts are heard both ways, and more as time goes on";
        Case::new("connect", ends, Scene::Connect, expected)
    };
    every().map(case).into()
}

fn trickles() -> Vec<Case> {
    let slow: [(&str, &[&str]); 3] = [
        ("invite", &["pass-on-invite"]),
        ("accept", &["pass-on-accept"]),
        ("both", &["pass-on-invite", "pass-on-accept"]),
    ];
    let mut cases = Vec::new();
    for ends in MIXED {
        for (name, steps) in slow {
            for is_naive in [false, true] {
                let policy = if is_naive { "naive" } else { "buffered" };
                let expected = match (is_naive, name) {
                    (false, _) => "connects; no candidate is refused or lost",
                    (true, "invite") => {
                        "the callee loses the caller's candidates; it connects where none of the callee's overtakes the answer, as the callee's checks tell the caller's agent"
                    }
                    (true, "accept") => {
                        "the caller's peer connection refuses the callee's candidates (a page's with InvalidStateError); it connects where the callee has the caller's, which can overtake the invitation too, as the server writes that down first"
                    }
                    (true, _) => "both lose all candidates of the other: no call",
                };
                let scene = Scene::Trickle(scenes::trickle::Early::of(name));
                let what = format!("trickle/{policy}/slow-{name}");
                cases.push(Case::new(&what, ends, scene, expected).with(|settings| {
                    settings.is_naive = is_naive;
                    settings.slow = steps.iter().map(|&step| (step, 1_000)).collect();
                }));
            }
        }
    }
    let expected = "both lose all candidates of the other: no call, and nobody says so";
    cases.push(
        Case::new(
            "trickle/naive/slow-both",
            PAGES,
            Scene::Trickle(scenes::trickle::Early::Both),
            expected,
        )
        .with(|settings| {
            settings.is_naive = true;
            settings.slow = vec![("pass-on-invite", 1_000), ("pass-on-accept", 1_000)];
        }),
    );
    cases
}

fn hangups() -> Vec<Case> {
    let mut cases = Vec::new();
    for ends in MIXED {
        for moment in [
            Moment::Dialing,
            Moment::Ringing,
            Moment::Connecting,
            Moment::Connected,
        ] {
            for who in [Who::Caller, Who::Callee, Who::Both] {
                if moment == Moment::Dialing && who != Who::Caller {
                    continue;
                }
                let what = format!("hangup/{moment}/{who}");
                let expected = "both show that it is over: hung up; closed ends report nothing more";
                cases.push(Case::new(&what, ends, Scene::Hangup(moment, who), expected));
            }
        }
        for who in [Who::Caller, Who::Callee] {
            let expected = "the letter is lost: the other end learns of it by the connection alone";
            let what = format!("hangup/unheard/{who}");
            cases.push(Case::new(&what, ends, Scene::Unheard(who), expected));
        }
    }
    cases
}

fn restarts() -> Vec<Case> {
    let mut cases = Vec::new();
    for ends in every() {
        for who in [Who::Caller, Who::Callee] {
            let expected = "the selected pair is one of new candidates; texts and audio go on";
            let what = format!("restart/{who}");
            cases.push(Case::new(&what, ends, Scene::Restart(who), expected));
        }
    }
    for (step, name, naive) in [
        ("pass-on-restart", "slow-offer", MIXED[1]),
        ("pass-on-restarted", "slow-answer", MIXED[0]),
    ] {
        for ends in MIXED {
            let expected =
                "candidates overtake the description that they belong to, and wait for it; the restart works";
            let what = format!("restart/buffered/{name}");
            let case = Case::new(&what, ends, Scene::Restart(Who::Caller), expected);
            cases.push(case.with(|settings| settings.slow = vec![(step, 1_000)]));
        }
        for ends in [naive, PAGES] {
            let expected = match ends == MIXED[1] {
                false => {
                    "candidates overtake the description that they belong to, and the page adds them at once: no \
                          OperationError, which the specification wants; the restart works"
                }
                true => "the same, and the app's candidate is lost by it, and the call: no new pair",
            };
            let what = format!("restart/naive-page/{name}");
            let case = Case::new(&what, ends, Scene::Restart(Who::Caller), expected);
            cases.push(case.with(|settings| {
                settings.turns_naive = true;
                settings.slow = vec![(step, 1_000)];
            }));
        }
    }
    cases
}

fn gone() -> Vec<Case> {
    let silent = "the other end says disconnected, then failed, and ends the call";
    let mut cases = Vec::new();
    for (how, ends, expected) in [
        (How::Killed, MIXED[0], silent),
        (How::Killed, MIXED[1], silent),
        (How::Killed, PAGES, silent),
        (How::Killed, APPS, silent),
        (How::Frozen, MIXED[0], silent),
        (
            How::FrozenFor(10),
            MIXED[0],
            "the page says disconnected, and connected again when the app goes on, without a restart",
        ),
        (
            How::TabClosed,
            MIXED[1],
            "the app says that the page has gone; how soon is to be seen",
        ),
    ] {
        cases.push(Case::new(
            &format!("gone/{how}"),
            ends,
            Scene::Gone(how),
            expected,
        ));
    }
    cases
}

fn otherwise() -> Vec<Case> {
    let mut cases = Vec::new();
    for ends in [MIXED[0], MIXED[1], PAGES] {
        let expected = if ends == PAGES {
            "the candidates of both pages are names; it connects"
        } else {
            "the page's candidates are names that the app does not resolve; it connects, as the page's checks tell the app's agent"
        };
        cases.push(
            Case::new("hidden-addresses", ends, Scene::Hidden, expected)
                .with(|settings| settings.hides_addresses = true),
        );
    }
    for ends in MIXED {
        let expected = if ends == MIXED[0] {
            "a page goes on looking while it rings; the call connects all the same, and then it looks no further"
        } else {
            "connects at once, and then the page looks no further"
        };
        cases.push(
            Case::new("dead-stun", ends, Scene::DeadStun, expected)
                .with(|settings| settings.stun = Some("stun:198.51.100.9:3478".to_owned())),
        );
    }
    cases
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_case_has_a_name_of_its_own_and_says_what_is_expected() {
        let all = all();
        let names: BTreeSet<&str> = all.iter().map(|case| case.name.as_str()).collect();
        assert_eq!(names.len(), all.len());
        assert!(all.iter().all(|case| !case.expected.is_empty()));
    }

    #[test]
    fn cases_are_selected_by_prefix_or_by_name() {
        let names = |filter: &str| {
            let selected = selected(&[filter.to_owned()]);
            selected.into_iter().map(|case| case.name).collect::<Vec<_>>()
        };
        assert_eq!(names("connect").len(), 4);
        assert_eq!(names("=connect/page-calls-app"), ["connect/page-calls-app"]);
        assert!(names("=connect").is_empty());
        assert_eq!(selected(&[]).len(), all().len());
    }
}
