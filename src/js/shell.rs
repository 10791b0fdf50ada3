//! The two sides of one client: the driver with the protocol, and the page's sink, which is held strongly while the
//! driver owns this shell, that is while the connection is not offline.

use super::listener::Listener;
use super::sink::Sink;
use crate::web::driver::Driver;
use crate::web::run_loop::EventSink;
use epode_proto::client::ClientEvent;
use epode_proto::error::CloseReason;
use std::rc::Rc;
use wasm_bindgen::JsValue;

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
