//! Typed events and their listeners. What happens before the first listener of its kind is kept, bounded, and handed to
//! it in order.

use super::error::Problem;
use super::error::report;
use super::held::{Held, Slot};
use super::promise::spawn;
use super::reading::function;
use super::registration::Registration;
use js_sys::Function;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use wasm_bindgen::prelude::*;

/// How many events of a kind are kept for its first listener, where it is not another number; beyond, the oldest go.
pub const KEPT: usize = 1_000;

struct Kind {
    name: &'static str,
    listeners: Vec<Slot>,
    /// Kept until the first listener has had them; `None`: not kept (any more).
    backlog: Option<VecDeque<Slot>>,
    dropped: bool,
}

/// The listeners of one object.
pub struct Listeners {
    kinds: RefCell<Vec<Kind>>,
    /// The callbacks and the kept events.
    held: Rc<Held>,
    /// How many events of a kind are kept.
    most: usize,
}

impl Listeners {
    /// `kept` kinds wait for their first listener, `passing` ones do not.
    pub fn new(kept: &[&'static str], passing: &[&'static str]) -> Rc<Self> {
        Self::keeping(Held::new(), KEPT, kept, passing)
    }

    /// The same with values that are `held` beside others, and where `most` events of each kind are kept.
    pub fn keeping(
        held: Rc<Held>,
        most: usize,
        kept: &[&'static str],
        passing: &[&'static str],
    ) -> Rc<Self> {
        let kind = |name: &'static str, kept: bool| Kind {
            name,
            listeners: Vec::new(),
            backlog: kept.then(VecDeque::default),
            dropped: false,
        };
        let mut kinds = Vec::new();
        for name in kept {
            kinds.push(kind(name, true));
        }
        for name in passing {
            kinds.push(kind(name, false));
        }
        Rc::new(Self {
            kinds: RefCell::new(kinds),
            held,
            most,
        })
    }

    /// The values of the object whose events these are.
    pub fn held(&self) -> &Rc<Held> {
        &self.held
    }

    /// No event will follow. The listeners, and the events that are kept, belong to the page's object alone from now on.
    pub fn close(&self) {
        self.held.unpin();
    }

    /// Adds a listener; `None` when there is no such kind of event.
    pub fn on(self: &Rc<Self>, name: &str, listener: Function) -> Option<Registration> {
        let (id, waiting) = {
            let mut kinds = self.kinds.borrow_mut();
            let kind = kinds.iter_mut().find(|kind| kind.name == name)?;
            let id = self.held.put(&listener);
            kind.listeners.push(id);
            (id, kind.backlog.is_some().then_some(kind.name))
        };
        if let Some(name) = waiting {
            // After the caller's turn, so that its other listeners are there too and `on` never calls back at once.
            let listeners = Rc::clone(self);
            spawn(async move { listeners.hand_over(name) });
        }
        let listeners = Rc::downgrade(self);
        let name = name.to_owned();
        Some(Registration::new(move || {
            if let Some(listeners) = listeners.upgrade() {
                let mut kinds = listeners.kinds.borrow_mut();
                if let Some(kind) = kinds.iter_mut().find(|kind| kind.name == name) {
                    kind.listeners.retain(|known| *known != id);
                }
                drop(kinds);
                listeners.held.remove(id);
            }
        }))
    }

    /// The kinds of events that pages may listen to, for an error.
    pub fn names(&self) -> String {
        let kinds = self.kinds.borrow();
        let mut known = Vec::new();
        for kind in kinds.iter() {
            // The entry makes batches of `_change`.
            known.push(if kind.name == "_change" {
                "batch"
            } else {
                kind.name
            });
        }
        known.join(", ")
    }

    /// Is it worth making an event of this kind?
    pub fn wants(&self, name: &str) -> bool {
        let kinds = self.kinds.borrow();
        kinds
            .iter()
            .any(|kind| kind.name == name && (!kind.listeners.is_empty() || kind.backlog.is_some()))
    }

    /// Keeps no more events of a kind that nobody listens to.
    pub fn keep_no_more(&self, name: &str) {
        let mut dropped = None;
        for kind in self.kinds.borrow_mut().iter_mut() {
            if kind.name == name && kind.listeners.is_empty() {
                dropped = kind.backlog.take();
            }
        }
        while let Some(event) = dropped.as_mut().and_then(VecDeque::pop_front) {
            self.held.remove(event);
        }
    }

    /// Calls the listeners, or keeps the event. False when an older one had to go for it, for the first time.
    pub fn emit(&self, name: &str, event: &JsValue) -> bool {
        {
            let mut kinds = self.kinds.borrow_mut();
            let Some(kind) = kinds.iter_mut().find(|kind| kind.name == name) else {
                return true;
            };
            if let Some(backlog) = &mut kind.backlog {
                let overflow = backlog.len() >= self.most;
                if overflow && let Some(oldest) = backlog.pop_front() {
                    self.held.remove(oldest);
                }
                backlog.push_back(self.held.put(event));
                return !overflow || core::mem::replace(&mut kind.dropped, true);
            }
        }
        self.call(name, event);
        true
    }

    fn hand_over(&self, name: &str) {
        loop {
            let event = {
                let mut kinds = self.kinds.borrow_mut();
                let Some(kind) = kinds.iter_mut().find(|kind| kind.name == name) else {
                    return;
                };
                if kind.listeners.is_empty() {
                    // The only one is gone already: go on keeping.
                    return;
                }
                match kind.backlog.as_mut().and_then(VecDeque::pop_front) {
                    Some(event) => event,
                    None => {
                        kind.backlog = None;
                        return;
                    }
                }
            };
            self.call(name, &self.held.take(event));
        }
    }

    /// Calls those that were there when the event happened, and are still there when their turn comes.
    fn call(&self, name: &str, event: &JsValue) {
        let due: Vec<Slot> = {
            let kinds = self.kinds.borrow();
            let Some(kind) = kinds.iter().find(|kind| kind.name == name) else {
                return;
            };
            kind.listeners.clone()
        };
        for id in due {
            // One that was removed meanwhile is not held any more.
            if let Ok(listener) = self.held.get(id).dyn_into::<Function>()
                && let Err(error) = listener.call1(&JsValue::UNDEFINED, event)
            {
                report(&error);
            }
        }
    }
}

/// Adds a listener of a kind that must exist.
pub fn listen(
    listeners: &Rc<Listeners>,
    kind: &str,
    listener: &JsValue,
) -> Result<Registration, Problem> {
    listeners.on(kind, function(listener)?).ok_or_else(|| {
        let message = format!(
            "There is no event '{kind}' here. There are: {}.",
            listeners.names()
        );
        Problem::new("bad-argument", &message)
    })
}
