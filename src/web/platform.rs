//! `fetch` and `WebSocket`: those of the platform, or replacements given by the page.

use js_sys::{Array, Function, Promise, Reflect};
use wasm_bindgen::prelude::*;
use web_sys::RequestInit;

/// Replacements of platform APIs, given by the page.
pub trait ApiOverrides {
    /// The replacement of this function or class; `undefined` if there is none.
    fn replacement(&self, name: &str) -> JsValue;
}

/// The replacement or the platform's function, looked up for each use; `None` if neither exists.
fn find(platform: &dyn ApiOverrides, name: &str) -> Option<Function> {
    let own = platform.replacement(name);
    if !own.is_undefined() {
        return own.dyn_into().ok();
    }
    let native = Reflect::get(&js_sys::global(), &name.into());
    native.ok()?.dyn_into().ok()
}

/// Calls `fetch`; `None` if it does not exist. An exception or a plain result becomes a settled promise.
pub fn fetch(platform: &dyn ApiOverrides, url: &str, init: &RequestInit) -> Option<Promise> {
    let fetch = find(platform, "fetch")?;
    let sent = match fetch.call2(&JsValue::UNDEFINED, &url.into(), init) {
        Ok(sent) => Promise::resolve(&sent),
        Err(thrown) => Promise::reject(&thrown),
    };
    Some(sent)
}

/// Creates a `WebSocket`; `None` if the class does not exist.
pub fn web_socket(
    platform: &dyn ApiOverrides,
    url: &str,
    protocol: &str,
) -> Option<Result<JsValue, JsValue>> {
    let class = find(platform, "WebSocket")?;
    let arguments = Array::of2(&url.into(), &protocol.into());
    Some(Reflect::construct(&class, &arguments))
}
