//! The rule that links in Markdown resolve, and that every page of docs/ that any file names exists.

use super::{Finding, markdown, tree::Tree};

const RULE: &str = "links";
/// The folder of files that name missing pages on purpose.
const EXAMPLES: &str = "xtask/src/tidy/";

/// Pages that are being written, and may be named before they exist.
const COMING: &[&str] = &[];

/// Treats the pages that are being written as existing ones.
pub fn expect_what_is_coming(tree: &mut Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for page in COMING {
        if tree.has(page) {
            let what = "is written: take it off the list of pages that are coming";
            findings.push(Finding::new(RULE, page, 0, what).warning());
        }
        tree.expect(page);
    }
    findings
}

/// Returns links and names of pages that do not resolve.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.ending(".md") {
        for link in markdown::links(text) {
            if let Some(what) = dangling(tree, path, &link.to) {
                findings.push(Finding::new(RULE, path, link.line, what));
            }
        }
    }
    for (path, text) in tree.files().filter(|(path, _)| !path.starts_with(EXAMPLES)) {
        for (n, line) in text.lines().enumerate() {
            findings.extend(
                named_pages(line)
                    .filter(|page| !tree.begins_a_path(page))
                    .map(|page| {
                        Finding::new(RULE, path, n + 1, format!("names {page}, which does not exist"))
                    }),
            );
        }
    }
    findings
}

/// Returns what is wrong with a link of the page `from` to `to`.
pub fn dangling(tree: &Tree, from: &str, to: &str) -> Option<String> {
    if to.contains("://") || to.starts_with("mailto:") {
        return None;
    }
    let (file, anchor) = to
        .split_once('#')
        .map_or((to, None), |(file, anchor)| (file, Some(anchor)));
    let target = if file.is_empty() {
        from.to_owned()
    } else {
        joined(from, file)
    };
    if !tree.has(&target) {
        return Some(format!("links to {to}: there is no {target}"));
    }
    let anchor = anchor?;
    let anchors = markdown::anchors(tree.text(&target)?);
    (!anchors.contains(anchor)).then(|| format!("links to {to}: {target} has no heading for #{anchor}"))
}

/// Resolves `to` relative to the page `from`.
fn joined(from: &str, to: &str) -> String {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in to.split('/') {
        match part {
            ".." => drop(parts.pop()),
            "." | "" => {}
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// Iterates over the paths below docs/ that a line names, without anchors. The start of a path names every file that
/// begins with it.
fn named_pages(line: &str) -> impl Iterator<Item = &str> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    line.match_indices("docs/").filter_map(move |(at, _)| {
        // The docs/ of a longer path belongs to another folder.
        if line[..at].ends_with(is_part) {
            return None;
        }
        let rest = &line[at..];
        let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        Some(rest[..end].trim_end_matches(['.', '-']))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(files: &[(&str, &str)]) -> Vec<(String, usize)> {
        let findings = check(&Tree::of(files));
        findings.into_iter().map(|f| (f.file, f.line)).collect()
    }

    #[test]
    fn a_link_leads_to_a_file_and_to_a_heading_of_it() {
        let page = ("docs/b.md", "# B\n\n## One `two`\n");
        let good = "[b](docs/b.md) [one](docs/b.md#one-two) [up](#top) [d](docs) [w](https://example.org/x.md)\n\n# Top\n";
        assert_eq!(found(&[("a.md", good), page]), []);
        let bad = "[b](b.md)\n\n[one](docs/b.md#one) [up](#down)\n";
        let wanted = [1, 3, 3].map(|line| ("a.md".to_owned(), line));
        assert_eq!(found(&[("a.md", bad), page]), wanted);
    }

    #[test]
    fn a_link_is_read_from_where_its_page_is() {
        let pages = [
            ("docs/x/a.md", "[b](../b.md)\n"),
            ("docs/b.md", "[a](x/a.md) [r](../R.md)\n"),
            ("R.md", ""),
        ];
        assert_eq!(found(&pages), []);
    }

    #[test]
    fn a_page_that_code_names_exists() {
        let code =
            "//! See docs/b.md, docs/find/0001 to 0003 and (docs/find/).\n// my-docs/c.md is none of ours.\n";
        let pages = [("docs/b.md", ""), ("docs/find/0001-x.md", "")];
        assert_eq!(found(&[("a.rs", code), pages[0], pages[1]]), []);
        let dangling = found(&[("a.rs", code), pages[0]]);
        assert_eq!(dangling, [("a.rs".to_owned(), 1), ("a.rs".to_owned(), 1)]);
    }

    #[test]
    fn a_picture_can_be_linked_to_and_named() {
        let page = [("a.md", "![a](docs/a.png) and docs/a.png\n")];
        assert_eq!(check(&Tree::of(&page).and_picture("docs/a.png")), []);
        assert_eq!(check(&Tree::of(&page)).len(), 3);
    }
}
