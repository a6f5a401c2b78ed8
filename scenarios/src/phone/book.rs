//! Who is in which call: the lines that live, the calls that are over, and the groups.
//!
//! Pure bookkeeping: nothing here sends or awaits.

use std::collections::{BTreeMap, BTreeSet};

use super::line::{Ending, Line, Side, Stage};

/// What an app knows of its calls.
#[derive(Default)]
pub(super) struct Book {
    lines: BTreeMap<String, Line>,
    over: BTreeMap<String, Ending>,
    others: BTreeMap<String, String>,
    groups: BTreeMap<String, Vec<String>>,
    welcome: BTreeSet<String>,
}

/// What to do with a call that comes in.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Ring.
    Take,
    /// Pick up at once: our user has dialed theirs, and our own call, which is named, yields to theirs.
    TakeInsteadOf(String),
    /// Ring: who dials again has left the call before, which is named.
    TakeAfter(String),
    /// Our own call, which is named, goes on instead.
    YieldTo(String),
    /// We are in another call.
    Busy,
}

impl Book {
    /// A call begins.
    pub fn open(&mut self, line: Line) {
        self.others.insert(line.call.clone(), line.other.clone());
        self.lines.insert(line.call.clone(), line);
    }

    /// A call is over, whether or not it had begun here.
    pub fn close(&mut self, call: &str, ending: Ending) {
        self.lines.remove(call);
        self.over.insert(call.to_owned(), ending);
    }

    /// How a call ended that is over.
    pub fn ending(&self, call: &str) -> Option<&Ending> {
        self.over.get(call)
    }

    /// The line of a call that lives.
    pub fn line(&self, call: &str) -> Option<Line> {
        self.lines.get(call).cloned()
    }

    /// The lines of all calls that live.
    pub fn lines(&self) -> Vec<Line> {
        self.lines.values().cloned().collect()
    }

    /// The line of a call from `other` that rings.
    pub fn rings_from(&self, other: &str) -> Option<Line> {
        let rings = |l: &&Line| l.side == Side::Callee && l.stage() == Stage::Begun && !l.is_ended();
        self.lines
            .values()
            .filter(rings)
            .find(|line| line.other == other)
            .cloned()
    }

    /// The line of any call with `other` that lives.
    pub fn line_with(&self, other: &str) -> Option<Line> {
        self.lines.values().rfind(|line| line.other == other).cloned()
    }

    /// Whether a call is over.
    pub fn is_over(&self, call: &str) -> bool {
        self.over.contains_key(call)
    }

    /// Whether a call has been heard of.
    pub fn knows(&self, call: &str) -> bool {
        self.is_over(call) || self.lines.contains_key(call)
    }

    /// Who is or was at the other end of a call.
    pub fn other(&self, call: &str) -> Option<String> {
        self.others.get(call).cloned()
    }

    /// Several calls make a group.
    pub fn group(&mut self, group: &str, calls: Vec<String>) {
        self.groups.insert(group.to_owned(), calls);
    }

    /// The calls of a group.
    pub fn calls_of(&self, group: &str) -> Vec<String> {
        self.groups.get(group).cloned().unwrap_or_default()
    }

    /// A call will be picked up at once if it comes.
    pub fn welcome(&mut self, call: &str) {
        self.welcome.insert(call.to_owned());
    }

    /// Whether a call is to be picked up at once.
    pub fn is_welcome(&self, call: &str) -> bool {
        self.welcome.contains(call)
    }

    /// What to do with `call`, which comes from `from`.
    ///
    /// Names of calls grow with time, so that of two calls of one caller the larger is the newer. If both dial each
    /// other (glare), the larger wins: any rule would do that both ends know.
    pub fn judge(&self, call: &str, from: &str) -> Verdict {
        let in_the_way: Vec<&Line> = self.lines.values().filter(|line| !line.is_ended()).collect();
        match in_the_way[..] {
            [] => Verdict::Take,
            [line] if line.other == from => {
                let ours = line.call.clone();
                match (line.side, line.stage(), line.call.as_str() < call) {
                    (Side::Caller, Stage::Begun, true) => Verdict::TakeInsteadOf(ours),
                    (Side::Caller, Stage::Begun, false) => Verdict::YieldTo(ours),
                    (_, _, true) => Verdict::TakeAfter(ours),
                    (_, _, false) => Verdict::Busy,
                }
            }
            _ => Verdict::Busy,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::line::{Ending, How},
        *,
    };

    fn book(lines: &[(&str, &str, Side, Stage)]) -> Book {
        let mut book = Book::default();
        for (call, other, side, stage) in lines {
            let (line, _) = Line::new(call, other, *side);
            line.reach_stage(*stage);
            book.open(line);
        }
        book
    }

    #[test]
    fn a_call_rings_unless_there_is_another() {
        assert_eq!(book(&[]).judge("c1", "bob"), Verdict::Take);
        let talking = book(&[("c1", "bob", Side::Caller, Stage::Connected)]);
        assert_eq!(talking.judge("c2", "carol"), Verdict::Busy);
        let line = talking.line("c1").expect("open");
        line.end(Ending::Ours(How::Hangup));
        assert_eq!(
            talking.judge("c2", "carol"),
            Verdict::Take,
            "it is about to be over"
        );
    }

    #[test]
    fn both_ends_of_a_glare_come_to_the_same_call() {
        let dialing = |call, other| book(&[(call, other, Side::Caller, Stage::Begun)]);
        assert_eq!(
            dialing("c1", "bob").judge("c2", "bob"),
            Verdict::TakeInsteadOf("c1".into())
        );
        assert_eq!(
            dialing("c2", "alice").judge("c1", "alice"),
            Verdict::YieldTo("c2".into())
        );
    }

    #[test]
    fn who_dials_again_has_left_the_call_before() {
        for (side, stage) in [
            (Side::Callee, Stage::Begun),
            (Side::Callee, Stage::Connected),
            (Side::Caller, Stage::Connected),
        ] {
            let book = book(&[("c2", "bob", side, stage)]);
            assert_eq!(book.judge("c3", "bob"), Verdict::TakeAfter("c2".into()));
            assert_eq!(book.judge("c1", "bob"), Verdict::Busy, "that one comes late");
        }
    }
}
