//! The page of all kinds of fault, made from the registered kinds alone.

use sleet::fault::KindId;

const INTRODUCTION: &str = r#"# Faults

Every kind of fault that a plan can hold, as `list --faults` prints it. A fault of a plan is

```json
{"id": 1, "target": TARGET, "kind": {"KIND": {PARAMETERS}}, "from_ms": 600, "until_ms": 5000}
```

`id` is a number of its own, 1 at least, by which the trace calls it. Times are milliseconds since the beginning of the run.
A plan with a fault that cannot hit its world is refused, and the swarm draws none there. A mark is counted where a fault
strikes something, not where it begins.
"#;

/// Returns the page: effects, targets, limits and marks of all kinds.
pub fn page() -> String {
    let mut page = INTRODUCTION.to_owned();
    for kind in KindId::ALL {
        let spec = kind.spec();
        let parameters = match spec.parameters {
            "" => "none",
            parameters => parameters,
        };
        let marks: Vec<String> = spec.marks.iter().map(|mark| format!("`{mark}`")).collect();
        let (befalls, schema) = (spec.befalls.describe(), spec.befalls.schema());
        page.push_str(&format!("\n## `{}`\n\n{}\n\n", spec.name, spec.about));
        page.push_str(&format!("- Befalls {befalls}: `{schema}`\n"));
        page.push_str(&format!("- Parameters: {parameters}\n"));
        page.push_str(&format!("- Lasts: {}\n", spec.span.describe()));
        page.push_str(&format!("- Mark: {}\n", marks.join(", ")));
    }
    page
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_page_in_the_documentation_is_true() {
        let written = include_str!("../../docs/faults.md");
        assert_eq!(
            written,
            super::page(),
            "write docs/faults.md anew: list --faults > docs/faults.md"
        );
    }
}
