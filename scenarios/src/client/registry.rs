//! The call registry: the calls that live, those that are over, groups and forks of calls, and the decision about an
//! incoming call.
//!
//! Pure bookkeeping: nothing here sends or awaits.

use std::collections::{BTreeMap, BTreeSet};

use sleet::{signaling::message::Message, trace::Candidate};

use super::{
    ending::{Ending, Progress, Side},
    handle::CallHandle,
};

/// The calls that an app knows.
#[derive(Default)]
pub(super) struct Registry {
    live: BTreeMap<String, CallHandle>,
    over: BTreeMap<String, Ending>,
    // Calls that are over and of which something may be left.
    going: BTreeMap<String, CallHandle>,
    others: BTreeMap<String, String>,
    pub(super) groups: BTreeMap<String, Vec<String>>,
    forks: BTreeMap<String, Vec<String>>,
    welcome: BTreeSet<String>,
    early: BTreeMap<String, Vec<Candidate>>,
    // Only a broken client remembers any.
    offers: BTreeMap<String, Message>,
}

/// The decision about an incoming call.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// Ring.
    Take,
    /// Accept at once: our user has dialed theirs, and our own call, which is named, yields to theirs.
    TakeInsteadOf(String),
    /// Ring: a caller that dials again has left its previous call, which is named.
    TakeAfter(String),
    /// Let our own call, which is named, go on instead.
    YieldTo(String),
    /// Busy: we are in another call.
    Busy,
}

impl Registry {
    /// Adds a call that begins.
    pub fn open(&mut self, handle: CallHandle) {
        self.others.insert(handle.call.clone(), handle.other.clone());
        self.live.insert(handle.call.clone(), handle);
    }

    /// Marks a call as over, whether or not it had begun here. How it ended first counts: what the other end says of its own end later
    /// must not take the place of what we have said, and may have to say again.
    pub fn close(&mut self, call: &str, ending: Ending) {
        self.going.retain(|_, handle| !handle.is_gone());
        self.going.extend(self.live.remove_entry(call));
        self.early.remove(call);
        self.over.entry(call.to_owned()).or_insert(ending);
    }

    /// Returns the ending of a call that is over.
    pub fn ending(&self, call: &str) -> Option<&Ending> {
        self.over.get(call)
    }

    /// Returns a live call.
    pub fn handle(&self, call: &str) -> Option<CallHandle> {
        self.live.get(call).cloned()
    }

    /// Returns all live calls, in the order of their names.
    pub fn handles(&self) -> Vec<CallHandle> {
        self.live.values().cloned().collect()
    }

    /// Returns the call from `other` that rings.
    pub fn rings_from(&self, other: &str) -> Option<CallHandle> {
        let rings = |handle: &&CallHandle| handle.rings() && handle.other == other;
        self.live.values().find(rings).cloned()
    }

    /// Returns the newest live call with `other`.
    pub fn handle_with(&self, other: &str) -> Option<CallHandle> {
        self.live.values().rfind(|handle| handle.other == other).cloned()
    }

    /// Reports whether a call is over.
    pub fn is_over(&self, call: &str) -> bool {
        self.over.contains_key(call)
    }

    /// Reports whether a call is known.
    pub fn knows(&self, call: &str) -> bool {
        self.is_over(call) || self.live.contains_key(call)
    }

    /// Returns the current or past other end of a call.
    pub fn other(&self, call: &str) -> Option<String> {
        self.others.get(call).cloned()
    }

    /// Adds a group of calls.
    pub fn group(&mut self, group: &str, calls: Vec<String>) {
        self.groups.insert(group.to_owned(), calls);
    }

    /// Returns the names of the calls of a group.
    pub fn legs(&self, group: &str) -> Vec<String> {
        self.groups.get(group).cloned().unwrap_or_default()
    }

    /// Adds a call to a user with several devices, with its legs.
    pub fn fork(&mut self, call: &str, legs: Vec<String>) {
        self.forks.insert(call.to_owned(), legs);
    }

