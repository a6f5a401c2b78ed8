//! A suite on one screen: what held, what broke, what is known. `summary.md` has the details.

use std::collections::BTreeMap;

use sleet::{
    run::{
        result::RunOutcome,
        summary::{FailureRef, Judgement, ScenarioSummary, Summary},
    },
    scenario::Kind,
};

use crate::table::Table;

/// The number of failures that are described; the others are counted.
const NAMED: usize = 5;

/// Describes the results of a suite, in lines of at most `width` characters where words allow it.
pub fn text(summary: &Summary, width: usize) -> String {
    let mut out = families(summary);
    let mut paragraph = |text: &str| out.push_str(&format!("\n{}\n", fill(text, width)));
    for (what, scenarios) in known(summary) {
        paragraph(&format!("{what}: {}.", scenarios.join(", ")));
    }
    let of = |judgement: &Judgement| {
        summary
            .scenarios
            .iter()
            .filter(|s| s.judgement == *judgement)
            .count()
    };
    let unjudged = of(&Judgement::NotJudged);
    if unjudged > 0 {
        paragraph(&format!(
            "Not judged, because too few seeds ran: {unjudged} of {} scenarios. Nothing unexpected happened in them.",
            summary.scenarios.len()
        ));
    }
    let broken = broken(summary, width);
    out.push_str(&broken);
    let verdict = match summary.scenarios.iter().filter(|s| is_broken(s)).count() {
        0 if unjudged > 0 => "nothing unexpected".to_owned(),
        0 => "everything held".to_owned(),
        1 => "1 scenario is not as it must be".to_owned(),
        n => format!("{n} scenarios are not as they must be"),
    };
    out.push_str(&format!(
        "\n{verdict}: {} of {}\ndigest over all runs: {}\n",
        count(summary.runs(), "run"),
        count(summary.scenarios.len() as u64, "scenario"),
        summary.digest
    ));
    out
}

fn is_broken(s: &ScenarioSummary) -> bool {
    !matches!(s.judgement, Judgement::Held | Judgement::NotJudged)
}

/// Returns a line for each family: promises that held, broken clients that were caught, findings that showed.
fn families(summary: &Summary) -> String {
    let mut families: Vec<(&str, Vec<&ScenarioSummary>)> = Vec::new();
    for s in &summary.scenarios {
        let family = s.name.split('/').next().unwrap_or(&s.name);
        match families.iter_mut().find(|(name, _)| *name == family) {
            Some((_, members)) => members.push(s),
            None => families.push((family, vec![s])),
        }
    }
    let mut table = Table::new(&[
        "family",
        ">scenarios",
        ">runs",
        ">promises held",
        ">clients caught",
        ">findings",
        ">not judged",
        ">broken",
    ]);
    for (family, members) in families {
        let count = |wanted: &dyn Fn(&ScenarioSummary) -> bool| members.iter().filter(|s| wanted(s)).count();
        let held = |kinds: &[Kind]| {
            let of = count(&|s| kinds.contains(&s.kind));
            let held = count(&|s| kinds.contains(&s.kind) && s.judgement == Judgement::Held);
            if of == 0 {
                String::new()
            } else {
                format!("{held}/{of}")
            }
        };
        let some = |n: usize| if n == 0 { String::new() } else { n.to_string() };
        table.row([
            family.to_owned(),
            members.len().to_string(),
            members.iter().map(|s| s.seeds).sum::<u64>().to_string(),
            held(&[Kind::Promise, Kind::Selftest]),
            held(&[Kind::Demonstration]),
            held(&[Kind::Finding]),
            some(count(&|s| s.judgement == Judgement::NotJudged)),
            some(count(&is_broken)),
        ]);
    }
    table.to_markdown()
}

/// Lists the known failures that were seen again.
fn known(summary: &Summary) -> Vec<(&'static str, Vec<String>)> {
    let showed = |s: &ScenarioSummary| s.known > 0 && !is_broken(s);
    let corners: Vec<String> = summary
        .scenarios
        .iter()
        .filter(|s| showed(s))
        .map(|s| format!("{} ({} of {})", s.name, s.known, s.seeds))
        .collect();
    let known = [(
        "Promises that met a known defect of the stack, as they must",
        corners,
    )];
    known.into_iter().filter(|(_, names)| !names.is_empty()).collect()
}

/// Describes unexpected results, the first few with the reason and the replay command.
fn broken(summary: &Summary, width: usize) -> String {
    let mut out = String::new();
    let mut by_scenario = BTreeMap::<&str, &FailureRef>::new();
    for failure in &summary.failures {
        by_scenario.entry(&failure.scenario).or_insert(failure);
    }
    for (n, s) in summary.scenarios.iter().filter(|s| is_broken(s)).enumerate() {
        let (what, why) = match &s.judgement {
            Judgement::Vacuous(why) => ("VACUOUS", why),
            Judgement::Slower(why) => ("SLOWER", why),
            Judgement::Broken(why) => ("BROKEN", why),
            Judgement::Nondeterministic(why) => ("NONDETERMINISTIC", why),
            Judgement::Held | Judgement::NotJudged => continue,
        };
        let first = by_scenario.get(s.name.as_str());
        let oracle = first.map_or(String::new(), |f| format!(" {}", rule(f)));
        let unexpected = s.seeds - s.outcomes.get(&RunOutcome::Pass).copied().unwrap_or(0);
        let share = match s.kind {
            Kind::Promise | Kind::Selftest if unexpected > 0 => {
                format!(" ({unexpected} of {} runs)", s.seeds)
            }
            _ => String::new(),
        };
        let line = format!("{what} {}{oracle}{share}: {why}", s.name);
        out.push('\n');
        if n < NAMED {
            out.push_str(&fill(&line, width));
            if let Some(first) = first {
                out.push_str(&format!("\n  replay: {}", first.replay));
            }
        } else {
            out.push_str(&cut(&line, width));
        }
    }
    if out.is_empty() { out } else { out + "\n" }
}

