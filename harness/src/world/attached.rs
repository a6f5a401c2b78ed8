//! Values that upper layers attach to their world: one value per type.
//!
//! The world never looks inside.

use std::{
    any::{Any, TypeId},
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};

/// The values, by type; never iterated.
#[derive(Default)]
pub(super) struct Attached {
    by_type: Mutex<ByType>,
}

type ByType = BTreeMap<TypeId, Arc<dyn Any + Send + Sync>>;

impl Attached {
    /// Keeps `value`, and replaces another of its type.
    pub(super) fn insert<T: Any + Send + Sync>(&self, value: Arc<T>) {
        self.by_type().insert(TypeId::of::<T>(), value);
    }

    /// Returns the value of type `T`.
    pub(super) fn get<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        let value = self.by_type().get(&TypeId::of::<T>())?.clone();
        value.downcast().ok()
    }

    fn by_type(&self) -> MutexGuard<'_, ByType> {
        self.by_type.lock().expect("no panic while it is held")
    }
}
