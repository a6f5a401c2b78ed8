//! The handlers that an app registers: the stack's slots hold our handlers, which record and then call the app's.

use std::{
    pin::Pin,
    sync::{Mutex, MutexGuard},
};

/// The return type of a handler.
pub(super) type Handled = Pin<Box<dyn Future<Output = ()> + Send + 'static>>;

/// A handler as the stack takes it.
pub(super) type Handler<T> = Box<dyn (FnMut(T) -> Handled) + Send + Sync>;

/// The handler of one kind of event: the one registered last, as in the stack.
pub(super) struct HandlerSlot<T>(Mutex<Option<Handler<T>>>);

impl<T> Default for HandlerSlot<T> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<T> HandlerSlot<T> {
    pub fn register(&self, handler: Handler<T>) {
        *self.slot() = Some(handler);
    }

    /// Calls the handler, if there is one. The slot is empty during the call, so that a handler can register another.
    pub fn call(&self, value: T) -> Handled {
        let Some(mut handler) = self.slot().take() else {
            return Box::pin(async {});
        };
        let handled = handler(value);
        self.slot().get_or_insert(handler);
        handled
    }

    fn slot(&self) -> MutexGuard<'_, Option<Handler<T>>> {
        self.0.lock().expect("no handler runs while it is held")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn the_last_handler_is_called_and_may_register_another() {
        let (slot, heard) = (
            Arc::new(HandlerSlot::<u32>::default()),
            Arc::new(Mutex::new(Vec::new())),
        );
        let handler = |name: &'static str, heard: &Arc<Mutex<Vec<_>>>| -> Handler<u32> {
            let heard = heard.clone();
            Box::new(move |n| {
                heard.lock().unwrap().push((name, n));
                Box::pin(async {})
            })
        };
        drop(slot.call(0));
        slot.register(handler("replaced", &heard));
        let (again, second) = (slot.clone(), heard.clone());
        slot.register(Box::new(move |n| {
            second.lock().unwrap().push(("first", n));
            again.register(handler("second", &second));
            Box::pin(async {})
        }));
        for n in 1..4 {
            drop(slot.call(n));
        }
        assert_eq!(
            *heard.lock().unwrap(),
            [("first", 1), ("second", 2), ("second", 3)]
        );
    }
}
