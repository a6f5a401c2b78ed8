//! A call that rings on several devices of whom it is to: one has it, and the others fall silent.
//!
//! The caller decides which: the first whose answer comes. Whoever refuses it on one device refuses it on all; a device that is
//! busy or gone changes nothing for the others.

use std::sync::Arc;

use super::{
    ending::{Ending, How},
    handle::CallHandle,
    mistake::Mistake,
    phone::Phone,
};

impl Phone {
    /// The call `leg` was answered: no other device has it.
    pub(super) fn answered_on(self: &Arc<Self>, leg: &str) {
        if !self.makes(Mistake::EveryDeviceTalks) {
            self.leave_other_devices(leg);
        }
    }

    /// The other end has ended the call `leg`, which may be refused on all devices by that.
    pub(super) fn ended_on(self: &Arc<Self>, leg: &CallHandle, ending: &Ending) {
        let refused = ending.refuses() && !self.makes(Mistake::RefusedOnOneDevice);
        let busy = *ending == Ending::Theirs(How::Busy) && self.makes(Mistake::BusyForAllDevices);
        // What another device has taken meanwhile cannot be refused any more.
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
