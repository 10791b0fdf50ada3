//! `Registration`: what registering a callback returns.

use std::cell::RefCell;
use wasm_bindgen::prelude::*;

/// A registered callback, until `remove()`. Letting go of it, or freeing it, does not remove the callback.
#[wasm_bindgen(skip_typescript)]
pub struct Registration {
    remove: RefCell<Option<Box<dyn FnOnce()>>>,
}

impl Registration {
    /// `remove` is called once at most.
    pub fn new(remove: impl FnOnce() + 'static) -> Self {
        Self {
            remove: RefCell::new(Some(Box::new(remove))),
        }
    }
}

#[wasm_bindgen]
impl Registration {
    /// Ends it; a second call does nothing.
    pub fn remove(&self) {
        let remove = self.remove.borrow_mut().take();
        if let Some(remove) = remove {
            remove();
        }
    }
}
