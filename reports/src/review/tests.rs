//! Tests of the review: the groups of differences, and the result of each decision.

use super::*;

/// Returns a sheet of three scenarios; `change` edits its text.
fn sheet(change: &[(&str, &str)]) -> String {
    let text = "\
behaviour of calls
seeds 0 to 9 of each scenario

outcomes
scenario | runs  | held  | broke | connected | median | 95th  | packets | oracles that fired
-------- | ----: | ----: | ----: | --------: | -----: | ----: | ------: | ------------------
naive    |    10 |     4 |     6 |         4 |    400 |   900 |    1000 | CONN-01 6
buffered |    10 |    10 |     0 |        10 |    500 |   800 |    1000 |
push     |    10 |    10 |     0 |        10 |    600 |   700 |    1000 |

messages that clients sent
scenario | message, how many
-------- | -----------------
naive    | answer 10, joined 20
buffered | answer 10, joined 20
push     | answer 10, joined 20

ice states of the peers
scenario | sequence, how many peers
-------- | ------------------------
naive    | checking>connected 8
buffered | checking>connected 20
";
    let mut text = text.to_owned();
    for (from, to) in change {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    Sheet::parse(&text).expect("a sheet").to_text()
}

fn pending(new: &str) -> Pending {
    Pending {
        name: "behaviour__calls".into(),
        old: Some(sheet(&[])),
        new: new.into(),
    }
}

fn titles(groups: &[Group]) -> Vec<(&str, &str)> {
    groups.iter().map(|g| (g.id.as_str(), g.title.as_str())).collect()
}

/// Returns a change: one more *joined* everywhere, one scenario 200 ms later, one with another outcome.
fn changed() -> Pending {
    pending(&sheet(&[
        ("joined 20", "joined 30"),
        ("|    500 |   800 |    1000 |", "|    710 |   980 |    1003 |"),
        ("|     4 |     6 |         4 |", "|     3 |     7 |         3 |"),
        ("CONN-01 6", "CONN-01 7"),
        ("checking>connected 8", "checking>connected 6, checking>failed 2"),
    ]))
}

#[test]
fn differences_are_grouped_by_what_changed_the_gravest_first() {
    let groups = groups(&[changed()]);
    assert_eq!(
        titles(&groups),
        [
            ("outcome-worse", "1 scenario: outcome changes, fewer seeds hold"),
            ("connect-later-200ms", "1 scenario: connect about 200 ms later"),
            ("states", "1 scenario: peers go through other states"),
            (
                "message-joined-1-more",
                "3 scenarios: one more *joined* in each run"
            ),
            ("packets-about", "1 scenario: about as many packets, within 5 %"),
        ]
    );
    let lines = pairs(&groups[0], 120, 3);
    assert_eq!(
        lines,
        [
            "calls/naive  held       4 -> 3",
            "calls/naive  broke      6 -> 7",
            "calls/naive  connected  4 -> 3",
            "... and 1 lines more",
        ]
    );
}

#[test]
fn what_is_accepted_group_by_group_ends_as_the_new_text() {
    let mut pending = changed();
    let new = pending.new.clone();
    let mut rounds = 0;
    while pending.old.as_ref() != Some(&new) {
        let groups = groups(std::slice::from_ref(&pending));
        let first = groups.first().expect("something is pending");
        let accepted = accept(&pending, &[first]).expect("it is of this snapshot");
        assert_ne!(
            pending.old.as_ref(),
            Some(&accepted),
            "a decision changes something"
        );
        pending.old = Some(accepted);
        rounds += 1;
    }
    assert_eq!(rounds, 5);
}

#[test]
fn what_is_rejected_group_by_group_ends_as_the_old_text() {
    let mut pending = changed();
    let old = pending.old.clone().expect("committed");
    while pending.new != old {
        let groups = groups(std::slice::from_ref(&pending));
        let last = groups.last().expect("something is pending");
        pending.new = reject(&pending, &[last]).expect("it is of this snapshot");
    }
    assert_eq!(groups(&[pending]), []);
}

#[test]
fn scenarios_come_and_go_with_all_their_cells() {
    let without_push = sheet(&[
        (
            "push     |    10 |    10 |     0 |        10 |    600 |   700 |    1000 |\n",
            "",
        ),
        ("push     | answer 10, joined 20\n", ""),
    ]);
    let gone = pending(&without_push);
    let found = groups(std::slice::from_ref(&gone));
    assert_eq!(titles(&found), [("scenario-gone", "1 scenario: gone")]);
    assert_eq!(accept(&gone, &[&found[0]]), Some(without_push.clone()));

    let came = Pending {
        old: Some(without_push.clone()),
        new: sheet(&[(
            "naive    | answer 10, joined 20",
            "naive    | answer 10, joined 21",
        )]),
        ..gone
    };
    let found = groups(std::slice::from_ref(&came));
    assert_eq!(
        titles(&found),
        [
            ("scenario-new", "1 scenario: new"),
            (
                "messages",
                "1 scenario: other numbers of messages, not alike in every run"
            ),
        ]
    );
    assert_eq!(
        accept(&came, &[&found[0]]),
        Some(sheet(&[])),
        "all but the one message"
    );
}

#[test]
fn stories_are_grouped_by_the_sections_that_change() {
    let old = "calls/rapid@0 (promise)\nDialed.\n\nsignaling\n  0.100 |-- dial --->| 0.200\n\noracles\n  held: CONN-01\n";
    let story = |name: &str, from: &str, to: &str| Pending {
        name: format!("story__{name}"),
        old: Some(old.into()),
        new: old.replace(from, to),
    };
    let pending = [
        story("later", "-- dial --->| 0.200", "-- dial -->| 10.300"),
        story("longer", "  0.100 |", "  0.050 |<--- ring ---|\n  0.100 |"),
        story("broken", "held: CONN-01", "CONN-01 FAIL: c1 was not connected"),
        Pending {
            name: "story__new".into(),
            old: None,
            new: old.into(),
        },
    ];
    let groups = groups(&pending);
    assert_eq!(
        titles(&groups),
        [
            ("story-oracles", "1 story: what the oracles say changes"),
            ("story", "1 story: told differently"),
            ("story-numbers", "1 story: only times and numbers change"),
            ("snapshot-new", "1 snapshot: new"),
        ]
    );
    assert_eq!(
        pairs(&groups[0], 120, 9)[1..],
        [
            format!("{:<58}   {}", "oracles", "oracles"),
            format!(
                "{:<58} | {}",
                "  held: CONN-01", "  CONN-01 FAIL: c1 was not connected"
            ),
        ]
    );
    assert_eq!(accept(&pending[2], &[&groups[0]]).as_ref(), Some(&pending[2].new));
    assert_eq!(
        accept(&pending[0], &[&groups[0]]),
        None,
        "it is not in that group"
    );
    assert_eq!(reject(&pending[2], &[&groups[0]]).as_deref(), Some(old));
}

#[test]
fn times_are_grouped_by_their_size() {
    let later = |ms: u64| {
        let new = format!("|    {} |", 500 + ms);
        let found = groups(&[pending(&sheet(&[("|    500 |", &new)]))]);
        found[0].id.clone()
    };
    let ids = [3, 8, 90, 180, 230, 480].map(later);
    assert_eq!(
        ids,
        [
            "connect-later-1ms",
            "connect-later-10ms",
            "connect-later-100ms",
            "connect-later-200ms",
            "connect-later-200ms",
            "connect-later-500ms"
        ]
    );
}
