//! What each kind is and does, found by the kind of a fault. The data of plans knows nothing of it.

use super::{
    super::{Behaviour, KindSpec},
    FaultKind, KindId, every_kind,
};

macro_rules! dispatch {
    ($($module:ident::$Kind:ident),* $(,)?) => {
        impl KindId {
            /// Returns the specification of the kind.
            pub const fn spec(self) -> &'static KindSpec {
                match self {
                    $(Self::$Kind => &super::$module::SPEC),*
                }
            }
        }

        impl FaultKind {
            /// Returns the behaviour of the fault.
            pub fn behaviour(&self) -> &dyn Behaviour {
                match self {
                    $(Self::$Kind(kind) => kind),*
                }
            }

            /// Returns the behaviour of the fault, to change its parameters.
            pub fn behaviour_mut(&mut self) -> &mut dyn Behaviour {
                match self {
                    $(Self::$Kind(kind) => kind),*
                }
            }
        }
    };
}

every_kind!(dispatch);
