//! The overview of a suite: what held and what broke at a glance, failures by what they broke, every scenario.

use std::fmt::Write as _;

use sleet::{
    run::{
        result::RunOutcome,
        summary::{Judgement, ScenarioSummary},
    },
    scenario::Kind,
};

use super::{
    pill, reality,
    suite::{Suite, grouped, state},
    tables, text,
};
use crate::gather::Group;

/// The number of listed failures of one scenario and oracle.
const LISTED: usize = 10;
/// The number of listed failures in all.
const LISTED_IN_ALL: usize = 300;
/// The number of characters of a reason in a list.
const WHY: usize = 400;

/// Returns the body of the file; `pages` are the failures whose pages are in it.
pub(super) fn body(suite: &Suite<'_>, pages: &[&str]) -> String {
    let sections = [
        ("failures", "Failures", failures(suite, pages)),
        ("scenarios", "Scenarios", scenarios(suite)),
        ("remedies", "Remedies", tables::remedies(suite)),
        ("mistakes", "Mistakes", tables::mistakes(suite)),
        ("matrices", "NATs", tables::matrices(suite)),
        ("coverage", "Coverage", tables::coverage(suite)),
        ("findings", "Findings", tables::findings(suite)),
        ("reality", "Reality", reality::section(suite.reality)),
        ("examples", "Timelines", examples(suite, pages)),
    ];
    let mut out = String::from("<div id=\"overview\"");
    let _ = writeln!(out, " data-title=\"{}\">", text(&suite.title()));
    out.push_str(
        "<header class=\"top\"><a class=\"brand\" href=\"#main\">Sleet</a><nav aria-label=\"Sections\">",
    );
    for (id, name, section) in &sections {
        if !section.is_empty() {
            let _ = write!(out, "<a href=\"#{id}\">{name}</a>");
        }
    }
    out.push_str("</nav></header>\n<main id=\"main\">\n");
    out.push_str(&hero(suite));
    for (id, _, section) in sections {
        if !section.is_empty() {
            let filter = if section.contains("type=\"search\"") {
                " data-filter"
            } else {
                ""
            };
            let _ = writeln!(
                out,
                "<section class=\"block\" id=\"{id}\"{filter}>{section}</section>"
            );
        }
    }
    out.push_str("</main>\n</div>\n");
    out
}

fn hero(suite: &Suite<'_>) -> String {
    let (tone, verdict) = suite.verdict();
    let held = |kind| suite.count(|s| s.kind == kind && s.judgement == Judgement::Held);
    let of = |kind| suite.count(|s| s.kind == kind);
    let broken = suite.count(|s| state(s) == "broken");
    let mut tiles = vec![
        ("", grouped(suite.summary.runs()), "runs".to_owned()),
        (
            "",
            suite.summary.scenarios.len().to_string(),
            "scenarios".to_owned(),
        ),
    ];
    for (kind, name) in [
        (Kind::Promise, "promises held"),
        (Kind::Demonstration, "broken clients caught"),
        (Kind::Finding, "findings shown"),
        (Kind::Selftest, "self-tests held"),
    ] {
        if of(kind) > 0 {
            let tone = if held(kind) == of(kind) { "good" } else { "" };
            tiles.push((tone, format!("{}/{}", held(kind), of(kind)), name.to_owned()));
        }
    }
    if broken > 0 {
        tiles.push(("bad", broken.to_string(), "scenarios broken".to_owned()));
        tiles.push(("bad", grouped(suite.gathered.count()), "failures".to_owned()));
    }
    let vacuous = suite.count(|s| state(s) == "vacuous");
    let not_judged = suite.count(|s| state(s) == "not judged");
    if vacuous > 0 {
        tiles.push(("warn", vacuous.to_string(), "checked nothing".to_owned()));
    }
    if not_judged > 0 {
        tiles.push((
            "warn",
            not_judged.to_string(),
            "not judged: too few seeds".to_owned(),
        ));
    }
    let mut out = format!(
        "<section class=\"block\"><h1 class=\"verdict {tone}\">{}</h1><div class=\"tiles\">",
        text(&verdict)
    );
    for (tone, number, name) in tiles {
        let _ = write!(
            out,
            "<div class=\"tile {tone}\"><b>{number}</b><span>{name}</span></div>"
        );
    }
    let mut about: Vec<String> = suite
        .about
        .iter()
        .map(|(name, value)| format!("{name} <code>{}</code>", text(value)))
        .collect();
    about.push(format!(
        "digest over all runs <code>{}</code>",
        suite.summary.digest
    ));
    let _ = writeln!(
        out,
        "</div><p class=\"about\">{}</p></section>",
        about.join(" · ")
    );
    out
}

