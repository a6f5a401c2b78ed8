//! Parts of the orders, for several jobs.
//!
//! A job needs to know only the points that it passes itself: no job has to go through the beginnings of all orders to
//! find its own.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One of several parts of all orders: each order belongs to exactly one part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// The index of the part, from 0.
    pub index: u64,
    /// The number of parts.
    pub of: u64,
}

impl Default for Part {
    fn default() -> Self {
        Self::WHOLE
    }
}

impl Part {
    /// All orders.
    pub const WHOLE: Self = Self { index: 0, of: 1 };

    /// Reports whether the part is all orders.
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
    pub fn is_whole(&self) -> bool {
        self.of == 1
    }

    pub(super) fn check(self) -> Result<(), String> {
        match self.index < self.of {
            true => Ok(()),
            false => Err(format!("index: there are only {} parts", self.of)),
        }
    }

    /// Returns the choices of this part at a point with `width` choices: every `stride`th from the first on.
    ///
    /// If there are more parts than choices, parts share a choice and divide the orders behind it; else each choice
    /// belongs to one part with all orders behind it.
    pub(super) fn deal(self, width: usize) -> Dealt {
        let first = (self.index % width as u64) as usize;
        if self.of > width as u64 {
            return Dealt {
                first,
                stride: width,
                rest: Self {
                    index: self.index / width as u64,
                    of: (self.of - first as u64).div_ceil(width as u64),
                },
            };
        }
        Dealt {
            first,
            stride: self.of as usize,
            rest: Self::WHOLE,
        }
    }

    /// Reports whether an order that ends here belongs to this part: the part with index 0 gets it.
    pub(super) fn has_the_end(self) -> bool {
        self.index == 0
    }
}

/// The share of a part at a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dealt {
    /// The first choice.
    pub first: usize,
    /// The distance between choices.
    pub stride: usize,
    /// The part of the orders behind each choice.
    pub rest: Part,
}

impl Dealt {
    /// Returns the next choice after `taken` at a point with `width` choices.
    pub fn after(&self, taken: usize, width: usize) -> Option<usize> {
        Some(taken + self.stride).filter(|next| *next < width)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the choices of `part` with the remaining part of each.
    fn choices(part: Part, width: usize) -> Vec<(usize, Part)> {
        let dealt = part.deal(width);
        let mut next = Some(dealt.first);
        let choices = std::iter::from_fn(|| {
            let choice = next?;
            next = dealt.after(choice, width);
            Some((choice, dealt.rest))
        });
        choices.collect()
    }

    #[test]
    fn every_choice_is_dealt_once_with_all_of_what_is_behind_it() {
        for of in 1..40 {
            for width in 1..15 {
                let mut dealt: Vec<(usize, u64, u64)> = (0..of)
                    .flat_map(|index| choices(Part { index, of }, width))
                    .map(|(choice, rest)| (choice, rest.of, rest.index))
                    .collect();
                dealt.sort_unstable();
                let mut expected = Vec::new();
                for choice in 0..width {
                    let sharers = dealt.iter().filter(|d| d.0 == choice).count() as u64;
                    assert!(sharers > 0, "choice {choice} of {width} is nobody's of {of}");
                    expected.extend((0..sharers).map(|index| (choice, sharers, index)));
                }
                assert_eq!(dealt, expected, "{of} parts of {width} choices");
            }
        }
    }
}
