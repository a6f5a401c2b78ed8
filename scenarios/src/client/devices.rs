//! A call that rings on several devices of its callee: one gets it, and the others stop ringing.
//!
//! The caller decides which: the first whose answer comes. A rejection on one device rejects the call on all; a device
//! that is busy or gone changes nothing for the others.

use std::sync::Arc;

use super::{
    ending::{Ending, How},
    handle::CallHandle,
    mistake::Mistake,
    phone::Phone,
};

impl Phone {
    /// Handles the answer to the call `leg`: no other device gets the call.
    pub(super) fn answered_on(self: &Arc<Self>, leg: &str) {
        if !self.makes(Mistake::EveryDeviceTalks) {
            self.leave_other_devices(leg);
        }
    }

    /// Handles the end of the call `leg` by the other end, which may reject the call on all devices.
    pub(super) fn ended_on(self: &Arc<Self>, leg: &CallHandle, ending: &Ending) {
        let refused = ending.refuses() && !self.makes(Mistake::RefusedOnOneDevice);
        let busy = *ending == Ending::Theirs(How::Busy) && self.makes(Mistake::BusyForAllDevices);
        // A call that another device has accepted meanwhile can no longer be rejected.
        if leg.rings_there() && (refused || busy) {
            self.leave_other_devices(&leg.call);
        }
    }

    fn leave_other_devices(&self, leg: &str) {
        let others = self.registry().other_legs(leg);
        for other in others {
            other.end(Ending::Ours(How::Elsewhere));
        }
    }
}
