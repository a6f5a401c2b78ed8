//! The rule that `unsafe` occurs only where the clock and the entropy of the process are intercepted.

use super::{Finding, source::Sources};

/// The folder in which `unsafe` is allowed.
const ALLOWED: &str = "harness/src/ambient/";

/// Returns uses of the word `unsafe` elsewhere: in blocks, functions, attributes, and inside macros.
pub fn check(sources: &Sources) -> Vec<Finding> {
    let elsewhere = sources.iter().filter(|s| !s.path.starts_with(ALLOWED));
    elsewhere
        .flat_map(|source| {
            let found = |line: &usize| {
                let what = format!("`unsafe` outside {ALLOWED}");
                Finding::new("unsafe", &source.path, *line, what)
            };
            source.unsafe_lines.iter().map(found)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::{source::sources, tree::Tree};

    #[test]
    fn every_form_of_the_word_is_found_and_comments_are_not() {
        let code = "//! unsafe\nfn a() { unsafe { b() } }\nunsafe fn b() {}\n#[unsafe(no_mangle)]\nfn c() {}\n\
                    fn d() { call!(unsafe { b() }); }\nconst S: &str = \"unsafe\";\n";
        let tree = Tree::of(&[("p/src/lib.rs", code), ("harness/src/ambient/mod.rs", code)]);
        let lines: Vec<usize> = check(&sources(&tree)).iter().map(|f| f.line).collect();
        assert_eq!(lines, [2, 3, 4, 6]);
    }
}
