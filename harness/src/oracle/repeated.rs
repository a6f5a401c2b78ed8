//! An oracle on the wire for requests to servers: how a request that nobody answers is sent again.
//!
//! It judges what is sent again; whether anything is, shows in what was gathered.

use std::{collections::BTreeMap, time::Duration};

use super::{Evidence, Oracle, Verdict, Violation};
use crate::{
    time::SimTime,
    trace::{EventKind, Flow, Proto, StunLine},
};

/// A request is sent again by the schedule.
pub const STUN_01_SCHEDULE: Oracle = Oracle {
    id: "STUN-01",
    meaning: "A request to a server is sent again after half a second at the earliest, then after twice as long each time, and seven times at most.",
    source: "RFC 8489 section 6.2.1",
    check: &schedule,
};

/// The shortest time after which a request is sent again: the smallest RTO.
const RTO: Duration = Duration::from_millis(500);
/// How often a request is sent at most.
const MOST: u32 = 7;
/// What a pause may be shorter than twice the one before: timers count milliseconds.
const ROUNDING: Duration = Duration::from_millis(20);

/// A request that was sent.
struct Request {
    times: u32,
    last: SimTime,
    pause: Option<Duration>,
}

fn schedule(evidence: Evidence<'_>) -> Verdict {
    let mut requests: BTreeMap<(&str, Flow, &str), Request> = BTreeMap::new();
    for event in &evidence.trace.events {
        let (Some(host), EventKind::PacketSent { flow, says, .. }) = (event.host.as_deref(), &event.kind)
        else {
            continue;
        };
        let line = StunLine::read(says).filter(|line| line.class == "request" && flow.proto == Proto::Udp);
        let Some((line, id)) = line.and_then(|line| line.id.map(|id| (line, id))) else {
            continue;
        };
        let fresh = Request {
            times: 0,
            last: event.at,
            pause: None,
        };
        let request = requests.entry((host, *flow, id)).or_insert(fresh);
        if let Some(wrong) = request.again(event.at) {
            let why = format!(
                "{host} sent the same {} request {wrong}, at {}",
                line.method, event.at
            );
            return Verdict::Fail(Violation::at(event, why));
        }
    }
    Verdict::Pass
}

impl Request {
    /// Counts that it is sent at `now`; returns what is wrong with that.
    fn again(&mut self, now: SimTime) -> Option<String> {
        self.times += 1;
        if self.times == 1 {
            return None;
        }
        let pause = now - self.last;
        let least = self.pause.map_or(RTO, |before| before * 2);
        (self.last, self.pause) = (now, Some(pause));
        if self.times > MOST {
            return Some(format!("the {}th time", self.times));
        }
        let (pause_ms, least_ms) = (pause.as_millis(), least.as_millis());
        (pause + ROUNDING < least).then(|| format!("after {pause_ms} ms, before {least_ms}"))
    }
}

#[cfg(test)]
mod tests {
    use super::{super::machine::testing::*, *};

    /// The same request of alice, each at a time in milliseconds; returns the one that decides.
    fn judged(at: &[u64], says: &str) -> Option<u64> {
        let sent = |(number, at): (u64, &u64)| {
            (
                *at,
                "alice",
                packet(number, ["10.0.0.1:1", "192.0.2.1:3478"], says),
            )
        };
        decided(&judged_on(&STUN_01_SCHEDULE, (0..).zip(at).map(sent).collect()))
    }

    #[test]
    fn pauses_begin_with_half_a_second_and_double() {
        let request = "stun allocate request id=0a";
        assert_eq!(
            judged(&[0, 500, 1_500, 3_500, 7_500, 15_500, 31_500], request),
            None
        );
        assert_eq!(judged(&[0, 200], request), Some(1));
        assert_eq!(judged(&[0, 500, 1_000], request), Some(2));
        let eight = [0, 500, 1_500, 3_500, 7_500, 15_500, 31_500, 63_500];
        assert_eq!(judged(&eight, request), Some(7));
        assert_eq!(
            judged(&[0, 10], "stun binding request al:bo controlled"),
            None,
            "a check"
        );
        assert_eq!(judged(&[0, 10], "stun allocate success id=0a"), None, "an answer");
    }
}
