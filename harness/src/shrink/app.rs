//! Shrinks the section of a plan that belongs to the app under test: removes entries of its lists and members of its
//! objects, and makes its numbers smaller.
//!
//! Nothing here knows what they mean. If the app needs an element, its run fails in another way, and the attempt is
//! given up; so an app should read its section with defaults.

use serde_json::Value;

use super::item::{Gone, Item};
use crate::fault::Plan;

/// The longest text of a value in an element's description, in characters.
const LONGEST: usize = 60;

/// The path of a value within the section: keys and indices, from outside in.
type Path = Vec<Key>;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Key {
    Member(String),
    Entry(usize),
}

/// Returns every member and every entry, at any depth, in the order of the text.
pub(super) fn parts(plan: &Plan) -> Vec<Item> {
    let item = |(item, (path, value)): (usize, (Path, &Value))| Item {
        item,
        path: format!("app{}", written(&path)),
        description: format!("app{}: {}", named(&path), short(value)),
    };
    all(&plan.app).into_iter().enumerate().map(item).collect()
}

/// Removes parts, by their numbers in [`parts`].
pub(super) fn remove_parts(plan: &mut Plan, gone: &Gone) {
    let paths: Vec<Path> = all(&plan.app).into_iter().map(|(path, _)| path).collect();
    // The last comes first, so that earlier ones keep their place.
    for path in gone.iter().rev().map(|item| &paths[*item]) {
        let Some((last, parent)) = path.split_last() else {
            continue;
        };
        match (at_mut(&mut plan.app, parent), last) {
            (Some(Value::Object(members)), Key::Member(name)) => drop(members.remove(name)),
            (Some(Value::Array(entries)), Key::Entry(i)) if *i < entries.len() => drop(entries.remove(*i)),
            // It was removed with its parent.
            _ => {}
        }
    }
}

/// A number of the section.
pub(super) struct Number {
    /// The current value.
    pub value: u64,
    path: Path,
}

impl Number {
    /// Sets the number to `value`.
    pub fn set(&self, plan: &mut Plan, value: u64) {
        if let Some(place) = at_mut(&mut plan.app, &self.path) {
            *place = value.into();
        }
    }
}

/// Returns every number that is whole and not negative.
pub(super) fn numbers(plan: &Plan) -> Vec<Number> {
    let number = |(path, value): (Path, &Value)| {
        Some(Number {
            value: value.as_u64()?,
            path,
        })
    };
    all(&plan.app).into_iter().filter_map(number).collect()
}

fn all(section: &Value) -> Vec<(Path, &Value)> {
    let mut found = Vec::new();
    enter(section, &mut Vec::new(), &mut found);
    found
}

fn enter<'a>(value: &'a Value, path: &mut Path, found: &mut Vec<(Path, &'a Value)>) {
    let children: Vec<(Key, &Value)> = match value {
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| (Key::Member(name.clone()), value))
            .collect(),
        Value::Array(entries) => entries
            .iter()
            .enumerate()
            .map(|(i, value)| (Key::Entry(i), value))
            .collect(),
        _ => Vec::new(),
    };
    for (key, child) in children {
        path.push(key);
        found.push((path.clone(), child));
        enter(child, path, found);
        path.pop();
    }
}

fn at_mut<'a>(section: &'a mut Value, path: &[Key]) -> Option<&'a mut Value> {
    path.iter().try_fold(section, |value, key| match key {
        Key::Member(name) => value.get_mut(name.as_str()),
        Key::Entry(i) => value.get_mut(*i),
    })
}

fn written(path: &[Key]) -> String {
    let key = |key: &Key| match key {
        Key::Member(name) => format!(".{name}"),
        Key::Entry(i) => format!("[{i}]"),
    };
    path.iter().map(key).collect()
}

/// Formats the path without indices, which depend on the other entries.
fn named(path: &[Key]) -> String {
    let key = |key: &Key| match key {
        Key::Member(name) => Some(format!(".{name}")),
        Key::Entry(_) => None,
    };
    path.iter().filter_map(key).collect()
}

fn short(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::net::topology::Topology;

    fn plan() -> Plan {
        Plan {
            app: json!({"disk": {"full_at_ms": 300}, "calls": [{"ring_ms": 5}, {"ring_ms": 7}], "dark": true}),
            ..Plan::new(Topology::default())
        }
    }

    #[test]
    fn every_part_has_a_name_and_can_go_alone() {
        let description: Vec<String> = parts(&plan()).into_iter().map(|i| i.description).collect();
        assert_eq!(
            description,
            [
                r#"app.calls: [{"ring_ms":5},{"ring_ms":7}]"#,
                r#"app.calls: {"ring_ms":5}"#,
                "app.calls.ring_ms: 5",
                r#"app.calls: {"ring_ms":7}"#,
                "app.calls.ring_ms: 7",
                "app.dark: true",
                r#"app.disk: {"full_at_ms":300}"#,
                "app.disk.full_at_ms: 300",
            ]
        );
        let without = |gone: &[usize]| {
            let mut plan = plan();
            remove_parts(&mut plan, &gone.iter().copied().collect());
            plan.app
        };
        assert_eq!(without(&[1, 5, 6]), json!({"calls": [{"ring_ms": 7}]}));
        assert_eq!(without(&[0, 1, 2, 3, 7]), json!({"dark": true, "disk": {}}));
        assert_eq!(without(&[0, 1, 2, 3, 4, 5, 6, 7]), json!({}));
    }

    #[test]
    fn numbers_can_be_smaller() {
        let mut plan = plan();
        let numbers = numbers(&plan);
        assert_eq!(numbers.iter().map(|n| n.value).collect::<Vec<_>>(), [5, 7, 300]);
        numbers[1].set(&mut plan, 1);
        assert_eq!(plan.app["calls"][1]["ring_ms"], 1);
    }
}
