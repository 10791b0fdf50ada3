//! `ClientCore`: a connection as a page holds it. The package's entry wraps it as `Client`, so that a client can be made
//! before the module is loaded.

use super::error::{Problem, freed};
use super::held::Held;
use super::inner::Inner;
use super::keep::{Beginning, Given};
use super::listeners::listen;
use super::muc::Muc;
use super::options::{self, Waiting};
use super::promise::promise;
use super::pubsub::PubSub;
use super::reading::{function, read_matcher, read_stanza};
use super::registration::Registration;
use super::requests::delivered;
use super::stanza::stanza_to_js;
use js_sys::Promise;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use web_sys::AbortSignal;

/// The promise of what was begun, for the page.
fn finished(inner: Rc<Inner>, begun: Result<(Beginning, Option<AbortSignal>), JsValue>) -> Promise {
    let pin = inner.held.pinned();
    promise(async move {
        let _pin = pin;
        let (beginning, signal) = begun?;
        inner.finish(beginning, signal).await?;
        Ok(JsValue::UNDEFINED)
    })
}

/// A connection to an XMPP server, and what lives on it.
#[wasm_bindgen(skip_typescript)]
pub struct ClientCore(Rc<Inner>);

#[wasm_bindgen]
impl ClientCore {
    /// Reads the options and connects nothing. `owner`: the page's `Client`, or `undefined` where this object stands alone.
    #[wasm_bindgen(constructor)]
    pub fn new(
        services: &JsValue,
        options: &JsValue,
        owner: &JsValue,
    ) -> Result<ClientCore, JsValue> {
        let held = Held::new();
        let options = options::client(services, options, &held)?;
        if owner.is_object() {
            // The owner keeps what it has given, and until there is a connection nothing here keeps the owner.
            held.belong_to(owner);
            held.unpin();
        }
        Ok(Self(Inner::new(options, held)))
    }

    /// What the entry's getters read, by their place in its list: jid, status, service.
    #[wasm_bindgen(js_name = _field)]
    pub fn field(&self, index: u8) -> Option<String> {
        match index {
            0 => self.0.jid().map(|jid| jid.as_str().to_owned()),
            2 => self.0.driver.read(|client| {
                client.jid()?;
                client.connection().service().map(str::to_owned)
            }),
            _ => Some(self.0.status.get().to_owned()),
        }
    }

    /// Publish-subscribe over this connection.
    #[wasm_bindgen(getter)]
    pub fn pubsub(&self) -> PubSub {
        PubSub::new(Rc::clone(&self.0))
    }

    /// Rooms over this connection.
    #[wasm_bindgen(getter)]
    pub fn muc(&self) -> Muc {
        Muc::new(Rc::clone(&self.0))
    }

    /// Resolves when logged in and bound.
    pub fn connect(&self, options: JsValue) -> Promise {
        let inner = Rc::clone(&self.0);
        let begun = Waiting::read(&options)
            .map_err(Problem::into_js)
            .and_then(|Waiting { signal, .. }| Ok((inner.begin(signal.as_ref(), None)?, signal)));
        finished(inner, begun)
    }

    /// Goes on with a session that a web server made.
    pub fn attach(&self, session: JsValue) -> Promise {
        let inner = Rc::clone(&self.0);
        let begun = Given::read(&session)
            .map_err(Problem::into_js)
            .and_then(|given| {
                let signal = given.waiting.signal.clone();
                Ok((inner.begin(signal.as_ref(), Some(&given))?, signal))
            });
        finished(inner, begun)
    }

    /// Ends the session in order. Never rejects.
    pub fn disconnect(&self) -> Promise {
        let closed = self.0.disconnect();
        promise(async move {
            if let Some(closed) = closed {
                let _ = closed.await;
            }
            Ok(JsValue::UNDEFINED)
        })
    }

    /// Sends a stanza written as XML; resolves when the server has it.
    pub fn send(&self, xml: &str) -> Promise {
        let sent = read_stanza(xml).and_then(|stanza| self.0.send(stanza));
        promise(async move { delivered(sent?.await.ok()) })
    }

    /// Sends an iq written as XML; resolves with the result.
    pub fn request(&self, xml: &str, options: JsValue) -> Promise {
        let iq = read_stanza(xml);
        let inner = Rc::clone(&self.0);
        promise(async move {
            let waiting = Waiting::read(&options)?;
            let reply = inner.request(iq?, waiting).await?;
            Ok(stanza_to_js(&reply))
        })
    }

    /// Registers a handler.
    #[wasm_bindgen(js_name = addHandler)]
    pub fn add_handler(
        &self,
        callback: &JsValue,
        matcher: &JsValue,
    ) -> Result<Registration, JsValue> {
        let callback = function(callback)?;
        let matcher = read_matcher(matcher)?;
        let callback = self.0.held.put(&callback);
        let id = self
            .0
            .driver
            .change(|client, _| client.add_handler(matcher));
        self.0.handlers.borrow_mut().insert(id, callback);
        let inner = Rc::downgrade(&self.0);
        Ok(Registration::new(move || {
            if let Some(inner) = inner.upgrade() {
                inner.driver.change(|client, _| client.remove_handler(id));
                inner.handlers.borrow_mut().remove(&id);
                inner.held.remove(callback);
            }
        }))
    }

    /// Registers a listener of an event of the client.
    pub fn on(&self, kind: &str, listener: &JsValue) -> Result<Registration, JsValue> {
        let registration = listen(&self.0.listeners, kind, listener)?;
        self.0.tap();
        let inner = Rc::downgrade(&self.0);
        Ok(Registration::new(move || {
            registration.remove();
            if let Some(inner) = inner.upgrade() {
                inner.tap();
            }
        }))
    }

    /// Ends everything at once: no promise, callback or timer of this client comes after it.
    pub fn shut(&self) {
        self.0.freed.set(true);
        let gone = freed().into_js();
        self.0.end_feeds();
        self.0.end_rooms(&gone);
        self.0.finish_connecting(Err(gone));
        for sender in core::mem::take(&mut *self.0.closing.borrow_mut()) {
            let _ = sender.send(());
        }
        // Dropping the senders settles what waits: unknown deliveries, disconnected requests.
        drop(core::mem::take(&mut *self.0.sends.borrow_mut()));
        drop(core::mem::take(&mut *self.0.requests.borrow_mut()));
        drop(core::mem::take(&mut *self.0.awaiting.borrow_mut()));
        self.0.status.set("offline");
        self.0.driver.shut();
        self.0.held.clear();
    }
}
