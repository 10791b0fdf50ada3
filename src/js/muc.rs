//! `Muc`: entering rooms.

use super::error::{Problem, not_connected};
use super::inner::Inner;
use super::object::field;
use super::options::{self, Waiting};
use super::promise::promise;
use super::reader::Reader;
use crate::web::race::{RaceError, race};
use epode_proto::time::Millis;
use epode_proto::xep::muc::JoinOptions;
use epode_proto::xep::muc::request::History;
use js_sys::Promise;
use std::rc::Rc;
use wasm_bindgen::prelude::*;

/// How long a room may take to let us in.
const JOIN_TIMEOUT: Millis = Millis::seconds(30);

/// Rooms over one client's connection.
#[wasm_bindgen(skip_typescript)]
pub struct Muc(Rc<Inner>);

impl Muc {
    /// Over that client's connection.
    pub fn new(inner: Rc<Inner>) -> Self {
        Self(inner)
    }
}

/// `history` of the options.
fn history(options: &JsValue, outer: &Reader<'_>) -> History {
    let history = field(options, "history");
    let read = Reader::of(&history);
    let count = |name: &str| read.number(name, 0, u32::MAX, "is a number, 0 or more");
    let since = read.given("since").map(|since| {
        let since = since.dyn_ref::<js_sys::Date>();
        let since = since.map_or(f64::NAN, js_sys::Date::get_time);
        if since.is_nan() {
            read.fail(Problem::new(
                "bad-argument",
                "'history.since' is a valid Date.",
            ));
        }
        #[allow(clippy::cast_possible_truncation)]
        let since = since as i64;
        since
    });
    let history = History {
        maxstanzas: count("maxstanzas"),
        maxchars: count("maxchars"),
        seconds: count("seconds"),
        since,
    };
    outer.ok(read.done());
    history
}

#[wasm_bindgen]
impl Muc {
    /// Joins a room; resolves with its `Room` when really in.
    pub fn join(&self, room: &str, nick: &str, options: JsValue) -> Promise {
        let inner = Rc::clone(&self.0);
        let read = Reader::of(&options);
        let address = options::jid(room);
        let nick = nick.to_owned();
        let entry = JoinOptions {
            history: history(&options, &read),
            password: read.text("password"),
            timeout: JOIN_TIMEOUT,
        };
        let waiting = Waiting::from(&read);
        let prepared = address.and_then(|address| read.done().map(|()| address));
        promise(async move {
            let address = prepared?;
            inner.ready().await;
            if let Some(signal) = &waiting.signal
                && signal.aborted()
            {
                return Err(Problem::from(RaceError::Aborted(signal.reason())).into());
            }
            let entry = JoinOptions {
                timeout: waiting.timeout.unwrap_or(JOIN_TIMEOUT),
                ..entry
            };
            let (room, command, joined) = inner.join_room(&address, &nick, entry)?;
            match race(joined, waiting.signal, None).await {
                Ok(Ok(outcome)) => outcome.map(|()| room.into_js()),
                Ok(Err(_)) => Err(not_connected().into_js()),
                Err(lost) => {
                    // The room may let us in yet: a leave follows.
                    inner.abandon_command(command);
                    Err(Problem::from(lost).into_js())
                }
            }
        })
    }
}
