//! Goes through all orders of a part, depth first.

use super::{Part, Pick};

/// A point at which a run had more than one step to choose from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    /// The number of steps that were awake.
    pub awake: usize,
    /// The index of the step taken.
    pub taken: usize,
}

impl Point {
    /// Returns the point of a pick, if there was more than one choice.
    pub fn of(pick: &Pick) -> Option<Self> {
        match pick {
            Pick::Take { taken, awake } if awake.len() > 1 => Some(Self {
                awake: awake.len(),
                taken: *taken,
            }),
            _ => None,
        }
    }
}

/// Goes through the orders of a part: returns the choices of the next run, and is told the points that it passed.
#[derive(Clone, Debug)]
pub struct Walk {
    part: Part,
    next: Option<Vec<usize>>,
}

impl Walk {
    /// Creates a walk that begins with the first order of `part`.
    pub fn new(part: Part) -> Self {
        Self {
            part,
            next: Some(Vec::new()),
        }
    }

    /// Returns the choices of the next run; `None` when every order has been gone through.
    pub fn next_run(&mut self) -> Option<Vec<usize>> {
        self.next.take()
    }

    /// Takes the `points` of a run with the choices of [`Walk::next_run`]; returns whether its order belongs to the
    /// part: the part may have none.
    pub fn passed(&mut self, points: &[Point]) -> bool {
        let mut part = self.part;
        for (i, point) in points.iter().enumerate() {
            let dealt = part.deal(point.awake);
            if let Some(choice) = dealt.after(point.taken, point.awake) {
                // The deepest point with another choice wins: it is looked at last.
                let mut choices: Vec<usize> = points[..i].iter().map(|p| p.taken).collect();
                choices.push(choice);
                self.next = Some(choices);
            }
            part = dealt.rest;
        }
        part.has_the_end()
    }
}
