//! Makes values of a plan plainer: distributions become constants, numbers become small and round.
//!
//! Never changed: the times at which users dial, the budget of a call and the time that a run may go on after it.

use super::{app, knobs::longest_us};
use crate::{
    fault::{Fault, Lessen, Plan, When},
    net::{latency::Latency, link::LinkProfile},
    seed::Ppm,
};

type LatencyOf = Box<dyn Fn(&mut Plan) -> Option<&mut Latency>>;

type Setter = Box<dyn Fn(&mut Plan, u64)>;

/// A number of a plan that may be smaller.
pub(super) struct Knob {
    /// The current value.
    pub value: u64,
    /// The smallest allowed value.
    pub least: u64,
    set: Setter,
}

impl Knob {
    fn new(value: u64, least: u64, set: impl Fn(&mut Plan, u64) + 'static) -> Self {
        Self {
            value,
            least,
            set: Box::new(set),
        }
    }

    /// Returns `plan` with the number set to `value`; `None` if that could not be run.
    pub fn at(&self, plan: &Plan, value: u64) -> Option<Plan> {
        let mut plan = plan.clone();
        (self.set)(&mut plan, value);
        plan.check().is_ok().then_some(plan)
    }
}

/// Returns the plans that differ from `plan` in one distribution that becomes a constant: the shortest first.
pub(super) fn constants(plan: &Plan) -> Vec<Vec<Plan>> {
    let alternatives = latencies(plan).into_iter().filter_map(|(latency, _)| {
        let mut copy = plan.clone();
        let (low, high) = match latency(&mut copy)? {
            Latency::Constant { .. } => return None,
            Latency::Uniform { min_us, max_us } => (*min_us, *max_us),
            Latency::Quantiles { points } => (points.first()?.1, points.last()?.1),
        };
        let with = |us: u64| {
            let mut plan = plan.clone();
            *latency(&mut plan)? = Latency::constant_ms(us / 1_000);
            Some(plan)
        };
        Some(
            [low, low.midpoint(high), high]
                .into_iter()
                .filter_map(with)
                .collect(),
        )
    });
    alternatives.collect()
}

/// Returns every number that may be smaller, except the start times of faults.
pub(super) fn knobs(plan: &Plan) -> Vec<Knob> {
    let mut knobs = lasting(plan);
    knobs.extend(parameters(plan));
    for (i, scripted) in plan.script.iter().enumerate() {
        // A user who dials earlier may dial before the callee is online, which is another failure.
        if let When::Rung { ms } = scripted.when {
            knobs.push(Knob::new(ms, 0, move |plan, ms| {
                plan.script[i].when = When::Rung { ms }
            }));
        }
    }
    for (latency, least) in latencies(plan) {
        let mut copy = plan.clone();
        if let Some(Latency::Constant { us }) = latency(&mut copy) {
            knobs.push(Knob::new(*us / 1_000, least, move |plan, ms| {
                if let Some(latency) = latency(plan) {
                    *latency = Latency::constant_ms(ms);
                }
            }));
        }
    }
    for number in app::numbers(plan) {
        knobs.push(Knob::new(number.value, 0, move |plan, value| {
            number.set(plan, value)
        }));
    }
    knobs.push(Knob::new(plan.talk_ms, 100, |plan, ms| plan.talk_ms = ms));
    let after = plan.horizon_ms.saturating_sub(plan.heal_at_ms);
    knobs.push(Knob::new(plan.heal_at_ms, 0, move |plan, ms| {
        (plan.heal_at_ms, plan.horizon_ms) = (ms, ms + after);
    }));
    knobs.retain(|k| k.value > k.least);
    knobs
}

/// Returns the start times of faults: each lasts as long as before.
pub(super) fn begins(plan: &Plan) -> Vec<Knob> {
    let begin = |(i, fault): (usize, &Fault)| {
        let lasts = fault.until_ms.map(|until| until - fault.from_ms);
        Knob::new(fault.from_ms, 0, move |plan, ms| {
            plan.faults[i].from_ms = ms;
            plan.faults[i].until_ms = lasts.map(|lasts| ms + lasts);
        })
    };
    let mut knobs: Vec<Knob> = plan.faults.iter().enumerate().map(begin).collect();
    knobs.retain(|k| k.value > k.least);
    knobs
}

