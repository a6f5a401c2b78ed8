//! A set of the numbers of runs. Runs end nearly in order, so it holds a few ranges, however many runs there are.

use std::collections::BTreeMap;

/// A set of numbers, kept as ranges.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    /// Each range by its first number, with the number after its last. No two ranges touch.
    ranges: BTreeMap<u64, u64>,
    len: u64,
}

impl Places {
    /// Adds a number; returns false if it was there.
    pub fn insert(&mut self, number: u64) -> bool {
        if self.contains(number) {
            return false;
        }
        self.len += 1;
        let end = self.ranges.remove(&(number + 1)).unwrap_or(number + 1);
        match self.ranges.range_mut(..number).next_back() {
            Some((_, before)) if *before == number => *before = end,
            _ => drop(self.ranges.insert(number, end)),
        }
        true
    }

    /// Reports whether the set contains a number.
    pub fn contains(&self, number: u64) -> bool {
        let range = self.ranges.range(..=number).next_back();
        range.is_some_and(|(_, end)| number < *end)
    }

    /// Returns the number of elements.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Iterates over the numbers, ascending.
    pub fn iter(&self) -> impl Iterator<Item = u64> + '_ {
        self.ranges.iter().flat_map(|(first, end)| *first..*end)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn it_is_a_set_and_keeps_few_ranges() {
        let (mut places, mut set) = (Places::default(), BTreeSet::new());
        // Every number up to 96, in a jumping order: 59 and 97 have no common divisor.
        for n in (0..150_u64).map(|n| n * 59 % 97) {
            assert_eq!(places.insert(n), set.insert(n), "{n}");
            assert_eq!(places.len(), set.len() as u64);
            assert!(places.iter().eq(set.iter().copied()), "{places:?}");
            assert!((0..100).all(|n| places.contains(n) == set.contains(&n)));
        }
        assert_eq!(places.ranges.len(), 1, "{places:?}");
    }
}
