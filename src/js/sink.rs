//! `Sink`: what the module tells the page. The interface is TypeScript's (pkg-template/src/core.ts); here are its methods as the module
//! calls them. Each is declared `catch`, since an exception that unwinds through the module would run no destructors.
//!
//! Elements cross packed ([`epode_proto::xml::Element::pack`]), times in milliseconds since 1970 (`NaN` where there is none), ids as
//! numbers. Arrays are views of the module's memory: the sink copies what it keeps.

// Generated code has no documentation.
#![allow(missing_docs)]

use epode_proto::xep::pubsub::feed::Via;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// The platform's way to report that a callback threw.
    #[wasm_bindgen(js_name = reportError, catch)]
    fn report_error(error: &JsValue) -> Result<(), JsValue>;

    /// What the module tells the page.
    #[derive(Clone, Debug)]
    #[wasm_bindgen(typescript_type = "Sink")]
    pub type Sink;

    // ── errors ──────────────────────────────────────────────────────────────────────────────────────────────────────

    /// Makes the error of that name (pkg-template/src/errors.ts), with two details for its sentence.
    #[wasm_bindgen(method, catch)]
    pub fn problem(
        this: &Sink,
        kind: &str,
        first: Option<&str>,
        second: Option<&str>,
        stanza: Option<&[u32]>,
    ) -> Result<JsValue, JsValue>;

    /// Makes the error that an error stanza tells.
    #[wasm_bindgen(method, catch, js_name = stanzaError)]
    pub fn stanza_error(
        this: &Sink,
        condition: &str,
        kind: &str,
        text: Option<&str>,
        application: Option<&str>,
        application_ns: Option<&str>,
        stanza: Option<&[u32]>,
    ) -> Result<JsValue, JsValue>;

    /// Makes the error that says why a connection ended or was interrupted: its code, the sentence's name and what that is about.
    /// `service`: the address that it is about.
    #[wasm_bindgen(method, catch, js_name = closeReason)]
    pub fn close_reason(
        this: &Sink,
        code: &str,
        sentence: &str,
        detail: Option<&str>,
        condition: Option<&str>,
        text: Option<&str>,
        http_status: Option<u16>,
        service: Option<&str>,
    ) -> Result<JsValue, JsValue>;

    // ── the connection ──────────────────────────────────────────────────────────────────────────────────────────────

    /// It connects, logs in, binds or says good-bye.
    #[wasm_bindgen(method, catch)]
    pub fn status(this: &Sink, status: &str) -> Result<(), JsValue>;

    /// It is online.
    #[wasm_bindgen(method, catch)]
    pub fn online(this: &Sink, resumed: bool) -> Result<(), JsValue>;

    /// It broke, and is made again: which attempt is next, and in how many milliseconds.
    #[wasm_bindgen(method, catch)]
    pub fn interrupted(
        this: &Sink,
        error: &JsValue,
        attempt: u32,
        pause: f64,
    ) -> Result<(), JsValue>;

    /// It is over; `error` is `undefined` where that was asked for.
    #[wasm_bindgen(method, catch)]
    pub fn offline(this: &Sink, error: &JsValue) -> Result<(), JsValue>;

    /// A login begins: answer with `Core.giveCredentials`, now or later.
    #[wasm_bindgen(method, catch, js_name = credentialsWanted)]
    pub fn credentials_wanted(this: &Sink) -> Result<(), JsValue>;

    /// What the next login needs fewer round trips with.
    #[wasm_bindgen(method, catch)]
    pub fn learned(this: &Sink, memory: &str) -> Result<(), JsValue>;

    /// The account was made.
    #[wasm_bindgen(method, catch)]
    pub fn registered(this: &Sink) -> Result<(), JsValue>;

    /// A function or class that the page has given in place of the platform's own; `undefined` for the platform's.
    #[wasm_bindgen(method, catch)]
    pub fn replacement(this: &Sink, name: &str) -> Result<JsValue, JsValue>;

    // ── stanzas ─────────────────────────────────────────────────────────────────────────────────────────────────────

    /// A stanza for these handlers.
    #[wasm_bindgen(method, catch)]
    pub fn stanza(this: &Sink, words: &[u32], handlers: &[u32]) -> Result<(), JsValue>;

    /// The result of a request.
    #[wasm_bindgen(method, catch)]
    pub fn reply(this: &Sink, request: u32, words: &[u32]) -> Result<(), JsValue>;

    /// A request has no result.
    #[wasm_bindgen(method, catch)]
    pub fn refused(this: &Sink, request: u32, error: &JsValue) -> Result<(), JsValue>;

    /// What became of a stanza that the page sent; `error` is `undefined` when the server has it.
    #[wasm_bindgen(method, catch)]
    pub fn settled(this: &Sink, send: u32, error: &JsValue) -> Result<(), JsValue>;

    /// A stanza, the page's or the client's own, may not have arrived.
    #[wasm_bindgen(method, catch)]
    pub fn undelivered(this: &Sink, xml: &str, error: &JsValue) -> Result<(), JsValue>;

    /// Something went wrong that no promise tells.
    #[wasm_bindgen(method, catch)]
    pub fn notice(this: &Sink, error: &JsValue) -> Result<(), JsValue>;

    /// An element was given to the transport; only while tapped.
    #[wasm_bindgen(method, catch)]
    pub fn sent(this: &Sink, xml: &str) -> Result<(), JsValue>;

    /// An element arrived; only while tapped.
    #[wasm_bindgen(method, catch)]
    pub fn received(this: &Sink, xml: &str) -> Result<(), JsValue>;

    // ── feeds ───────────────────────────────────────────────────────────────────────────────────────────────────────

    /// The service has agreed; what it said about the subscription, where it did.
    #[wasm_bindgen(method, catch, js_name = feedAgreed)]
    pub fn feed_agreed(
        this: &Sink,
        feed: u32,
        state: &str,
        jid: Option<&str>,
        subid: Option<&str>,
    ) -> Result<(), JsValue>;

    /// The service refused. The feed is over.
    #[wasm_bindgen(method, catch, js_name = feedRefused)]
    pub fn feed_refused(this: &Sink, feed: u32, error: &JsValue) -> Result<(), JsValue>;

    /// An item.
    #[wasm_bindgen(method, catch, js_name = feedItem)]
    #[allow(clippy::too_many_arguments)]
    pub fn feed_item(
        this: &Sink,
        feed: u32,
        id: Option<&str>,
        payload: Option<&[u32]>,
        publisher: Option<&str>,
        time: f64,
        via: ViaName,
    ) -> Result<(), JsValue>;

    /// An item is no longer there.
    #[wasm_bindgen(method, catch, js_name = feedRetracted)]
    pub fn feed_retracted(this: &Sink, feed: u32, id: &str, via: ViaName) -> Result<(), JsValue>;

    /// No item is there any more.
    #[wasm_bindgen(method, catch, js_name = feedPurged)]
    pub fn feed_purged(this: &Sink, feed: u32) -> Result<(), JsValue>;

    /// Something may be missing between these items.
    #[wasm_bindgen(method, catch, js_name = feedGap)]
    pub fn feed_gap(
        this: &Sink,
        feed: u32,
        after: Option<&str>,
        before: Option<&str>,
    ) -> Result<(), JsValue>;

    /// What was there, or was missed, has been told.
    #[wasm_bindgen(method, catch, js_name = feedLive)]
    pub fn feed_live(this: &Sink, feed: u32) -> Result<(), JsValue>;

    /// The service changed the subscription.
    #[wasm_bindgen(method, catch, js_name = feedSubscription)]
    pub fn feed_subscription(
        this: &Sink,
        feed: u32,
        state: &str,
        jid: Option<&str>,
        subid: Option<&str>,
    ) -> Result<(), JsValue>;

    /// The node's configuration changed.
    #[wasm_bindgen(method, catch, js_name = feedConfigured)]
    pub fn feed_configured(this: &Sink, feed: u32) -> Result<(), JsValue>;

    /// The node is no more.
    #[wasm_bindgen(method, catch, js_name = feedDeleted)]
    pub fn feed_deleted(this: &Sink, feed: u32, redirect: Option<&str>) -> Result<(), JsValue>;

    /// The feed is over; `position` is where it stood. Nothing follows for it.
    #[wasm_bindgen(method, catch, js_name = feedEnded)]
    pub fn feed_ended(this: &Sink, feed: u32, position: Option<&str>) -> Result<(), JsValue>;

    // ── rooms ───────────────────────────────────────────────────────────────────────────────────────────────────────

    /// A message to all, or to us alone.
    #[wasm_bindgen(method, catch, js_name = roomMessage)]
    #[allow(clippy::too_many_arguments)]
    pub fn room_message(
        this: &Sink,
        room: u32,
        nick: Option<&str>,
        body: Option<&str>,
        id: Option<&str>,
        time: f64,
        delayed: bool,
        own: bool,
        private: bool,
        words: &[u32],
    ) -> Result<(), JsValue>;

    /// The subject was set.
    #[wasm_bindgen(method, catch, js_name = roomSubject)]
    pub fn room_subject(
        this: &Sink,
        room: u32,
        subject: &str,
        nick: Option<&str>,
    ) -> Result<(), JsValue>;

    /// Begins an occupant, for the call that follows: `roomJoined`, `roomChanged` or `roomLeft`, or as one of `Core.occupants`.
    #[wasm_bindgen(method, catch)]
    #[allow(clippy::too_many_arguments)]
    pub fn occupant(
        this: &Sink,
        nick: &str,
        role: &str,
        affiliation: &str,
        jid: Option<&str>,
        show: Option<&str>,
        status: Option<&str>,
        own: bool,
    ) -> Result<JsValue, JsValue>;

    /// Somebody came.
    #[wasm_bindgen(method, catch, js_name = roomJoined)]
    pub fn room_joined(this: &Sink, room: u32, occupant: &JsValue) -> Result<(), JsValue>;

    /// An occupant's role, affiliation or availability changed.
    #[wasm_bindgen(method, catch, js_name = roomChanged)]
    pub fn room_changed(this: &Sink, room: u32, occupant: &JsValue) -> Result<(), JsValue>;

    /// An occupant is gone.
    #[wasm_bindgen(method, catch, js_name = roomLeft)]
    pub fn room_left(
        this: &Sink,
        room: u32,
        occupant: &JsValue,
        reason: &str,
        text: Option<&str>,
    ) -> Result<(), JsValue>;

    /// An occupant has another nick.
    #[wasm_bindgen(method, catch, js_name = roomNick)]
    pub fn room_nick(
        this: &Sink,
        room: u32,
        from: &str,
        to: &str,
        own: bool,
    ) -> Result<(), JsValue>;

    /// We are in again.
    #[wasm_bindgen(method, catch, js_name = roomRejoined)]
    pub fn room_rejoined(this: &Sink, room: u32) -> Result<(), JsValue>;

    /// The room refused something, or cannot be relied on.
    #[wasm_bindgen(method, catch, js_name = roomError)]
    pub fn room_error(this: &Sink, room: u32, error: &JsValue) -> Result<(), JsValue>;

    /// We are out, not by our own leave.
    #[wasm_bindgen(method, catch, js_name = roomOut)]
    pub fn room_out(
        this: &Sink,
        room: u32,
        reason: &str,
        text: Option<&str>,
        alternative: Option<&str>,
    ) -> Result<(), JsValue>;

    /// The visit is over; our nick at its end. Nothing follows for it.
    #[wasm_bindgen(method, catch, js_name = roomClosed)]
    pub fn room_closed(this: &Sink, room: u32, nick: &str) -> Result<(), JsValue>;

    /// A command of a room is over; `error` is `undefined` when it was carried out.
    #[wasm_bindgen(method, catch, js_name = roomCommand)]
    pub fn room_command(this: &Sink, command: u32, error: &JsValue) -> Result<(), JsValue>;

    // ── what comes without a subscription ───────────────────────────────────────────────────────────────────────────

    /// An account published an item (XEP-0163).
    #[wasm_bindgen(method, catch, js_name = personalItem)]
    #[allow(clippy::too_many_arguments)]
    pub fn personal_item(
        this: &Sink,
        watches: &[u32],
        account: &str,
        node: &str,
        id: Option<&str>,
        payload: Option<&[u32]>,
        publisher: Option<&str>,
        time: f64,
    ) -> Result<(), JsValue>;

    /// An account did something else with a node: `kind` is `retract`, `purge`, `delete` or `configuration`.
    #[wasm_bindgen(method, catch, js_name = personalChange)]
    pub fn personal_change(
        this: &Sink,
        watches: &[u32],
        kind: &str,
        account: &str,
        node: &str,
        id: Option<&str>,
        redirect: Option<&str>,
    ) -> Result<(), JsValue>;

    /// A service asks whether somebody may subscribe.
    #[wasm_bindgen(method, catch, js_name = approvalAsked)]
    #[allow(clippy::too_many_arguments)]
    pub fn approval_asked(
        this: &Sink,
        watches: &[u32],
        service: &str,
        node: &str,
        jid: &str,
        subid: Option<&str>,
        id: Option<&str>,
    ) -> Result<(), JsValue>;
}