/// Returns the durations of faults.
fn lasting(plan: &Plan) -> Vec<Knob> {
    let last = |(i, fault): (usize, &Fault)| {
        let lasts = fault.until_ms? - fault.from_ms;
        Some(Knob::new(lasts, 1, move |plan, ms| {
            plan.faults[i].until_ms = Some(plan.faults[i].from_ms + ms);
        }))
    };
    plan.faults.iter().enumerate().filter_map(last).collect()
}

/// Returns the other values of faults that can be reduced, as their kinds define.
fn parameters(plan: &Plan) -> Vec<Knob> {
    let mut knobs = Vec::new();
    for (i, mut fault) in plan.faults.clone().into_iter().enumerate() {
        for (n, value) in fault.kind.behaviour_mut().lessen().into_iter().enumerate() {
            let value = match value {
                Lessen::Ms(ms) => *ms,
                Lessen::Share(share) => u64::from(share.get()),
                // Distributions are handled separately.
                Lessen::Latency(_) => continue,
            };
            knobs.push(Knob::new(value, 1, move |plan, value| {
                match plan.faults[i].kind.behaviour_mut().lessen().swap_remove(n) {
                    Lessen::Ms(ms) => *ms = value,
                    Lessen::Share(share) => *share = Ppm::new(value as u32),
                    Lessen::Latency(_) => {}
                }
            }));
        }
    }
    knobs
}

/// Returns the distribution of delays that is the `n`th reducible value of the fault at `index`.
fn latency_of(plan: &mut Plan, index: usize, n: usize) -> Option<&mut Latency> {
    match plan.faults[index].kind.behaviour_mut().lessen().swap_remove(n) {
        Lessen::Latency(latency) => Some(latency),
        Lessen::Ms(_) | Lessen::Share(_) => None,
    }
}

/// Returns every distribution of delays, of links, of the service, of the clients' steps and of faults, and its least
/// value in milliseconds: that of a good link.
fn latencies(plan: &Plan) -> Vec<(LatencyOf, u64)> {
    let mut all: Vec<(LatencyOf, u64)> = Vec::new();
    let good_ms = longest_us(&LinkProfile::default().latency) / 1_000;
    for (h, host) in plan.topology.hosts.iter().enumerate() {
        for i in 0..host.interfaces.len() {
            let up: LatencyOf = Box::new(move |p| Some(&mut p.topology.hosts[h].interfaces[i].up.latency));
            let down: LatencyOf =
                Box::new(move |p| Some(&mut p.topology.hosts[h].interfaces[i].down.latency));
            all.extend([(up, good_ms), (down, good_ms)]);
        }
    }
    all.push((Box::new(|p| Some(&mut p.signaling.as_mut()?.descriptions)), 0));
    all.push((Box::new(|p| Some(&mut p.signaling.as_mut()?.others)), 0));
    all.push((Box::new(|p| p.signaling.as_mut()?.push.as_mut()), 0));
    for i in 0..plan.slow_steps.len() {
        all.push((Box::new(move |p| Some(&mut p.slow_steps[i].by)), 0));
    }
    for (i, mut fault) in plan.faults.clone().into_iter().enumerate() {
        for n in 0..fault.kind.behaviour_mut().lessen().len() {
            all.push((Box::new(move |p| latency_of(p, i, n)), 0));
        }
    }
    all
}

/// Returns the middle of two numbers, as round as possible: with the fewest digits that are not zero.
pub(super) fn round_middle(low: u64, high: u64) -> Option<u64> {
    let middle = low.midpoint(high);
    // A rounder number in the middle half is good enough.
    let quarter = (high - low) / 4;
    let mut unit = 1;
    let mut best = middle;
    while unit <= middle {
        let rounded = middle / unit * unit;
        if middle - rounded > quarter {
            break;
        }
        best = rounded;
        unit *= 10;
    }
    (low < best && best < high).then_some(best)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn middles_are_round_and_lie_between() {
        assert_eq!(round_middle(0, 100), Some(50));
        assert_eq!(round_middle(0, 1_257), Some(600));
        assert_eq!(round_middle(123, 987), Some(500));
        assert_eq!(round_middle(7, 8), None);
        for (low, high) in [(0, 2), (5, 9), (999, 1_234), (15_000, 15_003)] {
            let middle = round_middle(low, high).expect("there is room");
            assert!(low < middle && middle < high, "{low} {middle} {high}");
        }
    }
}
