//! `StreamCore`: a stream by hand, as the page sees it (pkg-template/src/stream.ts).

use super::crossing::Crossing;
use super::listener::Listener;
use super::settings::StreamSettings;
use super::sink::{StreamSink, report_exception};
use crate::web::entropy::{self, Entropy};
use crate::web::raw_driver::{RawDriver, StreamEvent};
use crate::web::run_loop::Driven;
use crate::web::run_loop::EventSink;
use crate::web::unicode::PlatformUnicode;
use epode_proto::raw_stream::{RawConfig, RawEvent, RawSendError, RawStream};
use epode_proto::stanza;
use epode_proto::xml::{Element, is_xml_text};
use std::rc::Rc;
use wasm_bindgen::prelude::*;

/// Why something was not sent on a stream by hand.
fn of_raw_send(error: RawSendError) -> &'static str {
    match error {
        RawSendError::NotOpen => "stream-not-open",
        RawSendError::Full => "outbox-full",
    }
}

impl StreamSettings {
    /// The configuration of a stream by hand; `None` where the service is none.
    fn stream(&self) -> Option<RawConfig> {
        let mut services = self.services()?;
        let service = (!services.is_empty()).then(|| services.remove(0))?;
        let mut config = RawConfig::for_service(service, &self.domain());
        config.timeout = self.timeout();
        config.bosh.from = self.text("from");
        config.bosh.route = self.text("route");
        self.fill(&mut config.bosh);
        Some(config)
    }
}

/// The two sides of one stream.
struct StreamShell {
    driver: Rc<RawDriver>,
    listener: Rc<Listener>,
}

impl StreamShell {
    fn sink(&self) -> Option<StreamSink> {
        self.listener
            .sink()
            .map(|sink| (*sink).clone().unchecked_into())
    }
}

impl EventSink<StreamEvent> for StreamShell {
    fn handle_event(self: Rc<Self>, event: StreamEvent) {
        let Some(sink) = self.sink() else { return };
        report_exception(match event {
            StreamEvent::Stream(RawEvent::Frame(frame)) => {
                let run_loop = self.driver.run_loop();
                let Crossing { text, words } =
                    Crossing::of(&frame, |number| run_loop.frame(number));
                sink.frame(&text, &words)
            }
            StreamEvent::Stream(RawEvent::Unsent(element)) => {
                let Crossing { text, words } = Crossing::alone(&element);
                sink.unsent(&text, &words)
            }
            StreamEvent::Stream(RawEvent::Closed(reason)) => {
                let service = self.driver.read(|stream| stream.service().to_owned());
                sink.closed(&sink.reason(&reason, Some(&service)))
            }
            StreamEvent::Sent(text) => sink.sent_text(&text),
        });
    }

    fn set_owned(&self, owned: bool) {
        self.listener.hold(owned);
    }
}

/// A stream by hand.
#[wasm_bindgen]
pub struct StreamCore(Rc<StreamShell>);

impl StreamCore {
    fn refuse(&self, kind: &str, detail: Option<&str>) -> JsValue {
        let sink = self.0.listener.sink();
        sink.map_or(JsValue::UNDEFINED, |sink| {
            sink.detailed(kind, detail, None, None)
        })
    }

    /// What the page wrote, read as elements: all of them, or none.
    fn elements(&self, all: &[String]) -> Result<Vec<Element>, JsValue> {
        let mut elements = Vec::new();
        for xml in all {
            if !is_xml_text(xml) {
                return Err(self.refuse("illegal-character", None));
            }
            let element = stanza::parse(xml);
            let element = element.map_err(|error| self.refuse("bad-xml", Some(error.as_str())))?;
            elements.push(element);
        }
        Ok(elements)
    }
}

