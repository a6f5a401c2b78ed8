//! What the whole world has one of, whatever crashes and starts again in it: found by its type.

use std::{
    any::Any,
    sync::{Arc, Mutex},
};

/// The parts that were asked for.
#[derive(Default)]
pub(super) struct Parts {
    made: Mutex<Vec<Arc<dyn Any + Send + Sync>>>,
}

impl Parts {
    /// The part of type `T`, made when it is first asked for. It must not hold the world, which would never end.
    pub fn part<T: Default + Send + Sync + 'static>(&self) -> Arc<T> {
        let mut made = self.made.lock().expect("making a part does not panic");
        let found = made.iter().find_map(|part| part.clone().downcast().ok());
        found.unwrap_or_else(|| {
            let part = Arc::<T>::default();
            made.push(part.clone());
            part
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::Parts;

    #[test]
    fn there_is_one_part_of_each_type() {
        let parts = Parts::default();
        parts.part::<Mutex<u8>>().lock().unwrap().clone_from(&7);
        assert_eq!(*parts.part::<Mutex<u8>>().lock().unwrap(), 7);
        assert_eq!(*parts.part::<Mutex<u16>>().lock().unwrap(), 0);
    }
}
