//! `Muc`: entering rooms.

use super::client::Inner;
use super::error::Problem;
use super::object::{field, number, text};
use super::options::{self, Waiting};
use super::promise::promise;
use super::room::{Room, RoomHandle};
use crate::proto::time::Millis;
use crate::proto::xep::muc::request::History;
use crate::proto::xep::muc::room::RoomState;
use crate::web::race::race;
use crate::web::unicode::PlatformUnicode;
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
fn history(options: &JsValue) -> Result<History, Problem> {
    let history = field(options, "history");
    let count = |name: &str| number(&history, name, 0..=u32::MAX, "is a number, 0 or more");
    let since = field(&history, "since");
    #[allow(clippy::cast_possible_truncation)]
    let since = match since.dyn_ref::<js_sys::Date>() {
        Some(date) if !date.get_time().is_nan() => Some(date.get_time() as i64),
        None if since.is_undefined() => None,
        _ => {
            return Err(Problem::new(
                "bad-argument",
                "'history.since' is a valid Date.",
            ));
        }
    };
    Ok(History {
        maxstanzas: count("maxstanzas")?,
        maxchars: count("maxchars")?,
        seconds: count("seconds")?,
        since,
    })
}

#[wasm_bindgen]
impl Muc {
    /// Joins a room; resolves with its `Room` when really in.
    pub fn join(&self, room: &str, nick: &str, options: JsValue) -> Promise {
        let inner = Rc::clone(&self.0);
        let prepared = options::jid(room).and_then(|room| {
            let state = RoomState::new(&room, nick, &PlatformUnicode).map_err(|_| {
                Problem::new(
                    "bad-jid",
                    "The nick holds a character that is not allowed, is empty, or too long.",
                )
            })?;
            let bounds = history(&options)?;
            Ok((
                state,
                bounds,
                text(&options, "password")?,
                Waiting::read(&options)?,
            ))
        });
        promise(async move {
            let (state, bounds, password, waiting) = prepared?;
            let jid = state.room().as_str().to_owned();
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
            let entered = match room.enter(password.as_deref(), bounds) {
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
                Ok(()) => Ok(Room::from(room).into()),
                Err(error) => {
                    inner.rooms.borrow_mut().remove(&jid);
                    Err(error)
                }
            }
        })
    }
}
