//! Values that upper layers attach to their world: one value per type.
//!
//! The world never looks inside.

use std::{
    any::{Any, TypeId},
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use super::Sim;

/// The values, by type; never iterated.
#[derive(Default)]
pub(super) struct Attached {
    by_type: Mutex<BTreeMap<TypeId, Arc<dyn Any + Send + Sync>>>,
}

impl Sim {
    /// Attaches `value` to the world, and replaces another of its type.
    pub(crate) fn attach<T: Any + Send + Sync>(&self, value: Arc<T>) {
        let mut kept = self
            .attached_values()
            .by_type
            .lock()
            .expect("no panic while it is held");
        kept.insert(TypeId::of::<T>(), value);
    }

    /// Returns the attached value of type `T`.
    pub(crate) fn attached<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        let kept = self
            .attached_values()
            .by_type
            .lock()
            .expect("no panic while it is held");
        let value = kept.get(&TypeId::of::<T>())?.clone();
        value.downcast().ok()
    }

    /// Returns the value of type `T`, and creates it first if there is none.
    pub(crate) fn part<T: Any + Send + Sync + Default>(&self) -> Arc<T> {
        self.attached().unwrap_or_else(|| {
            let made = Arc::<T>::default();
            self.attach(made.clone());
            made
        })
    }
}
