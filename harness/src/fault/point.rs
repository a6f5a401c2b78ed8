//! Fault points: places inside an app under test where it asks what becomes of a message.
//!
//! A server of one's own loses and doubles messages in ways that no network does. It asks at a point that it names, and the
//! plan decides by the name and by how many have come there.

use serde::{Deserialize, Serialize};

use super::Verdict;

/// What becomes of one message at a fault point. After the chaos phase all messages pass.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PointFault {
    /// The point, by the name that the app gives it.
    pub point: String,
    /// Which of the messages that come to the point on all hosts, counted from 0 over the whole run.
    pub nth: u64,
    /// What becomes of it.
    pub verdict: Verdict,
}

impl PointFault {
    /// What it is called in the trace, at its place in the plan.
    pub fn name(&self, index: usize) -> String {
        let what = match self.verdict {
            Verdict::Delay { ms } => format!("delay of {ms} ms"),
            Verdict::Drop => "drop".to_owned(),
            Verdict::Duplicate => "double".to_owned(),
        };
        format!("#{index} point {what}, number {} at {}", self.nth, self.point)
    }

    /// Says what is wrong with faults that were read from a file.
    ///
    /// # Errors
    /// The path of the offending field and a sentence.
    pub fn check(faults: &[Self]) -> Result<(), String> {
        for (i, fault) in faults.iter().enumerate() {
            let same = |other: &Self| (&other.point, other.nth) == (&fault.point, fault.nth);
            if faults[..i].iter().any(same) {
                return Err(format!(
                    "fault_points[{i}].nth: there is another verdict on number {} at {}",
                    fault.nth, fault.point
                ));
            }
            if fault.point.is_empty() {
                return Err(format!("fault_points[{i}].point: it has no name"));
            }
        }
        Ok(())
    }
}