/// Returns the broken oracle, or the outcome.
fn rule(failure: &FailureRef) -> &str {
    failure.oracle.as_deref().unwrap_or(match failure.outcome {
        RunOutcome::Pass => "did not show",
        RunOutcome::Fail => "no oracle",
        RunOutcome::Nondeterministic => "differs",
        RunOutcome::Crash => "crash",
        RunOutcome::Hang => "hang",
        RunOutcome::Error => "error",
    })
}

fn count(n: u64, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// Breaks `text` into lines of at most `width` characters, at spaces only; all but the first are indented.
pub fn fill(text: &str, width: usize) -> String {
    let mut out = String::new();
    let mut used = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if used > 0 && used + 1 + length > width {
            out.push_str("\n  ");
            used = 2;
        } else if used > 0 {
            out.push(' ');
            used += 1;
        }
        out.push_str(word);
        used += length;
    }
    out
}

/// Returns the beginning of `text`, as much as fits in a line.
fn cut(text: &str, width: usize) -> String {
    match text.char_indices().nth(width.saturating_sub(1)) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use sleet::{seed::Seed, trace::Digest};

    use super::*;

    fn scenario(name: &str, kind: Kind, judgement: Judgement) -> ScenarioSummary {
        ScenarioSummary {
            name: name.to_owned(),
            kind,
            seeds: 100,
            outcomes: [(RunOutcome::Pass, 90), (RunOutcome::Fail, 10)].into(),
            marks: BTreeMap::new(),
            known: 0,
            stats: BTreeMap::new(),
            judgement,
            shown_by: None,
            orders: None,
        }
    }

    fn summary(scenarios: Vec<ScenarioSummary>) -> Summary {
        let why = "alice lost the candidate host 10.2.0.1:50005, which came long before the description that it belongs to";
        let failure = |s: &ScenarioSummary| FailureRef {
            scenario: s.name.clone(),
            seed: Seed(7),
            outcome: RunOutcome::Fail,
            oracle: Some("CONN-01".into()),
            why: Some(why.into()),
            replay: format!("./sim replay {}@7", s.name),
        };
        Summary {
            v: 1,
            failures: scenarios.iter().filter(|s| is_broken(s)).map(failure).collect(),
            scenarios,
            remedies: Vec::new(),
            mistakes: Vec::new(),
            matrices: Vec::new(),
            digest: Digest::of(b"all"),
        }
    }

    #[test]
    fn a_catalogue_of_two_hundred_scenarios_is_one_screen() {
        let mut scenarios = Vec::new();
        for family in 0..16 {
            for n in 0..12 {
                let kind = [Kind::Promise, Kind::Demonstration, Kind::Finding][n % 3];
                scenarios.push(scenario(&format!("family-{family}/{n}"), kind, Judgement::Held));
            }
        }
        scenarios[0].known = 3;
        let text = text(&summary(scenarios), 100);
        assert!(text.lines().count() < 30, "{text}");
        assert!(
            text.contains("| family-3  |        12 | 1200 |           4/4 |"),
            "{text}"
        );
        assert!(text.contains("as they must: family-0/0 (3 of 100)."), "{text}");
        assert!(
            text.contains("everything held: 19200 runs of 192 scenarios"),
            "{text}"
        );
    }

    #[test]
    fn what_broke_is_named_with_its_replay_line_and_never_wider_than_the_screen() {
        let broken = |n: usize| {
            let why = format!(
                "seed 7: {}",
                "it went wrong in a way that takes many words to say ".repeat(n)
            );
            scenario(&format!("a/{n}"), Kind::Promise, Judgement::Broken(why))
        };
        let mut scenarios: Vec<ScenarioSummary> = (1..9).map(broken).collect();
        scenarios.push(scenario("a/not", Kind::Promise, Judgement::NotJudged));
        let text = text(&summary(scenarios), 100);
        assert_eq!(text.matches("BROKEN a/").count(), 8, "{text}");
        assert_eq!(text.matches("  replay: ./sim replay a/").count(), NAMED, "{text}");
        assert!(
            text.contains("BROKEN a/1 CONN-01 (10 of 100 runs): seed 7: it went"),
            "{text}"
        );
        assert!(
            text.contains("8 scenarios are not as they must be: 900 runs of 9 scenarios"),
            "{text}"
        );
        for line in text.lines() {
            assert!(line.chars().count() <= 100, "{line}");
        }
    }
}
