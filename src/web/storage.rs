//! What a tab remembers over a reload: `sessionStorage`, where there is one (workers and Node have none) and the page may use it.

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
}

impl Storage {
    /// The tab's own. Where a page has no right to it, already looking at it throws.
    pub fn of_tab() -> Option<Self> {
        let storage = Reflect::get(&js_sys::global(), &"sessionStorage".into()).ok()?;
        storage.is_object().then(|| storage.unchecked_into())
    }

    /// Is it there?
    pub fn has(&self, key: &str) -> bool {
        matches!(self.get(key), Ok(Some(_)))
    }

    /// Takes it out.
    pub fn take(&self, key: &str) -> Option<String> {
        let value = self.get(key).ok().flatten()?;
        self.remove(key).ok()?;
        Some(value)
    }

    /// Keeps it; false when there is no room.
    pub fn keep(&self, key: &str, value: &str) -> bool {
        self.set(key, value).is_ok()
    }
}
