//! The first difference of two runs, as text: the last events that they share, and how each goes on.

use sleet::{
    fault::Plan,
    trace::{CHECKPOINT_EVERY, Event, Trace, first_divergence},
};

use crate::descriptions::Names;

/// The number of events shown before the first difference, and after it.
const CONTEXT: usize = 5;

/// One of two runs.
#[derive(Clone, Copy, Debug)]
pub struct Side<'a> {
    /// The name of the run.
    pub name: &'a str,
    /// The trace.
    pub trace: &'a Trace,
    /// The plan.
    pub plan: &'a Plan,
}

/// Shows the first event in which two runs differ; `None` if they are identical.
pub fn text(left: Side<'_>, right: Side<'_>) -> Option<String> {
    let divergence = first_divergence(left.trace, right.trace)?;
    let (at, checkpoints) = (divergence.index, divergence.index / CHECKPOINT_EVERY);
    let mut out = format!(
        "{} and {} differ first in event {at}; {checkpoints} checkpoints before it agree\n\n",
        left.name, right.name
    );
    out.push_str(&lines(left, ' ', at.saturating_sub(CONTEXT), at));
    for (side, sign) in [(left, '<'), (right, '>')] {
        out.push_str(&format!("{sign} {}\n", side.name));
        let rest = lines(side, sign, at, at + CONTEXT);
        out.push_str(if rest.is_empty() {
            "  (it has ended)\n"
        } else {
            &rest
        });
    }
    if let (Some(a), Some(b)) = (&divergence.left, &divergence.right) {
        out.push_str(&format!("\n< {}\n> {}\n", json(a), json(b)));
    }
    Some(out)
}

fn lines(side: Side<'_>, sign: char, from: usize, until: usize) -> String {
    let names = Names::of(side.trace, side.plan);
    let events = side.trace.events.iter().skip(from).take(until - from);
    let line = |e: &Event| {
        let host = e.host.as_deref().unwrap_or("network");
        format!(
            "{sign} {:>6} {:>8}  {host:<8} {}\n",
            e.seq,
            e.at.to_string(),
            names.line(e)
        )
    };
    events.map(line).collect()
}

fn json(event: &Event) -> String {
    serde_json::to_string(event).expect("events are plain data")
}

#[cfg(test)]
mod tests {
    use sleet::net::topology::Topology;

    use sleet::{time::SimTime, trace::EventKind};

    use super::*;

    fn steps(names: &[&str]) -> Trace {
        let event = |(seq, name): (usize, &&str)| Event {
            seq: seq as u64,
            at: SimTime::from_millis(seq as u64),
            host: Some("alice".to_owned()),
            kind: EventKind::Step {
                step: (*name).to_owned(),
                detail: String::new(),
            },
        };
        Trace::from_events(names.iter().enumerate().map(event).collect())
    }

    #[test]
    fn the_first_difference_is_shown_with_what_is_around_it() {
        let short = steps(&["one", "two"]);
        let (a, b) = (steps(&["one", "two", "three"]), steps(&["one", "2"]));
        let plan = Plan::new(Topology::default());
        let side = |name, trace| Side {
            name,
            trace,
            plan: &plan,
        };
        let text = super::text(side("first", &a), side("second", &b)).expect("they differ");
        for line in [
            "differ first in event 1",
            "<      1    0.001  alice    two",
            ">      1    0.001  alice    2",
        ] {
            assert!(text.contains(line), "{line} in\n{text}");
        }
        let text = super::text(side("first", &a), side("short", &short)).expect("they differ");
        assert!(text.contains("> short\n  (it has ended)"), "{text}");
        assert_eq!(super::text(side("first", &a), side("again", &a.clone())), None);
    }
}
