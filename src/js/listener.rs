//! The page's sink, as the module holds it: weakly, and strongly while the driver owns the shell, that is while a
//! connection or a stream is not at its end. The sink refers to the page's object and to all that the page has
//! registered there, so these stay alive as long as an event may come, and are garbage-collected afterwards.

use super::sink::Sink;
use crate::web::platform::ApiOverrides;
use js_sys::{Object, WeakRef};
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::prelude::*;

/// The page's sink, held weakly, and strongly while it is pinned.
pub struct Listener {
    weak: WeakRef<Object>,
    strong: RefCell<Option<Rc<Sink>>>,
}

impl Listener {
    /// Holds the sink weakly.
    pub fn new(sink: &Sink) -> Rc<Self> {
        Rc::new(Self {
            weak: WeakRef::new(sink.unchecked_ref()),
            strong: RefCell::default(),
        })
    }

    /// Holds it strongly from now on, or not any more.
    pub fn hold(&self, on: bool) {
        let sink = if on { self.sink() } else { None };
        self.strong.replace(sink);
    }

    /// Whether it is held strongly.
    #[cfg(feature = "client")]
    pub fn is_held(&self) -> bool {
        self.strong.borrow().is_some()
    }

    /// `None` if the sink was garbage-collected: the page has no reference left to its client.
    pub fn sink(&self) -> Option<Rc<Sink>> {
        let strong = self.strong.borrow().clone();
        strong.or_else(|| Some(Rc::new(self.weak.deref()?.unchecked_into())))
    }
}

/// The sink knows the page's replacements of platform APIs.
impl ApiOverrides for Listener {
    fn replacement(&self, name: &str) -> JsValue {
        let found = self.sink().and_then(|sink| sink.replacement(name).ok());
        found.unwrap_or(JsValue::UNDEFINED)
    }
}