#[wasm_bindgen]
impl StreamCore {
    /// A stream that is not opened. It tells `sink`, which it holds only while it is running.
    ///
    /// # Errors
    /// The problems `no-randomness`, `bad-service`, `invalid-option`, `unsendable-option`.
    #[wasm_bindgen(constructor)]
    pub fn new(sink: &StreamSink, settings: &StreamSettings) -> Result<StreamCore, JsValue> {
        if !entropy::is_available() {
            return Err(sink.error("no-randomness"));
        }
        let config = settings.stream();
        let mut config = config.ok_or_else(|| sink.error("bad-service"))?;
        let prepared = config.prepare(&PlatformUnicode);
        prepared.map_err(|wrong| sink.detailed(wrong.sentence(), Some(wrong.name), None, None))?;
        let stream = RawStream::new(config, Box::new(Entropy));
        let listener = Listener::new(sink);
        let driver = RawDriver::new(stream, settings.http(), Rc::clone(&listener) as Rc<_>);
        let shell = Rc::new(StreamShell { driver, listener });
        let weak = Rc::downgrade(&shell);
        shell.driver.listen(weak);
        Ok(Self(shell))
    }

    /// Whether the service is a BOSH service.
    #[wasm_bindgen(getter, js_name = isBosh)]
    pub fn is_bosh(&self) -> bool {
        self.0.driver.read(RawStream::is_bosh)
    }

    /// The absolute address of the service.
    #[wasm_bindgen(getter)]
    pub fn service(&self) -> String {
        self.0.driver.read(|stream| stream.service().to_owned())
    }

    /// BOSH: the session's id.
    #[wasm_bindgen(getter)]
    pub fn sid(&self) -> Option<String> {
        let sid = |stream: &RawStream| stream.session().map(|(sid, _)| sid.to_owned());
        self.0.driver.read(sid)
    }

    /// BOSH: the rid of the next request, below 2^53 (XEP-0124 §14.1).
    #[wasm_bindgen(getter)]
    #[allow(clippy::cast_precision_loss)]
    pub fn rid(&self) -> Option<f64> {
        let rid = |stream: &RawStream| stream.session().map(|(_, rid)| rid as f64);
        self.0.driver.read(rid)
    }

    /// Opens the stream: the first request is handed to the platform before this returns. Returns false if it was opened before.
    pub fn open(&self) -> bool {
        self.0.driver.change(true, RawStream::open)
    }

    /// Goes on with a BOSH session that was made elsewhere. Returns false if there can be none.
    pub fn attach(&self, sid: &str, rid: f64) -> bool {
        // The surface has checked that it is a whole number below 2^53.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let rid = rid as u64;
        self.0
            .driver
            .change(true, |stream, _| stream.attach(sid, rid))
    }

    /// Sends elements together.
    ///
    /// # Errors
    /// The problems of what cannot be sent; then nothing was.
    pub fn send(&self, all: Vec<String>) -> Result<(), JsValue> {
        let elements = self.elements(&all)?;
        let sent = self
            .0
            .driver
            .change(false, |stream, _| stream.send(elements));
        sent.map_err(|error| self.refuse(of_raw_send(error), None))
    }

    /// Starts a new stream in the session, after SASL.
    ///
    /// # Errors
    /// The problem `stream-not-open`.
    pub fn restart(&self) -> Result<(), JsValue> {
        let restarted = self.0.driver.change(false, |stream, _| stream.restart());
        restarted.map_err(|error| self.refuse(of_raw_send(error), None))
    }

    /// Ends the stream in order, with these as its last elements. The good-bye is on the wire when this returns, if it may be.
    ///
    /// # Errors
    /// The problems of what cannot be sent; then the stream goes on.
    pub fn close(&self, last: Vec<String>) -> Result<(), JsValue> {
        let last = self.elements(&last)?;
        self.0
            .driver
            .change(true, |stream, now| stream.close(now, last));
        Ok(())
    }

    /// Ends the stream at once; the server is not told.
    pub fn abort(&self) {
        self.0.driver.change(true, RawStream::abort);
    }

    /// Tells the text of each body or frame that is sent, or stops doing so.
    pub fn tap(&self, on: bool) {
        self.0.driver.tap(on);
    }

    /// Ends everything at once: nothing is told after it.
    pub fn shut(&self) {
        self.0.driver.shut();
    }
}
