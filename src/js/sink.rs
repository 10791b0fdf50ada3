//! `Sink`: the events and errors that the module passes to the page. The interface is defined in TypeScript
//! (pkg-template/src/core.ts); this file declares its methods. Each is declared `catch`, since an exception that
//! unwinds through the module would run no destructors.
//!
//! Elements cross packed (`crossing.rs`), as two arguments, `text` and `words`; `text` is `undefined`
//! for no element. Times are milliseconds since 1970 (`NaN` for none), ids numbers. Arrays are views of the module's memory:
//! the sink copies the data that it keeps.

// Generated code has no documentation.
#![allow(missing_docs)]

use epode_proto::xep::pubsub::feed::Via;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// The platform's way to report that a callback threw.
    #[wasm_bindgen(js_name = reportError, catch)]
    fn report_error(error: &JsValue) -> Result<(), JsValue>;

    /// The page's receiver of events.
    #[derive(Clone, Debug)]
    #[wasm_bindgen(typescript_type = "Sink")]
    pub type Sink;

    // ── errors ──────────────────────────────────────────────────────────────────────────────────────────────────────

    /// Creates the error of that name (pkg-template/src/errors.ts), with two details for its sentence.
    #[wasm_bindgen(method, catch)]
    pub fn problem(
        this: &Sink,
        kind: &str,
        first: Option<&str>,
        second: Option<&str>,
        text: &JsValue,
        words: &[u32],
    ) -> Result<JsValue, JsValue>;

    /// Creates the error of an error stanza.
    #[wasm_bindgen(method, catch, js_name = stanzaError)]
    #[allow(clippy::too_many_arguments)]
    pub fn stanza_error(
        this: &Sink,
        condition: &str,
        kind: &str,
        reason: Option<&str>,
        application: Option<&str>,
        application_ns: Option<&str>,
        text: &JsValue,
        words: &[u32],
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

    /// The connection is connecting, logging in, binding or closing.
    #[wasm_bindgen(method, catch)]
    pub fn status(this: &Sink, status: &str) -> Result<(), JsValue>;

    /// The connection is online.
    #[wasm_bindgen(method, catch)]
    pub fn online(this: &Sink, resumed: bool) -> Result<(), JsValue>;

    /// The connection was interrupted; the number of the next attempt, and the time until it in milliseconds.
    #[wasm_bindgen(method, catch)]
    pub fn interrupted(
        this: &Sink,
        error: &JsValue,
        attempt: u32,
        pause: f64,
    ) -> Result<(), JsValue>;

    /// The connection ended; `error` is `undefined` if the page requested it.
    #[wasm_bindgen(method, catch)]
    pub fn offline(this: &Sink, error: &JsValue) -> Result<(), JsValue>;

    /// A login begins: answer with `Core.giveCredentials`, now or later.
    #[wasm_bindgen(method, catch, js_name = credentialsWanted)]
    pub fn credentials_wanted(this: &Sink) -> Result<(), JsValue>;

    /// The memory with which the next login needs fewer round trips changed.
    #[wasm_bindgen(method, catch)]
    pub fn learned(this: &Sink, memory: &str) -> Result<(), JsValue>;

    /// The account was registered.
    #[wasm_bindgen(method, catch)]
    pub fn registered(this: &Sink) -> Result<(), JsValue>;

    /// The page's replacement of a platform function or class; `undefined` if there is none.
    #[wasm_bindgen(method, catch)]
    pub fn replacement(this: &Sink, name: &str) -> Result<JsValue, JsValue>;

    // ── stanzas ─────────────────────────────────────────────────────────────────────────────────────────────────────

    /// A stanza for a handler, and for others if there are any.
    #[wasm_bindgen(method, catch)]
    pub fn stanza(
        this: &Sink,
        text: &JsValue,
        words: &[u32],
        handler: u32,
        others: Option<&[u32]>,
    ) -> Result<(), JsValue>;

    /// The result of a request.
    #[wasm_bindgen(method, catch)]
    pub fn reply(this: &Sink, request: u32, text: &JsValue, words: &[u32]) -> Result<(), JsValue>;

    /// The error of a request that has no result.
    #[wasm_bindgen(method, catch)]
    pub fn refused(this: &Sink, request: u32, error: &JsValue) -> Result<(), JsValue>;

    /// The delivery of a stanza of the page; `error` is `undefined` if the server has received it.
    #[wasm_bindgen(method, catch)]
    pub fn settled(this: &Sink, send: u32, error: &JsValue) -> Result<(), JsValue>;

    /// A stanza of the page or of the client may not have arrived.
    #[wasm_bindgen(method, catch)]
    pub fn undelivered(this: &Sink, xml: &str, error: &JsValue) -> Result<(), JsValue>;

    /// An error that no promise reports.
    #[wasm_bindgen(method, catch)]
    pub fn notice(this: &Sink, error: &JsValue) -> Result<(), JsValue>;

    /// An element was given to the transport; only while tapped.
    #[wasm_bindgen(method, catch)]
    pub fn sent(this: &Sink, xml: &str) -> Result<(), JsValue>;

    /// An element arrived; only while tapped.
    #[wasm_bindgen(method, catch)]
    pub fn received(this: &Sink, xml: &str) -> Result<(), JsValue>;

    // ── feeds ───────────────────────────────────────────────────────────────────────────────────────────────────────

    /// The service has accepted the subscription; its state, JID and subscription id, if the service sent them.
    #[wasm_bindgen(method, catch, js_name = feedAgreed)]
    pub fn feed_agreed(
        this: &Sink,
        feed: u32,
        state: &str,
        jid: Option<&str>,
        subid: Option<&str>,
    ) -> Result<(), JsValue>;

    /// The service refused the subscription. The feed has ended.
    #[wasm_bindgen(method, catch, js_name = feedRefused)]
    pub fn feed_refused(this: &Sink, feed: u32, error: &JsValue) -> Result<(), JsValue>;

    /// An item was published.
    #[wasm_bindgen(method, catch, js_name = feedItem)]
    #[allow(clippy::too_many_arguments)]
    pub fn feed_item(
        this: &Sink,
        feed: u32,
        id: Option<&str>,
        text: &JsValue,
        words: &[u32],
        publisher: Option<&str>,
        time: f64,
        via: ViaName,
    ) -> Result<(), JsValue>;

    /// An item was removed.
    #[wasm_bindgen(method, catch, js_name = feedRetracted)]
    pub fn feed_retracted(this: &Sink, feed: u32, id: &str, via: ViaName) -> Result<(), JsValue>;

    /// All items were removed.
    #[wasm_bindgen(method, catch, js_name = feedPurged)]
    pub fn feed_purged(this: &Sink, feed: u32) -> Result<(), JsValue>;

    /// Items may be missing between these two.
    #[wasm_bindgen(method, catch, js_name = feedGap)]
    pub fn feed_gap(
        this: &Sink,
        feed: u32,
        after: Option<&str>,
        before: Option<&str>,
    ) -> Result<(), JsValue>;

    /// All earlier or missed items have been reported.
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

    /// The node was deleted.
    #[wasm_bindgen(method, catch, js_name = feedDeleted)]
    pub fn feed_deleted(this: &Sink, feed: u32, redirect: Option<&str>) -> Result<(), JsValue>;

    /// The feed ended at `position`. No further event of this feed follows.
    #[wasm_bindgen(method, catch, js_name = feedEnded)]
    pub fn feed_ended(this: &Sink, feed: u32, position: Option<&str>) -> Result<(), JsValue>;

    // ── rooms ───────────────────────────────────────────────────────────────────────────────────────────────────────

    /// A message to the whole room, or a private one.
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
        text: &JsValue,
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

    /// Creates an occupant, for the call that follows: `roomJoined`, `roomChanged` or `roomLeft`, or as one of
    /// `Core.occupants`.
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

    /// An occupant entered.
    #[wasm_bindgen(method, catch, js_name = roomJoined)]
    pub fn room_joined(this: &Sink, room: u32, occupant: &JsValue) -> Result<(), JsValue>;

    /// An occupant's role, affiliation or availability changed.
    #[wasm_bindgen(method, catch, js_name = roomChanged)]
    pub fn room_changed(this: &Sink, room: u32, occupant: &JsValue) -> Result<(), JsValue>;

    /// An occupant left.
    #[wasm_bindgen(method, catch, js_name = roomLeft)]
    pub fn room_left(
        this: &Sink,
        room: u32,
        occupant: &JsValue,
        reason: &str,
        text: Option<&str>,
    ) -> Result<(), JsValue>;

    /// An occupant changed the nick.
    #[wasm_bindgen(method, catch, js_name = roomNick)]
    pub fn room_nick(
        this: &Sink,
        room: u32,
        from: &str,
        to: &str,
        own: bool,
    ) -> Result<(), JsValue>;

    /// The client is in the room again.
    #[wasm_bindgen(method, catch, js_name = roomRejoined)]
    pub fn room_rejoined(this: &Sink, room: u32) -> Result<(), JsValue>;

    /// The room refused a request, or its state may be wrong.
    #[wasm_bindgen(method, catch, js_name = roomError)]
    pub fn room_error(this: &Sink, room: u32, error: &JsValue) -> Result<(), JsValue>;

    /// The client is out of the room without having left.
    #[wasm_bindgen(method, catch, js_name = roomOut)]
    pub fn room_out(
        this: &Sink,
        room: u32,
        reason: &str,
        text: Option<&str>,
        alternative: Option<&str>,
    ) -> Result<(), JsValue>;

    /// The visit ended; the own nick at its end. No further event of this visit follows.
    #[wasm_bindgen(method, catch, js_name = roomClosed)]
    pub fn room_closed(this: &Sink, room: u32, nick: &str) -> Result<(), JsValue>;

    /// A room command ended; `error` is `undefined` if it succeeded.
    #[wasm_bindgen(method, catch, js_name = roomCommand)]
    pub fn room_command(this: &Sink, command: u32, error: &JsValue) -> Result<(), JsValue>;

    // ── events without a subscription ───────────────────────────────────────────────────────────────────────────────

    /// An account published an item (XEP-0163).
    #[wasm_bindgen(method, catch, js_name = personalItem)]
    #[allow(clippy::too_many_arguments)]
    pub fn personal_item(
        this: &Sink,
        watches: &[u32],
        account: &str,
        node: &str,
        id: Option<&str>,
        text: &JsValue,
        words: &[u32],
        publisher: Option<&str>,
        time: f64,
    ) -> Result<(), JsValue>;

    /// An account changed a node in another way: `kind` is `retract`, `purge`, `delete` or `configuration`.
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

    /// A service asks the owner to approve a subscription.
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
    pub fn frame(this: &StreamSink, text: &JsValue, words: &[u32]) -> Result<(), JsValue>;

    /// A body or frame was handed to the platform; only while tapped.
    #[wasm_bindgen(method, catch, js_name = sentText)]
    pub fn sent_text(this: &StreamSink, text: &str) -> Result<(), JsValue>;

    /// An element has not left; before `closed`.
    #[wasm_bindgen(method, catch)]
    pub fn unsent(this: &StreamSink, text: &JsValue, words: &[u32]) -> Result<(), JsValue>;

    /// The stream is at its end; `error` is `undefined` where that was asked for.
    #[wasm_bindgen(method, catch)]
    pub fn closed(this: &StreamSink, error: &JsValue) -> Result<(), JsValue>;
}

/// How an item came. It crosses as a number, and is a string on the other side.
#[wasm_bindgen]
#[derive(Clone, Copy, Debug)]
pub enum ViaName {
    /// In the listing at the start of the feed.
    Snapshot = "snapshot",
    /// By an event when the item was published.
    Live = "live",
    /// By fetching after an interruption.
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

/// Reports an exception of the sink: it should not throw, and the module does not depend on it.
pub fn report_exception(outcome: Result<(), JsValue>) {
    if let Err(error) = outcome {
        // COMPAT(Node 20, Safari < 15.4): no reportError: errors of the sink are lost there, and reported on all other platforms.
        let _ = report_error(&error);
    }
}
