//! The rule for the layers of the harness: a module imports only from modules above it in ARCHITECTURE.md's table.
//!
//! The table is read from the page, so that page and code cannot drift apart. Within a row, modules to the left are
//! above.

use std::collections::BTreeSet;

use super::{Finding, markdown, source::Sources, tree::Tree};

const RULE: &str = "layers";
const PAGE: &str = "ARCHITECTURE.md";
const HEADING: &str = "Layers of the harness";
/// The package with layers.
const PACKAGE: &str = "harness/src/";
/// Upward imports that are allowed: the importing file, the module, and the reason.
const ALLOWED: &[(&str, &str, &str)] = &[];

/// Returns upward imports, and modules that are missing in the table.
pub fn check(tree: &Tree, sources: &Sources) -> Vec<Finding> {
    check_except(tree, sources, ALLOWED)
}

fn check_except(tree: &Tree, sources: &Sources, allowed: &[(&str, &str, &str)]) -> Vec<Finding> {
    let table = table(tree.text(PAGE).unwrap_or_default());
    let rank = |module: &str| table.iter().position(|m| m == module);
    let mut findings = Vec::new();
    let mut unknown = BTreeSet::new();
    let mut needed = vec![false; allowed.len()];
    for source in sources.iter().filter(|s| s.package == PACKAGE && !s.is_test) {
        let Some(own) = source.module.first() else {
            continue;
        };
        let Some(own_rank) = rank(own) else {
            if unknown.insert(own) {
                let what = format!("`{own}` is in no row of the table '{HEADING}' of {PAGE}");
                findings.push(Finding::new(RULE, &source.path, 0, what));
            }
            continue;
        };
        for import in &source.imports {
            let Some(other) = import.path.first() else {
                continue;
            };
            // A module that is missing in the table is reported where it is defined, or is no module.
            if rank(other).is_none_or(|other_rank| other_rank <= own_rank) {
                continue;
            }
            let exception = allowed
                .iter()
                .position(|(file, module, _)| *file == source.path && module == other);
            match exception {
                Some(n) => needed[n] = true,
                None => {
                    let what = format!(
                        "`{own}` takes `{}`, and `{other}` is below it in the table of {PAGE}",
                        import.path.join("::")
                    );
                    findings.push(Finding::new(RULE, &source.path, import.line, what));
                }
            }
        }
    }
    for ((file, module, _), _) in allowed.iter().zip(&needed).filter(|(_, needed)| !**needed) {
        let what = format!("may import `{module}`, and does not: take it off the list");
        findings.push(Finding::new(RULE, file, 0, what).warning());
    }
    findings
}

/// Returns the modules of the table, from the top.
fn table(page: &str) -> Vec<String> {
    let section = markdown::section(page, HEADING);
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    rows.flat_map(|row| {
        let modules = row.split('|').nth(1).unwrap_or_default();
        modules
            .split('`')
            .skip(1)
            .step_by(2)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::source::sources;

    const TABLE: &str = "# A\n\n## Layers of the harness\n\n| modules | what |\n|---|---|\n| `time`, `seed` | x |\n\
                         | `net` | `run` plays no part here |\n\n## B\n\n| `after` | x |\n";

    fn found(files: &[(&str, &str)], allowed: &[(&str, &str, &str)]) -> Vec<(String, usize)> {
        let mut all = vec![("ARCHITECTURE.md", TABLE)];
        all.extend(files);
        let tree = Tree::of(&all);
        let findings = check_except(&tree, &sources(&tree), allowed);
        findings.into_iter().map(|f| (f.file, f.line)).collect()
    }

    #[test]
    fn the_table_is_read_from_the_page() {
        assert_eq!(table(TABLE), ["time", "seed", "net"]);
    }

    #[test]
    fn an_import_from_below_is_found_and_one_from_above_is_not() {
        let files = [
            (
                "harness/src/net/mod.rs",
                "//! Doc\nuse crate::{seed::Seed, time};\n",
            ),
            (
                "harness/src/seed.rs",
                "//! Doc\nuse crate::time::SimTime;\nfn f() { crate::net::link(); }\n",
            ),
            ("harness/src/time.rs", "//! Doc\nuse super::seed::Seed;\n"),
            ("other/src/time.rs", "//! Doc\nuse crate::net::Net;\n"),
        ];
        let wanted = [("harness/src/seed.rs", 3), ("harness/src/time.rs", 2)].map(|(f, l)| (f.to_owned(), l));
        assert_eq!(found(&files, &[]), wanted);
    }

    #[test]
    fn a_module_that_is_in_no_row_is_found() {
        let files = [
            ("harness/src/new/a.rs", "//! Doc\n"),
            ("harness/src/new/mod.rs", "//! Doc\n"),
            ("harness/src/lib.rs", "//! Doc\n"),
        ];
        assert_eq!(found(&files, &[]), [("harness/src/new/a.rs".to_owned(), 0)]);
    }

    #[test]
    fn an_exception_covers_one_file_and_ends_when_it_is_not_needed() {
        let up = ("harness/src/seed.rs", "//! Doc\nuse crate::net::Net;\n");
        let allowed = [("harness/src/seed.rs", "net", "a reason")];
        assert_eq!(found(&[up], &allowed), []);
        let mended = ("harness/src/seed.rs", "//! Doc\n");
        assert_eq!(
            found(&[mended], &allowed),
            [("harness/src/seed.rs".to_owned(), 0)]
        );
    }
}
