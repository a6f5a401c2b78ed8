//! Reads what callgrind writes: how many instructions each function took itself, by who had called it.
//!
//! The format is described in valgrind's manual, "Callgrind Format Specification". Only what `callgrind` writes without
//! compression is read.

use std::collections::BTreeMap;

/// Instructions by function, without those of the functions that it calls. A function that callgrind was told to keep apart
/// by its callers (`--separate-callers`) is named with them: `malloc'reserve'push'sleet::trace::Recorder::record`.
pub type ByFunction = BTreeMap<String, i64>;

/// The function itself, without its callers.
pub fn function(chain: &str) -> &str {
    chain.split('\'').next().unwrap_or(chain)
}

/// The function and its callers, nearest first. A number is no name: callgrind counts recursions so.
pub fn chain(chain: &str) -> impl Iterator<Item = &str> {
    let names = chain.split('\'');
    names.filter(|name| !name.chars().all(|c| c.is_ascii_digit()))
}

/// The costs in the text of a `callgrind.out` file.
pub fn self_costs(text: &str) -> ByFunction {
    let mut costs = ByFunction::new();
    let mut function = "";
    let mut is_of_a_call = false;
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("fn=") {
            function = name;
        } else if line.starts_with("calls=") {
            // The next line is what the call took, all in all.
            is_of_a_call = true;
        } else if line.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '*'))
            && !std::mem::take(&mut is_of_a_call)
            && let Some(cost) = line.split_whitespace().nth(1).and_then(|c| c.parse::<i64>().ok())
        {
            match costs.get_mut(function) {
                Some(sum) => *sum += cost,
                None => drop(costs.insert(function.to_owned(), cost)),
            }
        }
    }
    costs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_is_named_with_its_callers() {
        let name = "_int_malloc'malloc'2'<alloc::vec::Vec<T,A>>::reserve'sleet::trace::Recorder::record";
        assert_eq!(function(name), "_int_malloc");
        assert_eq!(
            chain(name).collect::<Vec<_>>(),
            [
                "_int_malloc",
                "malloc",
                "<alloc::vec::Vec<T,A>>::reserve",
                "sleet::trace::Recorder::record"
            ]
        );
        assert_eq!(function("main"), "main");
    }

    #[test]
    fn what_a_call_took_is_not_counted_twice() {
        let text = "events: Ir\nfl=a.rs\nfn=f\n10 5\n11 7\ncfn=g\ncalls=1 20\n12 100\n13 1\nfn=g\n20 60\n+1 40\n\ntotals: 213\n";
        let costs = self_costs(text);
        assert_eq!((costs["f"], costs["g"]), (13, 100));
    }
}
