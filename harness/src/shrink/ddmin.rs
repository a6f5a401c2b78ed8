//! Delta debugging (Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", 2002, section 3.2).
//!
//! It knows only numbers: their meaning, and what a failure is, is up to the caller.

use std::collections::BTreeSet;

/// The elements that are kept, by number.
pub type Kept = BTreeSet<usize>;

/// Finds a small subset of `all` that fails, given that `all` fails.
///
/// `first_failing` gets candidates in order of preference and returns the index of the first that fails. It may give up
/// and return none: the smallest set so far is the result.
pub fn ddmin(all: Kept, first_failing: &mut dyn FnMut(&[Kept]) -> Option<usize>) -> Kept {
    let mut kept = all;
    let nothing = [Kept::new()];
    if kept.is_empty() || first_failing(&nothing).is_some() {
        return Kept::new();
    }
    let mut parts = 2;
    while kept.len() >= 2 {
        let chunks = split(&kept, parts);
        // With two parts a complement is the other part.
        let complements = chunks.iter().filter(|_| chunks.len() > 2);
        let complements = complements.map(|chunk| kept.difference(chunk).copied().collect());
        let candidates: Vec<Kept> = chunks.iter().cloned().chain(complements).collect();
        match first_failing(&candidates) {
            Some(i) if i < chunks.len() => (kept, parts) = (candidates[i].clone(), 2),
            Some(i) => (kept, parts) = (candidates[i].clone(), (chunks.len() - 1).max(2)),
            None if parts >= kept.len() => break,
            None => parts = (parts * 2).min(kept.len()),
        }
    }
    kept
}

/// Removes one element after the other until none can go: `kept` becomes 1-minimal.
pub fn one_by_one(mut kept: Kept, first_failing: &mut dyn FnMut(&[Kept]) -> Option<usize>) -> Kept {
    loop {
        let without = |gone: &usize| kept.iter().copied().filter(|k| k != gone).collect();
        let candidates: Vec<Kept> = kept.iter().rev().map(without).collect();
        match first_failing(&candidates) {
            Some(i) => kept = candidates[i].clone(),
            None => return kept,
        }
    }
}

/// Splits a set into `parts` of about the same size, none of them empty.
fn split(set: &Kept, parts: usize) -> Vec<Kept> {
    let items: Vec<usize> = set.iter().copied().collect();
    let bound = |part: usize| part * items.len() / parts;
    (0..parts)
        .map(|part| items[bound(part)..bound(part + 1)].iter().copied().collect())
        .filter(|chunk: &Kept| !chunk.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The oracle of these tests: fails if all of `needed` are kept.
    fn needs(needed: &Kept) -> impl FnMut(&[Kept]) -> Option<usize> {
        move |candidates| candidates.iter().position(|kept| needed.is_subset(kept))
    }

    proptest! {
        /// If a failure needs certain elements and nothing else matters, exactly those are left.
        #[test]
        fn what_is_left_is_what_is_needed(n in 1_usize..80, picks in prop::collection::btree_set(0_usize..80, 0..6)) {
            let needed: Kept = picks.into_iter().filter(|i| *i < n).collect();
            prop_assert_eq!(ddmin((0..n).collect(), &mut needs(&needed)), needed.clone());
            prop_assert_eq!(one_by_one((0..n).collect(), &mut needs(&needed)), needed);
        }

        /// Whatever fails, the result fails and is 1-minimal after the second step.
        #[test]
        fn what_is_left_fails_and_nothing_more_can_go(n in 1_usize..24, salt in any::<u64>()) {
            let all: Kept = (0..n).collect();
            // Whether a set fails is pseudorandom.
            let fails = |kept: &Kept| {
                let mixed = kept.iter().fold(salt, |h, i| (h ^ *i as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
                *kept == all || mixed >> 62 == 0
            };
            let mut first = |candidates: &[Kept]| candidates.iter().position(fails);
            let left = one_by_one(ddmin(all.clone(), &mut first), &mut first);
            prop_assert!(fails(&left));
            for gone in &left {
                let fewer: Kept = left.iter().copied().filter(|i| i != gone).collect();
                prop_assert!(!fails(&fewer), "{gone} can go from {left:?}");
            }
        }
    }

    #[test]
    fn who_gives_up_keeps_what_there_is() {
        let all: Kept = (0..9).collect();
        assert_eq!(ddmin(all.clone(), &mut |_| None), all);
    }
}
