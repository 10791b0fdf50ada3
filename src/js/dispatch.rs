//! Who gets a stanza: the rooms and feeds it belongs to, then the handlers; a request that nobody
//! takes is answered in `answers.rs`.

use super::client::Inner;
use super::error::{Problem, report};
use super::promise::spawn;
use super::stanza::Stanza;
use crate::web::unicode::PlatformUnicode;
use epode_proto::fifo::Fifo;
use epode_proto::handler::HandlerId;
use epode_proto::xep::pubsub::event;
use epode_proto::xml::Element;
use js_sys::Function;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use wasm_bindgen::prelude::*;

/// How many stanzas are kept for the first handler; beyond, the oldest go, and the page is told.
const KEPT: usize = 1_000;

/// The stanzas that came before there was a handler.
#[derive(Default)]
pub struct Backlog {
    /// `None` once the first handler has had them.
    kept: RefCell<Kept>,
    releasing: Cell<bool>,
    dropped: Cell<bool>,
}

struct Kept(Option<Fifo<Element>>);

impl Default for Kept {
    fn default() -> Self {
        Self(Some(Fifo::default()))
    }
}

impl Inner {
    /// A stanza that is not a reply to a request of ours.
    pub fn dispatch(self: &Rc<Self>, stanza: &Element) {
        let taken = self.hear_room(stanza) | self.tell_feeds(stanza);
        let request = stanza.name() == "iq";
        if !taken && !request && self.keep(stanza) {
            return;
        }
        let pushed = request && self.hear_push(stanza);
        let answered = self.wake_handlers(stanza);
        if request && !answered {
            if pushed {
                self.acknowledge_push(stanza);
            } else {
                self.respond(stanza);
            }
        }
    }

    /// Calls the handlers. True when one of them is there to answer.
    fn wake_handlers(&self, stanza: &Element) -> bool {
        let due = self.handlers.borrow().matching(stanza, &PlatformUnicode);
        let mut answered = false;
        if due.is_empty() {
            return answered;
        }
        // One copy for all handlers, without the rest of the body that the stanza came in.
        let element = stanza.detach();
        for id in due {
            answered |= self.wake(id, &element);
        }
        answered
    }

    fn wake(&self, id: HandlerId, element: &Element) -> bool {
        // Removed by a handler before it? Then it is not called any more.
        let (callback, answers) = {
            let handlers = self.handlers.borrow();
            let Some(callback) = handlers.get(id) else {
                return false;
            };
            let answers = handlers
                .matcher(id)
                .is_some_and(|matcher| matcher.answers_requests());
            (*callback, answers)
        };
        let Ok(callback) = self.held.get(callback).dyn_into::<Function>() else {
            return false;
        };
        let stanza = Stanza::from(element.clone());
        if let Err(error) = callback.call1(&JsValue::UNDEFINED, &stanza.into()) {
            report(&error);
        }
        answers
    }

    fn tell_feeds(self: &Rc<Self>, stanza: &Element) -> bool {
        if !event::is_event(stanza) {
            let message = stanza.name() == "message";
            return self.tell_approval(stanza) || message && self.route_event(stanza);
        }
        match self.tell_personal(stanza) {
            // An account's node may be called as one that is subscribed elsewhere: that is no lie.
            Some(false) => true,
            Some(true) => self.route_event(stanza) | true,
            None => self.route_event(stanza),
        }
    }

    // ── before the first handler ────────────────────────────────────────────────────────────────────────────────────

    /// Keeps a stanza for the first handler. False when that one has been there.
    fn keep(&self, stanza: &Element) -> bool {
        let overflow = {
            let mut kept = self.backlog.kept.borrow_mut();
            let Some(queue) = &mut kept.0 else {
                return false;
            };
            queue.push_back(stanza.detach());
            queue.len() > KEPT && queue.pop_front().is_some()
        };
        if overflow && !self.backlog.dropped.replace(true) {
            self.complain(Problem::new(
                "too-large",
                "More than 1,000 stanzas came before there was a handler: the oldest are dropped. Add handlers before connect().",
            ));
        }
        true
    }

    /// There is a handler: what was kept is handed out after this turn, so that its siblings are there too.
    pub fn release_backlog(self: &Rc<Self>) {
        let waiting = self.backlog.kept.borrow().0.is_some();
        if !waiting || self.backlog.releasing.replace(true) {
            return;
        }
        let inner = Rc::clone(self);
        spawn(async move {
            loop {
                if inner.handlers.borrow().is_empty() {
                    // They are gone already: go on keeping.
                    inner.backlog.releasing.set(false);
                    return;
                }
                let next = inner
                    .backlog
                    .kept
                    .borrow_mut()
                    .0
                    .as_mut()
                    .and_then(Fifo::pop_front);
                let Some(stanza) = next else { break };
                inner.wake_handlers(&stanza);
            }
            inner.backlog.kept.borrow_mut().0 = None;
        });
    }

    /// Tells the page what no promise tells.
    pub fn complain(&self, problem: Problem) {
        self.listeners.emit("error", &problem.into_js());
    }
}
