//! The parts of a Markdown page that rules need: its anchors, its links, one of its sections.

use std::collections::{BTreeMap, BTreeSet};

use pulldown_cmark::{Event, LinkType, Options, Parser, Tag, TagEnd};

/// A link of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The target, as written.
    pub to: String,
    /// The line number.
    pub line: usize,
}

/// Returns the anchors of the headings of `page`, as code hosts make them.
pub fn anchors(page: &str) -> BTreeSet<String> {
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    let mut anchors = BTreeSet::new();
    let mut heading: Option<String> = None;
    for event in Parser::new_ext(page, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::Text(text) | Event::Code(text) => heading.iter_mut().for_each(|h| h.push_str(&text)),
            Event::End(TagEnd::Heading(_)) => {
                let slug = slug(&heading.take().unwrap_or_default());
                let n = times.entry(slug.clone()).or_default();
                anchors.insert(match *n {
                    0 => slug,
                    n => format!("{slug}-{n}"),
                });
                *n += 1;
            }
            _ => {}
        }
    }
    anchors
}

/// Returns the anchor of a heading.
fn slug(heading: &str) -> String {
    let kept = |c: char| match c {
        ' ' => Some('-'),
        c if c.is_alphanumeric() || c == '-' || c == '_' => Some(c),
        _ => None,
    };
    heading.to_lowercase().chars().filter_map(kept).collect()
}

/// Returns the links and images of `page`, in order. A reference without a definition has the target `[reference]`.
pub fn links(page: &str) -> Vec<Link> {
    let undefined = |link: pulldown_cmark::BrokenLink<'_>| {
        // `[word]` alone is usually not a link.
        (link.link_type == LinkType::Reference).then(|| (format!("[{}]", link.reference).into(), "".into()))
    };
    let parser = Parser::new_with_broken_link_callback(page, Options::ENABLE_TABLES, Some(undefined));
    let link = |(event, span): (Event<'_>, std::ops::Range<usize>)| match event {
        Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => Some(Link {
            to: dest_url.to_string(),
            line: page[..span.start].matches('\n').count() + 1,
        }),
        _ => None,
    };
    parser.into_offset_iter().filter_map(link).collect()
}

/// Returns the text below the heading `heading` of `page`, up to the next heading of its level; empty without one.
pub fn section<'a>(page: &'a str, heading: &str) -> &'a str {
    let title = |line: &str| line.trim_start_matches('#').trim() == heading && line.starts_with('#');
    let mut start = None;
    let mut at = 0;
    for line in page.split_inclusive('\n') {
        match start {
            None if title(line) => start = Some(at + line.len()),
            Some(start) if line.starts_with("# ") || line.starts_with("## ") => return &page[start..at],
            _ => {}
        }
        at += line.len();
    }
    start.map_or("", |start| &page[start..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anchors_are_made_as_code_hosts_make_them() {
        let page =
            "# A: lost `candidates`\n\n## 1. Hangup, early\n\n```\n# no heading\n```\n\n## Again\n## Again\n";
        let anchors = anchors(page);
        let wanted = ["1-hangup-early", "a-lost-candidates", "again", "again-1"];
        assert!(anchors.iter().eq(wanted), "{anchors:?}");
    }

    #[test]
    fn links_are_found_with_their_lines_and_code_has_none() {
        let page = "[a](b.md)\n\n`[x](y.md)` and ![i](c.png)\n\n[text][none]\n";
        let found: Vec<(String, usize)> = links(page).into_iter().map(|l| (l.to, l.line)).collect();
        let wanted = [("b.md", 1), ("c.png", 3), ("[none]", 5)].map(|(to, line)| (to.to_owned(), line));
        assert_eq!(found, wanted);
    }

    #[test]
    fn a_section_ends_at_the_next_of_its_level() {
        let page = "# T\n## A\none\n### a\ntwo\n## B\nthree\n";
        assert_eq!(section(page, "A"), "one\n### a\ntwo\n");
        assert_eq!(section(page, "B"), "three\n");
        assert_eq!(section(page, "C"), "");
    }
}
