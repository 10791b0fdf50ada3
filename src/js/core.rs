//! `Core`: the module's methods for the page. The arguments are strings, numbers and ids; the TypeScript surface
//! (pkg-template/src) wraps the methods in promises, listeners and objects. A refused call throws an error that the
//! sink creates.
//!
//! A method calls the sink only to create such an error, and holds no borrow while it does.

use super::crossing::Crossing;
use super::failures::of_send;
use super::listener::Listener;
use super::settings::Settings;
use super::shell::Shell;
use super::sink::Sink;
use crate::web::clock::PlatformCalendar;
use crate::web::driver::Driver;
use crate::web::entropy::{self, Entropy};
use crate::web::keeper::Keeper;
use crate::web::run_loop::Driven;
use crate::web::unicode::PlatformUnicode;
use epode_proto::client::{Client, Platform};
use epode_proto::connection::Prebound;
use epode_proto::event::IqId;
use epode_proto::handler::{HandlerId, Matcher};
use epode_proto::io::Input;
use epode_proto::jid::Jid;
use epode_proto::sasl::Credentials;
use epode_proto::stanza;
use epode_proto::time::Millis;
use epode_proto::xml::{Element, Limits, XmlError, is_xml_text, parse};
use js_sys::{Array, Uint32Array};
use std::rc::Rc;
use wasm_bindgen::prelude::*;

/// A client.
#[wasm_bindgen]
pub struct Core(pub(super) Rc<Shell>);

/// An address that the surface has validated.
pub fn jid(text: &str) -> Option<Jid> {
    Jid::parse(text, &PlatformUnicode).ok()
}

/// A duration in milliseconds.
pub fn millis(count: Option<u32>) -> Option<Millis> {
    count.map(|count| Millis(u64::from(count)))
}

impl Core {
    /// Whether the module keeps the sink alive, so that the page need not.
    pub fn owns_sink(&self) -> bool {
        self.0.listener.is_held()
    }

    /// The error of that name, to be thrown.
    pub(super) fn refuse(&self, kind: &str) -> JsValue {
        let sink = self.0.listener.sink();
        sink.map_or(JsValue::UNDEFINED, |sink| sink.error(kind))
    }

    /// Parses XML of the page as a stanza.
    fn stanza(&self, xml: &str) -> Result<Element, JsValue> {
        if !is_xml_text(xml) {
            return Err(self.refuse("illegal-character"));
        }
        stanza::parse(xml).map_err(|error| self.unfit(error))
    }

    fn unfit(&self, error: XmlError) -> JsValue {
        let sink = self.0.listener.sink();
        sink.map_or(JsValue::UNDEFINED, |sink| {
            sink.detailed("bad-xml", Some(error.as_str()), None, None)
        })
    }
}

#[wasm_bindgen]
impl Core {
    /// Creates an offline client. Reports to `sink`; the module keeps the sink alive only while the connection is not
    /// offline.
    ///
    /// # Errors
    /// The problems `no-randomness`, `bad-service`, `invalid-option`, `unsendable-option`.
    #[wasm_bindgen(constructor)]
    pub fn new(sink: &Sink, settings: &Settings) -> Result<Core, JsValue> {
        if !entropy::is_available() {
            return Err(sink.error("no-randomness"));
        }
        let config = settings.client();
        let mut config = config.ok_or_else(|| sink.error("bad-service"))?;
        // Report an option that cannot be sent now, and not when it would be sent.
        let prepared = config.connection.prepare(&PlatformUnicode);
        prepared.map_err(|wrong| sink.detailed(wrong.sentence(), Some(wrong.name), None, None))?;
        let lent = Platform {
            unicode: Rc::new(PlatformUnicode),
            calendar: Rc::new(PlatformCalendar),
        };
        let client = Client::new(config, lent, Box::new(Entropy));
        let listener = Listener::new(sink);
        let driver = Driver::new(client, settings.http(), Rc::clone(&listener) as Rc<_>);
        driver.keep_by(settings.keep().and_then(Keeper::new));
        let shell = Rc::new(Shell { driver, listener });
        let weak = Rc::downgrade(&shell);
        shell.driver.listen(weak);
        Ok(Self(shell))
    }

