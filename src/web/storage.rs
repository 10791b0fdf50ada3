//! Storage over a reload, of a tab (`sessionStorage`) or of all pages of an origin (`localStorage`): where it exists
//! (not in workers and Node) and the page may use it.

use js_sys::Reflect;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// HTML's `Storage`.
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
    /// The storage of the tab.
    pub fn of_tab() -> Option<Self> {
        Self::named("sessionStorage")
    }

    /// The storage that all pages of the origin share.
    pub fn of_origin() -> Option<Self> {
        Self::named("localStorage")
    }

    /// Reading the property throws if the page has no permission.
    fn named(name: &str) -> Option<Self> {
        // COMPAT(Node): reading `localStorage` prints a warning, and there is no tab.
        let place = Reflect::get(&js_sys::global(), &name.into()).ok()?;
        place.is_object().then(|| place.unchecked_into())
    }

    /// Whether a key exists.
    pub fn has(&self, key: &str) -> bool {
        self.look(key).is_some()
    }

    /// Returns a value without removing it.
    pub fn look(&self, key: &str) -> Option<String> {
        self.get(key).ok().flatten()
    }

    /// Returns all keys.
    pub fn keys(&self) -> Vec<String> {
        let nth = |at| self.nth(at).ok().flatten();
        (0..self.length()).filter_map(nth).collect()
    }

    /// Removes and returns a value.
    pub fn take(&self, key: &str) -> Option<String> {
        let value = self.look(key)?;
        self.remove(key).ok()?;
        Some(value)
    }

    /// Stores a value; false if there is no space.
    pub fn keep(&self, key: &str, value: &str) -> bool {
        self.set(key, value).is_ok()
    }
}
