//! The rule against import cycles between files of a package.
//!
//! A parent module lists the files below it, and those use what the parent defines. So a parent's import from below it
//! is not counted; every other import is.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Finding,
    source::{Source, Sources},
};

const RULE: &str = "circles";
/// By file, the files from which it imports, each with the first imported name.
type Arrows<'a> = BTreeMap<&'a str, BTreeMap<&'a str, String>>;

/// Returns the cycles of each package.
pub fn check(sources: &Sources) -> Vec<Finding> {
    let arrows = arrows(sources);
    let finding = |circle: &Vec<&str>| {
        let what = format!("files import each other in a circle: {}", told(&arrows, circle));
        Finding::new(RULE, circle[0], 0, what)
    };
    circles(&arrows).iter().map(finding).collect()
}

/// Describes the imports of a cycle.
fn told(arrows: &Arrows<'_>, circle: &[&str]) -> String {
    let tie = |from: &str| {
        let within = arrows.get(from).into_iter().flatten();
        let within = within.filter(|(to, _)| circle.contains(to));
        within
            .map(|(to, name)| format!("{from} takes {name} from {to}"))
            .collect::<Vec<_>>()
    };
    circle
        .iter()
        .flat_map(|from| tie(from))
        .collect::<Vec<_>>()
        .join("; ")
}

/// Returns the imports between files.
fn arrows(sources: &Sources) -> Arrows<'_> {
    let by_module: BTreeMap<(&str, &[String]), &Source> = sources
        .iter()
        .filter(|s| !s.is_test)
        .map(|s| ((s.package.as_str(), s.module.as_slice()), s))
        .collect();
    let mut arrows = Arrows::new();
    for source in by_module.values() {
        let targets = arrows.entry(source.path.as_str()).or_default();
        for import in &source.imports {
            let Some(target) = defines(&by_module, &source.package, &import.path) else {
                continue;
            };
            let is_below = target.module.starts_with(&source.module);
            if target.path != source.path && !is_below {
                targets
                    .entry(target.path.as_str())
                    .or_insert_with(|| import.path.join("::"));
            }
        }
    }
    arrows
}

/// Returns the file that defines the item at `path`.
fn defines<'a>(
    by_module: &BTreeMap<(&str, &[String]), &'a Source>,
    package: &str,
    path: &[String],
) -> Option<&'a Source> {
    let mut path = path.to_vec();
    // A name is re-exported a few times at most; a cycle of re-exports does not compile.
    for _ in 0..8 {
        let (source, depth) = (0..=path.len())
            .rev()
            .find_map(|n| by_module.get(&(package, &path[..n])).map(|s| (*s, n)))?;
        match path.get(depth).and_then(|name| source.passes_on.get(name)) {
            Some(onward) => path = [onward.clone(), path[depth + 1..].to_vec()].concat(),
            None => return Some(source),
        }
    }
    None
}

/// Returns the sets of more than one file that reach each other, each sorted.
fn circles<'a>(arrows: &Arrows<'a>) -> Vec<Vec<&'a str>> {
    let reach: BTreeMap<&str, BTreeSet<&str>> =
        arrows.keys().map(|file| (*file, reached(arrows, file))).collect();
    let mut circles: Vec<Vec<&str>> = Vec::new();
    for (file, from_here) in &reach {
        let circle: Vec<&str> = from_here
            .iter()
            .filter(|other| reach.get(*other).is_some_and(|back| back.contains(file)))
            .copied()
            .collect();
        if circle.len() > 1 && !circles.contains(&circle) {
            circles.push(circle);
        }
    }
    circles
}

/// Returns the files that `from` reaches, by one import or more.
fn reached<'a>(arrows: &Arrows<'a>, from: &str) -> BTreeSet<&'a str> {
    let mut seen = BTreeSet::new();
    let mut next: Vec<&str> = arrows
        .get(from)
        .into_iter()
        .flat_map(BTreeMap::keys)
        .copied()
        .collect();
    while let Some(file) = next.pop() {
        if seen.insert(file) {
            next.extend(arrows.get(file).into_iter().flat_map(BTreeMap::keys));
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::{source::sources, tree::Tree};

    fn found(files: &[(&str, &str)]) -> Vec<String> {
        let findings = check(&sources(&Tree::of(files)));
        findings.into_iter().map(|f| f.what).collect()
    }

    #[test]
    fn a_circle_is_found_whatever_its_length() {
        let files = [
            ("p/src/a.rs", "//! Doc\nuse crate::b::B;\n"),
            ("p/src/b.rs", "//! Doc\nfn b() { crate::c::c() }\n"),
            ("p/src/c.rs", "//! Doc\nuse super::a;\n"),
            ("p/src/d.rs", "//! Doc\nuse crate::a::A;\n"),
        ];
        let wanted = "files import each other in a circle: p/src/a.rs takes b::B from p/src/b.rs; \
                      p/src/b.rs takes c::c from p/src/c.rs; p/src/c.rs takes a from p/src/a.rs";
        assert_eq!(found(&files), [wanted]);
    }

    #[test]
    fn a_name_that_is_passed_on_leads_to_the_file_that_defines_it() {
        let files = [
            ("p/src/m/mod.rs", "//! Doc\nmod x;\nmod y;\npub use x::X;\n"),
            ("p/src/m/x.rs", "//! Doc\nuse super::y::Y;\n"),
            ("p/src/m/y.rs", "//! Doc\nuse crate::m::X;\n"),
        ];
        let wanted = "files import each other in a circle: p/src/m/x.rs takes m::y::Y from p/src/m/y.rs; \
                      p/src/m/y.rs takes m::X from p/src/m/x.rs";
        assert_eq!(found(&files), [wanted]);
    }

    #[test]
    fn a_parent_may_list_what_is_below_it() {
        let files = [
            ("p/src/m/mod.rs", "//! Doc\nmod x;\nuse x::X;\npub struct M;\n"),
            ("p/src/m/x.rs", "//! Doc\nuse super::M;\n"),
        ];
        assert_eq!(found(&files), [""; 0]);
    }

    #[test]
    fn packages_are_told_apart() {
        let files = [
            ("p/src/a.rs", "//! Doc\nuse crate::b::B;\n"),
            ("q/src/b.rs", "//! Doc\nuse crate::a::A;\n"),
        ];
        assert_eq!(found(&files), [""; 0]);
    }
}
