//! The rule for citations of oracles and scenarios: a section of an RFC or of a W3C specification, or a page of this
//! repository.
//!
//! A page is looked up, with its anchor. A section is checked by its form: nothing here fetches a standard.
//!
//! ```text
//! RFC 8445 section 7.3.1.4          RFC 8445 sections 8.1.1 and 8.1.2, a few words
//! W3C webrtc-pc section 4.4.2, close
//! docs/stories.md#a-lost-candidates
//! ```

use sleet::oracle;

use super::{Finding, links, tree::Tree};

const RULE: &str = "citations";

/// Returns the citations of oracles and scenarios that do not resolve.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for oracle in oracle::ALL {
        let cited = oracle.source.split("; ");
        findings.extend(judged(tree, "harness/src/oracle", oracle.id, cited));
    }
    for scenario in sleet_scenarios::catalogue() {
        let cited = scenario.sources.iter().map(String::as_str);
        findings.extend(judged(tree, "scenarios/src", &scenario.name, cited));
    }
    findings
}

fn judged<'a>(tree: &Tree, file: &str, name: &str, cited: impl Iterator<Item = &'a str>) -> Vec<Finding> {
    let wrong = cited.filter_map(|citation| wrong(tree, citation));
    wrong
        .map(|what| Finding::new(RULE, file, 0, format!("{name}: {what}")))
        .collect()
}

/// Returns what is wrong with a citation.
fn wrong(tree: &Tree, citation: &str) -> Option<String> {
    let standard = citation
        .strip_prefix("RFC ")
        .and_then(|rest| rest.split_once(' '))
        .filter(|(number, _)| is_number(number))
        .or_else(|| {
            citation
                .strip_prefix("W3C ")
                .and_then(|rest| rest.split_once(' '))
        });
    match standard {
        Some((_, sections)) if are_sections(sections) => None,
        Some(_) => Some(format!(
            "'{citation}' does not say which section, as in 'RFC 8445 section 7.3.1.4'"
        )),
        None if citation.starts_with("RFC ") || citation.starts_with("W3C ") => Some(format!(
            "'{citation}' has no section, as in 'RFC 8445 section 7.3.1.4'"
        )),
        None if citation.ends_with(".md") || citation.contains(".md#") => links::dangling(tree, "", citation),
        None => Some(format!(
            "'{citation}' is no RFC, no W3C specification and no page of this repository"
        )),
    }
}

/// Reports whether `text` is `section 1.2` or `sections 1, 2.3 and 4`, with or without words after a comma.
fn are_sections(text: &str) -> bool {
    let (list, is_one) = match (text.strip_prefix("section "), text.strip_prefix("sections ")) {
        (Some(list), _) => (list, true),
        (_, Some(list)) => (list, false),
        _ => return false,
    };
    let list = list.replace(" and ", ", ");
    let mut parts = list.split(", ");
    let numbers = parts
        .by_ref()
        .take_while(|part| part.split('.').all(is_number))
        .count();
    numbers > 0 && (numbers == 1) == is_one && !list.ends_with(", ")
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_citation_names_a_section_or_a_page_that_exists() {
        let tree = Tree::of(&[("docs/stories.md", "# S\n\n## A: lost candidates\n")]);
        for good in [
            "RFC 8445 section 9",
            "RFC 8445 section 6.1.2.5, at most 100 pairs",
            "RFC 8445 sections 8.1.1 and 8.1.2",
            "RFC 4787 sections 4, 5 and 6, words",
            "W3C webrtc-pc section 4.4.2, close",
            "docs/stories.md",
            "docs/stories.md#a-lost-candidates",
        ] {
            assert_eq!(wrong(&tree, good), None, "{good}");
        }
        for bad in [
            "RFC 8445",
            "RFC 8445 section",
            "RFC 8445 sections 9",
            "RFC 8445 section 8.1.1 and 8.1.2",
            "RFC x section 9",
            "RFC 8445 9",
            "W3C webrtc-pc 4.4.2",
            "docs/stories.md#b",
            "docs/none.md",
            "a talk with a friend",
        ] {
            assert!(wrong(&tree, bad).is_some(), "{bad}");
        }
    }

    #[test]
    fn the_catalogue_and_the_oracles_are_looked_at() {
        let findings = check(&Tree::default());
        let of = |name: &str| findings.iter().any(|f| f.what.starts_with(name));
        assert!(
            of("CAND-01: ") && of("candidates/naive: "),
            "in a tree without pages they dangle"
        );
    }
}