fn failures(suite: &Suite<'_>, pages: &[&str]) -> String {
    let groups = suite.gathered.groups();
    if groups.is_empty() {
        return String::new();
    }
    let mut out = String::from(
        "<h2>Failures</h2><p class=\"lead\">By what they broke. A seed with a link has its page in this file.</p>",
    );
    out.push_str(&search("find a scenario, an oracle, a reason…", &[]));
    let mut left = LISTED_IN_ALL;
    for group in &groups {
        out.push_str(&one_group(group, pages, &mut left));
    }
    out
}

fn one_group(group: &Group<'_>, pages: &[&str], left: &mut usize) -> String {
    let mut out = format!(
        "<div class=\"group\"><h3>{} {} failures</h3><p class=\"lead\">{}</p><div class=\"scroll\"><table><thead><tr>\
         <th scope=\"col\">scenario and seed</th><th scope=\"col\">why</th><th scope=\"col\">replay</th></tr></thead><tbody>",
        pill("bad", &group.broke),
        grouped(group.count),
        text(group.meaning)
    );
    for (scenario, count, runs) in &group.scenarios {
        let mut listed = 0;
        for run in runs.iter().take(LISTED.min(*left)) {
            let id = format!("{scenario}@{}", run.seed);
            let why = run.why.as_deref().unwrap_or("no reason was recorded");
            let why: String = why.chars().take(WHY).collect();
            let _ = write!(
                out,
                "<tr data-state=\"broken\"><td>{}</td><td>{}</td><td>{}</td></tr>",
                link(&id, pages),
                text(&why),
                copy(&run.replay)
            );
            listed += 1;
        }
        *left -= listed;
        if *count > listed as u64 {
            let _ = write!(
                out,
                "<tr data-state=\"broken\"><td colspan=\"3\" class=\"soft\">{}: {} more in results.jsonl</td></tr>",
                text(scenario),
                grouped(count - listed as u64)
            );
        }
    }
    out.push_str("</tbody></table></div></div>");
    out
}

/// Lists the expected failures that have a page.
fn examples(suite: &Suite<'_>, pages: &[&str]) -> String {
    let is_failure = |id: &str| {
        suite
            .gathered
            .failures()
            .any(|run| format!("{}@{}", run.scenario, run.seed) == id)
    };
    let rows: Vec<String> = pages
        .iter()
        .filter(|id| !is_failure(id))
        .map(|id| {
            let name = id.rsplit_once('@').map_or(*id, |(name, _)| name);
            let about = suite.gathered.scenario(name).map_or("", |s| s.summary.as_str());
            let trips = suite
                .gathered
                .scenario(name)
                .and_then(|s| s.trips())
                .unwrap_or_default();
            format!(
                "<tr><td>{}</td><td>{}</td><td>{}</td></tr>",
                link(id, pages),
                if trips.is_empty() {
                    String::new()
                } else {
                    pill("note", trips)
                },
                text(about)
            )
        })
        .collect();
    if rows.is_empty() {
        return String::new();
    }
    format!(
        "<h2>Timelines</h2><p class=\"lead\">Broken clients and known findings that failed as they should: the timelines of \
         their first seeds.</p><div class=\"scroll\"><table><thead><tr><th scope=\"col\">run</th><th scope=\"col\">breaks</th>\
         <th scope=\"col\">about</th></tr></thead><tbody>{}</tbody></table></div>",
        rows.concat()
    )
}

