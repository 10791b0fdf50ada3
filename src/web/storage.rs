//! What is remembered over a reload, by a tab (`sessionStorage`) or by all pages of an origin (`localStorage`): where there is one
//! (workers and Node have none) and the page may use it.

use js_sys::Reflect;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// HTML's.
    pub type Storage;

    #[wasm_bindgen(method, js_name = getItem, catch)]
    fn get(this: &Storage, key: &str) -> Result<Option<String>, JsValue>;

    #[wasm_bindgen(method, js_name = setItem, catch)]
    fn set(this: &Storage, key: &str, value: &str) -> Result<(), JsValue>;

    #[wasm_bindgen(method, js_name = removeItem, catch)]
    fn remove(this: &Storage, key: &str) -> Result<(), JsValue>;

    #[wasm_bindgen(method, js_name = key, catch)]
    fn nth(this: &Storage, at: u32) -> Result<Option<String>, JsValue>;

    #[wasm_bindgen(method, getter)]
    fn length(this: &Storage) -> u32;
}

impl Storage {
    /// The tab's own.
    pub fn of_tab() -> Option<Self> {
        Self::named("sessionStorage")
    }

    /// What all pages of the origin share.
    pub fn of_origin() -> Option<Self> {
        Self::named("localStorage")
    }

    /// Where a page has no right to it, already looking at it throws.
    fn named(name: &str) -> Option<Self> {
        // COMPAT(Node): there is a `localStorage` that warns when it is looked at, and no tab.
        let place = Reflect::get(&js_sys::global(), &name.into()).ok()?;
        place.is_object().then(|| place.unchecked_into())
    }

    /// Is it there?
    pub fn has(&self, key: &str) -> bool {
        self.look(key).is_some()
    }

    /// What is there, left where it is.
    pub fn look(&self, key: &str) -> Option<String> {
        self.get(key).ok().flatten()
    }

    /// The names of all that is there.
    pub fn keys(&self) -> Vec<String> {
        let nth = |at| self.nth(at).ok().flatten();
        (0..self.length()).filter_map(nth).collect()
    }

    /// Takes it out.
    pub fn take(&self, key: &str) -> Option<String> {
        let value = self.look(key)?;
        self.remove(key).ok()?;
        Some(value)
    }

    /// Keeps it; false when there is no room.
    pub fn keep(&self, key: &str, value: &str) -> bool {
        self.set(key, value).is_ok()
    }
}
