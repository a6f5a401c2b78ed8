//! What layers above keep with the world that they play in: one value of a type.
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
    /// Keeps `value` with the world, in place of another of its type.
    pub(crate) fn attach<T: Any + Send + Sync>(&self, value: Arc<T>) {
        let mut kept = self
            .attached_values()
            .by_type
            .lock()
            .expect("no panic while it is held");
        kept.insert(TypeId::of::<T>(), value);
    }

    /// The value of type `T` that was attached.
    pub(crate) fn attached<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        let kept = self
            .attached_values()
            .by_type
            .lock()
            .expect("no panic while it is held");
        let value = kept.get(&TypeId::of::<T>())?.clone();
        value.downcast().ok()
    }

    /// The value of type `T`, made now if there is none.
    pub(crate) fn part<T: Any + Send + Sync + Default>(&self) -> Arc<T> {
        self.attached().unwrap_or_else(|| {
            let made = Arc::<T>::default();
            self.attach(made.clone());
            made
        })
    }
}