    /// Returns the calls of `call`, itself or its legs, that are live or of which something may be left.
    pub fn handles_about(&self, call: &str) -> Vec<CallHandle> {
        let legs = self.forks.get(call).into_iter().flatten();
        let all = legs.map(String::as_str).chain([call]);
        let handle = |call| self.live.get(call).or_else(|| self.going.get(call));
        all.filter_map(handle).cloned().collect()
    }

    /// Returns the other live legs of the call that `leg` belongs to.
    pub fn other_legs(&self, leg: &str) -> Vec<CallHandle> {
        let fork = self.forks.values().find(|legs| legs.iter().any(|l| l == leg));
        let others = fork.into_iter().flatten().filter(|l| *l != leg);
        others.filter_map(|call| self.handle(call)).collect()
    }

    /// Returns the live calls of a group.
    pub fn handles_of(&self, group: &str) -> Vec<CallHandle> {
        let calls = self.groups.get(group).into_iter().flatten();
        calls.filter_map(|call| self.handle(call)).collect()
    }

    /// Marks a call to be accepted at once if it comes.
    pub fn welcome(&mut self, call: &str) {
        self.welcome.insert(call.to_owned());
    }

    /// Reports whether a call is to be accepted at once.
    pub fn is_welcome(&self, call: &str) -> bool {
        self.welcome.contains(call)
    }

    /// Remembers the offer of a call, which the broken client may answer when the call is over.
    pub fn remember_offer(&mut self, call: &str, offer: Message) {
        self.offers.insert(call.to_owned(), offer);
    }

    /// Returns the remembered offer of a call, and its sender.
    pub fn remembered_offer(&self, call: &str) -> Option<(String, Message)> {
        Some((self.other(call)?, self.offers.get(call)?.clone()))
    }

    /// Keeps a candidate that came before its call.
    pub fn keep(&mut self, call: &str, candidate: Candidate) {
        self.early.entry(call.to_owned()).or_default().push(candidate);
    }

    /// Returns the candidates that came before their call, which begins.
    pub fn kept(&mut self, call: &str) -> Vec<Candidate> {
        self.early.remove(call).unwrap_or_default()
    }