#[wasm_bindgen]
extern "C" {
    /// What a stream by hand tells the page; it makes errors as [`Sink`] does.
    #[derive(Clone, Debug)]
    #[wasm_bindgen(extends = Sink, typescript_type = "StreamSink")]
    pub type StreamSink;

    /// A frame arrived.
    #[wasm_bindgen(method, catch)]
    pub fn frame(this: &StreamSink, words: &[u32]) -> Result<(), JsValue>;

    /// A body or frame was handed to the platform; only while tapped.
    #[wasm_bindgen(method, catch, js_name = sentText)]
    pub fn sent_text(this: &StreamSink, text: &str) -> Result<(), JsValue>;

    /// The stream is at its end; `error` is `undefined` where that was asked for.
    #[wasm_bindgen(method, catch)]
    pub fn closed(this: &StreamSink, error: &JsValue) -> Result<(), JsValue>;
}

/// How an item came. It crosses as a number, and is a string on the other side.
#[wasm_bindgen]
#[derive(Clone, Copy, Debug)]
pub enum ViaName {
    /// It was there when the feed began.
    Snapshot = "snapshot",
    /// As it was published.
    Live = "live",
    /// After an interruption.
    CatchUp = "catch-up",
}

impl From<Via> for ViaName {
    fn from(via: Via) -> Self {
        match via {
            Via::Snapshot => Self::Snapshot,
            Via::Live => Self::Live,
            Via::CatchUp => Self::CatchUp,
        }
    }
}

/// Reports what a method of the sink threw: it should not, and nothing here depends on it.
pub fn told(outcome: Result<(), JsValue>) {
    if let Err(error) = outcome {
        // COMPAT(Node 20, Safari < 15.4): no reportError. The sink's own errors are not lost on others.
        let _ = report_error(&error);
    }
}
