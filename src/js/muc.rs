//! `Muc`: entering rooms.

use super::client::Inner;
use super::error::Problem;
use super::object::{Reader, field};
use super::options::{self, Waiting};
use super::promise::promise;
use super::room::RoomHandle;
use crate::web::race::race;
use crate::web::unicode::PlatformUnicode;
use epode_proto::time::Millis;
use epode_proto::xep::muc::request::History;
use epode_proto::xep::muc::room::RoomState;
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
        let state = options::jid(room).and_then(|room| {
            RoomState::new(&room, nick, &PlatformUnicode).map_err(|_| {
                Problem::new(
                    "bad-jid",
                    "The nick holds a character that is not allowed, is empty, or too long.",
                )
            })
        });
        let bounds = history(&options, &read);
        let password = read.text("password");
        let waiting = Waiting::from(&read);
        let prepared = state.and_then(|state| read.done().map(|()| state));
        promise(async move {
            let state = prepared?;
            let jid = state.room().as_str().to_owned();
            inner.ready().await;
            if inner.rooms.borrow().contains_key(&jid) {
                return Err(Problem::new(
                    "bad-argument",
                    "This client is in that room already, or on its way in. Leave it first.",
                )
                .into());
            }
            let (room, joined) = RoomHandle::new(&inner, state);
            inner
                .rooms
                .borrow_mut()
                .insert(jid.clone(), Rc::clone(&room));
            let timeout = u32::try_from(waiting.timeout.unwrap_or(JOIN_TIMEOUT).0).ok();
            let entered = match room.enter(password, bounds) {
                Ok(()) => race(joined, waiting.signal, timeout).await,
                Err(problem) => {
                    inner.rooms.borrow_mut().remove(&jid);
                    return Err(problem.into());
                }
            };
            let outcome = match entered {
                Ok(Some(outcome)) => outcome,
                Ok(None) => Err(super::error::not_connected().into_js()),
                Err(lost) => {
                    // It may let us in yet: we are not coming.
                    room.withdraw();
                    Err(Problem::from(lost).into_js())
                }
            };
            match outcome {
                Ok(()) => Ok(room.into_js()),
                Err(error) => {
                    inner.rooms.borrow_mut().remove(&jid);
                    Err(error)
                }
            }
        })
    }
}