    /// Parses one document and returns it packed (proto/src/xml/packed.rs).
    ///
    /// # Errors
    /// A string with the reason why the document cannot be parsed.
    #[wasm_bindgen(
        js_name = parseXml,
        unchecked_return_type = "[text: string | Uint8Array, words: Uint32Array]"
    )]
    pub fn parse_xml(xml: &str) -> Result<JsValue, JsValue> {
        let element = parse(xml.as_bytes().to_vec(), &Limits::default());
        let element = element.map_err(|error| JsValue::from_str(error.as_str()))?;
        let Crossing { text, words } = Crossing::alone(&element);
        Ok(Array::of2(&text, &Uint32Array::from(&words[..])).into())
    }

    /// The own full JID while online, and during an interruption.
    #[wasm_bindgen(getter)]
    pub fn jid(&self) -> Option<String> {
        let jid = |client: &Client| client.jid().map(|jid| jid.as_str().to_owned());
        self.0.driver.read(jid)
    }

    /// The service in use; only while online.
    #[wasm_bindgen(getter)]
    pub fn service(&self) -> Option<String> {
        self.0.driver.read(|client| {
            client.jid()?;
            client.connection().service().map(str::to_owned)
        })
    }

    /// The domain of the login, normalised.
    #[wasm_bindgen(getter)]
    pub fn domain(&self) -> String {
        let domain = |client: &Client| client.connection().domain().to_owned();
        self.0.driver.read(domain)
    }

    /// The JID to subscribe if the page does not choose one.
    ///
    /// # Errors
    /// The problem `not-connected`.
    pub fn subscriber(&self) -> Result<String, JsValue> {
        let jid = self.0.driver.read(|client| client.subscriber(None));
        jid.map(|jid| jid.as_str().to_owned())
            .ok_or_else(|| self.refuse("not-connected"))
    }

    /// Whether there is no connection and none is planned.
    #[wasm_bindgen(getter, js_name = isOffline)]
    pub fn is_offline(&self) -> bool {
        self.0.driver.is_idle()
    }

    // ── the connection ──────────────────────────────────────────────────────────────────────────────────────────────

    /// Connects; continues the session that an earlier page has stored.
    pub fn connect(&self) {
        self.0.driver.connect();
    }

    /// Continues a BOSH session that a web server made. `alone`: without credentials. Returns false if it does not fit the client.
    pub fn attach(&self, jid: &str, sid: &str, rid: f64, alone: bool) -> bool {
        let Some(jid) = self::jid(jid) else {
            return false;
        };
        // The surface has checked that it is a whole number below 2^53 (XEP-0124 §14.1).
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let rid = rid as u64;
        self.0.driver.change(|client, now| {
            let jid = &jid;
            client.attach(
                now,
                Prebound {
                    jid,
                    sid,
                    rid,
                    alone,
                },
            )
        })
    }

    /// Starts the next attempt now.
    pub fn wake(&self) {
        self.0.driver.change(Client::wake);
    }

    /// Ends the session in order. The terminating request is sent before this returns, if possible. Returns whether
    /// there is a connection, whose end `Sink.offline` reports.
    pub fn disconnect(&self) -> bool {
        let driver = &self.0.driver;
        let is_there = driver.read(|client| !client.connection().is_offline());
        driver.disconnect();
        is_there
    }

    /// Stops connecting.
    pub fn abort(&self) {
        self.0.driver.abort();
    }

    /// Ends everything at once; no event follows.
    pub fn shut(&self) {
        self.0.driver.shut();
    }

    /// Restores the memory that `Sink.learned` reported in an earlier instance.
    pub fn remember(&self, memory: &str) {
        self.0.driver.change(|client, _| client.remember(memory));
    }

    /// Starts or stops reporting every sent and received element.
    pub fn tap(&self, on: bool) {
        self.0.driver.change(|client, _| client.tap(on));
    }

    /// Logs in with a user name and its password.
    #[wasm_bindgen(js_name = logInWithPassword)]
    pub fn log_in_with_password(&self, username: String, password: String) {
        self.log_in(Some(Credentials::Password {
            username,
            password,
            authzid: None,
        }));
    }

    /// Logs in with an access token of that account, a bare JID.
    #[wasm_bindgen(js_name = logInWithToken)]
    pub fn log_in_with_token(&self, account: String, token: String) {
        // Prosody's OAUTHBEARER requires the bare JID, which RFC 7628 allows everywhere.
        self.log_in(Some(Credentials::Token {
            username: None,
            token,
            authzid: Some(account),
        }));
    }

    /// Logs in without an account.
    #[wasm_bindgen(js_name = logInAnonymously)]
    pub fn log_in_anonymously(&self) {
        self.log_in(Some(Credentials::Anonymous));
    }

    /// Logs in with the identity that the transport has established, or as that account, a bare JID.
    #[wasm_bindgen(js_name = logInExternally)]
    pub fn log_in_externally(&self, account: Option<String>) {
        self.log_in(Some(Credentials::External { authzid: account }));
    }

    /// Reports that there are no credentials.
    #[wasm_bindgen(js_name = logInWithNothing)]
    pub fn log_in_with_nothing(&self) {
        self.log_in(None);
    }

    // ── stanzas ─────────────────────────────────────────────────────────────────────────────────────────────────────

    /// Sends a stanza; `Sink.settled` reports its delivery under the returned id.
    ///
    /// # Errors
    /// The problems of a stanza that cannot be sent.
    pub fn send(&self, xml: &str) -> Result<u32, JsValue> {
        let stanza = self.stanza(xml)?;
        let sent = self.0.driver.change(|client, _| client.send(stanza));
        sent.map(|id| id.0)
            .map_err(|error| self.refuse(of_send(error)))
    }

    /// Sends an iq request with a timeout in milliseconds; `Sink.reply` or `Sink.refused` follows under the returned
    /// id.
    ///
    /// # Errors
    /// The problems of a stanza that cannot be sent.
    pub fn request(&self, xml: &str, timeout: u32) -> Result<u32, JsValue> {
        let iq = self.stanza(xml)?;
        let timeout = millis(Some(timeout));
        let asked = self
            .0
            .driver
            .change(|client, now| client.request(now, iq, timeout));
        asked
            .map(|id| id.0)
            .map_err(|error| self.refuse(of_send(error)))
    }

    /// Forgets a request: its result is not reported.
    pub fn forget(&self, request: u32) {
        self.0
            .driver
            .change(|client, _| client.forget(IqId(request)));
    }

    /// Adds a handler; `Sink.stanza` names it by the returned id.
    #[wasm_bindgen(js_name = addHandler)]
    pub fn add_handler(
        &self,
        name: Option<String>,
        types: Vec<String>,
        ns: Option<String>,
        id: Option<String>,
        from: Option<String>,
    ) -> u32 {
        let matcher = Matcher {
            name,
            types,
            ns,
            id,
            from: from.as_deref().and_then(self::jid),
        };
        self.0
            .driver
            .change(|client, _| client.add_handler(matcher))
            .0
    }

    /// Removes a handler.
    #[wasm_bindgen(js_name = removeHandler)]
    pub fn remove_handler(&self, handler: u32) {
        self.0
            .driver
            .change(|client, _| client.remove_handler(HandlerId(handler)));
    }
}

impl Core {
    fn log_in(&self, credentials: Option<Credentials>) {
        self.0.driver.change(|client, now| {
            client.handle_input(now, Input::Credentials(credentials));
        });
    }
}
