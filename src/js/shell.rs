//! The two sides of one client: the driver with the protocol, and the page's sink.
//!
//! Rust holds the sink weakly, and strongly while the driver owns this shell, that is while the connection is not
//! offline. The sink refers to the page's client and to all objects that the page has registered, so these stay alive
//! as long as an event may come, and are garbage-collected afterwards.

use super::sink::Sink;
use crate::web::driver::Driver;
use crate::web::platform::ApiOverrides;
use crate::web::run_loop::EventSink;
use epode_proto::client::ClientEvent;
use epode_proto::error::CloseReason;
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

/// The two sides of one client.
pub struct Shell {
    /// The client with its network and timer.
    pub driver: Rc<Driver>,
    /// The receiver of the events.
    pub listener: Rc<Listener>,
}

impl Shell {
    /// The error of an interruption, or of an end that the page did not request; `undefined` for any other reason.
    pub fn explain(&self, sink: &Sink, reason: &CloseReason) -> JsValue {
        let service = self
            .driver
            .read(|client| client.connection().service().map(str::to_owned));
        sink.reason(reason, service.as_deref())
    }

    /// The error of the connection's end, for the calls that ended with it; `undefined` if the page requested the end.
    pub fn end_cause(&self, sink: &Sink) -> JsValue {
        let reason = self.driver.read(|client| client.end_reason());
        reason.map_or(JsValue::UNDEFINED, |reason| self.explain(sink, &reason))
    }
}

impl EventSink<ClientEvent> for Shell {
    fn handle_event(self: Rc<Self>, event: ClientEvent) {
        if let Some(sink) = self.listener.sink() {
            self.report_event(&sink, event);
        }
    }

    fn set_owned(&self, owned: bool) {
        self.listener.hold(owned);
    }
}