fn scenarios(suite: &Suite<'_>) -> String {
    let states = ["held", "broken", "vacuous", "not judged"];
    let present: Vec<&str> = states
        .into_iter()
        .filter(|state| suite.count(|s| self::state(s) == *state) > 0)
        .collect();
    let mut out = String::from("<h2>Scenarios</h2>");
    out.push_str(&search("find a scenario…", &present));
    out.push_str("<div class=\"scroll\"><table data-sort><thead><tr>");
    for (name, class) in [
        ("scenario", ""),
        ("kind", ""),
        ("seeds", "n"),
        ("pass", "n"),
        ("fail", "n"),
        ("judgement", ""),
    ] {
        let _ = write!(out, "<th scope=\"col\" class=\"{class}\">{name}</th>");
    }
    out.push_str("</tr></thead><tbody>");
    for s in &suite.summary.scenarios {
        let pass = s.outcomes.get(&RunOutcome::Pass).copied().unwrap_or(0);
        let about = suite
            .gathered
            .scenario(&s.name)
            .map_or("", |known| known.summary.as_str());
        let (tone, word, why) = judgement(s);
        let _ = writeln!(
            out,
            "<tr data-state=\"{}\"><td>{}<span class=\"sub\">{}</span></td><td>{}</td><td class=\"n\">{}</td>\
             <td class=\"n\">{pass}</td><td class=\"n\">{}</td><td>{} <span class=\"sub\">{}</span></td></tr>",
            state(s),
            text(&s.name),
            text(about),
            s.kind,
            s.seeds,
            s.seeds - pass,
            pill(tone, word),
            text(&why)
        );
    }
    out.push_str("</tbody></table></div>");
    out
}

fn judgement(s: &ScenarioSummary) -> (&'static str, &'static str, String) {
    let shown = || {
        s.shown_by.map_or_else(
            || "not shown".to_owned(),
            |seed| format!("shown, first by seed {seed}"),
        )
    };
    match &s.judgement {
        Judgement::Held => match s.kind {
            Kind::Demonstration => ("good", "caught", shown()),
            Kind::Finding => ("good", "shown", shown()),
            Kind::Promise | Kind::Selftest if s.known > 0 => {
                ("good", "held", format!("{} showed a known defect", s.known))
            }
            Kind::Promise | Kind::Selftest => ("good", "held", String::new()),
        },
        Judgement::NotJudged => ("note", "not judged", "too few seeds".to_owned()),
        Judgement::Vacuous(why) => ("warn", "checked nothing", why.clone()),
        Judgement::Slower(why) => ("bad", "slower", why.clone()),
        Judgement::Broken(why) => ("bad", "broken", why.clone()),
        Judgement::Nondeterministic(why) => ("bad", "nondeterministic", why.clone()),
    }
}

fn search(hint: &str, states: &[&str]) -> String {
    let mut out = format!(
        "<div class=\"bar\"><input type=\"search\" placeholder=\"{hint}  ( / )\" aria-label=\"{hint}\">"
    );
    if states.len() > 1 {
        out.push_str("<button type=\"button\" data-state=\"\" aria-pressed=\"true\">all</button>");
        for state in states {
            let _ = write!(
                out,
                "<button type=\"button\" data-state=\"{state}\" aria-pressed=\"false\">{state}</button>"
            );
        }
    }
    out.push_str("<span class=\"count\" role=\"status\"></span></div>");
    out
}

/// Returns the name of a run, as a link if its page is in the file.
fn link(id: &str, pages: &[&str]) -> String {
    match pages.contains(&id) {
        true => format!("<a href=\"#case/{0}\">{0}</a>", text(id)),
        false => text(id),
    }
}

/// Returns a command with a button that copies it.
fn copy(line: &str) -> String {
    let line = text(line);
    format!(
        "<span class=\"copy\"><code>{line}</code><button type=\"button\" data-copy=\"{line}\" aria-label=\"Copy {line}\">Copy</button></span>"
    )
}
