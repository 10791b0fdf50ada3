//! Values of the page that an object of ours uses later: callbacks, decoders, options that are functions, kept events.
//!
//! Every JavaScript value that Rust holds is a root for the garbage collector. A callback usually refers to the object that
//! it is registered with, so that object would never be collected. The values are therefore kept in a JavaScript `Map` that
//! belongs to the object's JavaScript side. Rust holds the map weakly, and strongly only while something may still call
//! the page: while the connection is not offline, while a feed or a room has not ended.

use js_sys::{Map, Object, WeakMap, WeakRef};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use wasm_bindgen::prelude::*;

/// The place of a value among those that are held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot(u32);

/// The values of one client, feed or room.
pub struct Held {
    weak: WeakRef<Map>,
    /// The same map while it is pinned.
    strong: RefCell<Option<Map>>,
    pins: Cell<u32>,
    next: Cell<u32>,
}

/// Keeps the values, and what they refer to, until it is dropped.
pub struct Pin(Rc<Held>);

impl Drop for Pin {
    fn drop(&mut self) {
        self.0.unpin();
    }
}

thread_local! {
    /// The maps by the objects that own them: an entry lives as long as its key.
    static OWNERS: WeakMap = WeakMap::new();
}

impl Held {
    /// Nothing yet, pinned once.
    pub fn new() -> Rc<Self> {
        let map = Map::new();
        Rc::new(Self {
            weak: WeakRef::new(&map),
            strong: RefCell::new(Some(map)),
            pins: Cell::new(1),
            next: Cell::new(0),
        })
    }

    /// The page's object that the values belong to. While they are pinned, it is not collected either.
    pub fn belong_to(&self, owner: &JsValue) {
        if let Some(map) = self.map()
            && let Some(owner) = owner.dyn_ref::<Object>()
        {
            map.set(&JsValue::NULL, owner);
            OWNERS.with(|owners| owners.set(owner, &map));
        }
    }

    /// Keeps them until [`Self::unpin`].
    pub fn pin(&self) {
        self.pins.set(self.pins.get().saturating_add(1));
        let map = self.map();
        self.strong.replace(map);
    }

    /// Takes one pin back.
    pub fn unpin(&self) {
        let pins = self.pins.get().saturating_sub(1);
        self.pins.set(pins);
        if pins == 0 {
            self.strong.replace(None);
            // What was read through a weak reference stays until the current turn of the event loop ends: what this turn
            // still hands to the page, such as a feed that has ended, may own it.
            drop(self.weak.deref());
        }
    }

    /// Keeps them as long as what is returned.
    pub fn pinned(self: &Rc<Self>) -> Pin {
        self.pin();
        Pin(Rc::clone(self))
    }

    /// Forgets all values.
    pub fn clear(&self) {
        if let Some(map) = self.map() {
            map.clear();
        }
    }

    /// Adds a value.
    pub fn put(&self, value: &JsValue) -> Slot {
        let slot = self.next.get();
        self.next.set(slot.wrapping_add(1));
        if let Some(map) = self.map() {
            map.set(&slot.into(), value);
        }
        Slot(slot)
    }

    /// A value; `undefined` when it was removed, or collected.
    pub fn get(&self, slot: Slot) -> JsValue {
        match self.map() {
            Some(map) => map.get(&slot.0.into()),
            None => JsValue::UNDEFINED,
        }
    }

    /// Removes a value.
    pub fn remove(&self, slot: Slot) {
        if let Some(map) = self.map() {
            map.delete(&slot.0.into());
        }
    }

    /// Removes a value and returns it.
    pub fn take(&self, slot: Slot) -> JsValue {
        let value = self.get(slot);
        self.remove(slot);
        value
    }

    /// `None` when it was collected: the page has no way left to reach what the values belong to.
    fn map(&self) -> Option<Map> {
        let strong = self.strong.borrow().clone();
        strong.or_else(|| self.weak.deref())
    }
}