    /// Decides about the incoming `call` from `from`.
    ///
    /// Names of calls grow with time, so that of two calls of one caller the larger is the newer. If both dial each
    /// other (glare), the larger wins: any rule that both ends know would do.
    pub fn judge(&self, call: &str, from: &str) -> Admission {
        let in_the_way: Vec<&CallHandle> = self.live.values().filter(|h| !h.is_ended()).collect();
        match in_the_way[..] {
            [] => Admission::Take,
            [handle] if handle.other == from => {
                let ours = handle.call.clone();
                match (handle.side, handle.progress(), handle.call.as_str() < call) {
                    (Side::Caller, Progress::Begun, true) => Admission::TakeInsteadOf(ours),
                    (Side::Caller, Progress::Begun, false) => Admission::YieldTo(ours),
                    (_, _, true) => Admission::TakeAfter(ours),
                    (_, _, false) => Admission::Busy,
                }
            }
            _ => Admission::Busy,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::ending::How, *};

    fn registry(calls: &[(&str, &str, Side, Progress)]) -> Registry {
        let mut registry = Registry::default();
        for (call, other, side, progress) in calls {
            let (handle, _) = CallHandle::new(call, other, *side);
            handle.reach(*progress);
            registry.open(handle);
        }
        registry
    }

    #[test]
    fn a_call_rings_unless_there_is_another() {
        assert_eq!(registry(&[]).judge("c1", "bob"), Admission::Take);
        let talking = registry(&[("c1", "bob", Side::Caller, Progress::Connected)]);
        assert_eq!(talking.judge("c2", "carol"), Admission::Busy);
        let handle = talking.handle("c1").expect("open");
        handle.end(Ending::Ours(How::Hangup));
        let about_to_be_over = talking.judge("c2", "carol");
        assert_eq!(about_to_be_over, Admission::Take);
    }

    #[test]
    fn both_ends_of_a_glare_come_to_the_same_call() {
        let dialing = |call, other| registry(&[(call, other, Side::Caller, Progress::Begun)]);
        assert_eq!(
            dialing("c1", "bob").judge("c2", "bob"),
            Admission::TakeInsteadOf("c1".into())
        );
        assert_eq!(
            dialing("c2", "alice").judge("c1", "alice"),
            Admission::YieldTo("c2".into())
        );
    }

    #[test]
    fn who_dials_again_has_left_the_call_before() {
        for (side, progress) in [
            (Side::Callee, Progress::Begun),
            (Side::Callee, Progress::Connected),
            (Side::Caller, Progress::Connected),
        ] {
            let registry = registry(&[("c2", "bob", side, progress)]);
            assert_eq!(registry.judge("c3", "bob"), Admission::TakeAfter("c2".into()));
            assert_eq!(
                registry.judge("c1", "bob"),
                Admission::Busy,
                "that one comes late"
            );
        }
    }

    #[test]
    fn the_call_that_goes_on_after_a_glare_is_welcome_and_no_other() {
        let mut registry = registry(&[]);
        registry.welcome("c2");
        assert!(registry.is_welcome("c2") && !registry.is_welcome("c1"));
    }

    #[test]
    fn who_is_in_a_group_is_busy_for_everybody() {
        let group = [
            ("g1.bob", "bob", Side::Caller, Progress::Connected),
            ("g1.carol", "carol", Side::Caller, Progress::Begun),
        ];
        assert_eq!(registry(&group).judge("h1", "carol"), Admission::Busy);
        assert_eq!(registry(&group).judge("h1", "dave"), Admission::Busy);
    }

    #[test]
    fn a_call_to_several_devices_is_what_lives_of_its_legs() {
        let mut registry = registry(&[
            ("c1.phone", "phone", Side::Caller, Progress::Begun),
            ("c1.laptop", "laptop", Side::Caller, Progress::Begun),
            ("c2", "carol", Side::Caller, Progress::Begun),
        ]);
        let legs = ["c1.phone", "c1.laptop", "c1.tablet"];
        registry.fork("c1", legs.map(str::to_owned).into());
        let names = |handles: Vec<CallHandle>| handles.into_iter().map(|h| h.call).collect::<Vec<_>>();
        assert_eq!(names(registry.handles_about("c1")), ["c1.phone", "c1.laptop"]);
        assert_eq!(names(registry.handles_about("c2")), ["c2"]);
        assert_eq!(names(registry.other_legs("c1.phone")), ["c1.laptop"]);
        assert!(registry.other_legs("c2").is_empty());
    }

    #[test]
    fn who_hangs_up_a_call_that_is_going_waits_for_it_too() {
        let mut registry = Registry::default();
        let (handle, mailbox) = CallHandle::new("c1", "bob", Side::Callee);
        registry.open(handle);
        registry.close("c1", Ending::Ours(How::Reject));
        assert!(registry.handle("c1").is_none());
        let going = registry.handles_about("c1");
        assert!(going.iter().all(|handle| !handle.is_gone()) && going.len() == 1);
        drop(mailbox);
        assert!(going[0].is_gone());
        registry.close("c2", Ending::Ours(How::Reject));
        assert!(registry.handles_about("c1").is_empty(), "it is forgotten");
    }

    #[test]
    fn how_a_call_ended_first_counts() {
        let mut registry = Registry::default();
        registry.close("c1", Ending::Ours(How::Elsewhere));
        registry.close("c1", Ending::Theirs(How::Hangup));
        assert_eq!(registry.ending("c1"), Some(&Ending::Ours(How::Elsewhere)));
    }

    #[test]
    fn candidates_that_come_before_their_call_wait_for_it_unless_it_is_over() {
        let candidate = |of: &str| Candidate {
            attribute: format!("1 1 udp 1 10.0.0.1 5000 typ host of {of}"),
            ufrag: of.into(),
        };
        let mut registry = Registry::default();
        for call in ["c1", "c2", "c1"] {
            registry.keep(call, candidate(call));
        }
        registry.close("c2", Ending::Theirs(How::Hangup));
        assert_eq!(registry.kept("c1"), [candidate("c1"), candidate("c1")]);
        assert!(registry.kept("c1").is_empty() && registry.kept("c2").is_empty());
    }
}
