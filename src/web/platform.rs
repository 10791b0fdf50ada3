//! `fetch` and `WebSocket`: the platform's own, or the ones that the page has given in their place.

use js_sys::{Array, Function, Promise, Reflect};
use wasm_bindgen::prelude::*;
use web_sys::RequestInit;

/// What the page has given in place of the platform's own.
pub trait ApiOverrides {
    /// A function or class of that name; `undefined` where the platform's own is meant.
    fn replacement(&self, name: &str) -> JsValue;
}

/// The one that the page has given, or the platform's, looked up anew for each use; `None` where there is neither.
fn find(platform: &dyn ApiOverrides, name: &str) -> Option<Function> {
    let own = platform.replacement(name);
    if !own.is_undefined() {
        return own.dyn_into().ok();
    }
    let native = Reflect::get(&js_sys::global(), &name.into());
    native.ok()?.dyn_into().ok()
}

/// Calls `fetch`. `None`: there is none. What it throws, or returns in place of a promise, the promise settles with.
pub fn fetch(platform: &dyn ApiOverrides, url: &str, init: &RequestInit) -> Option<Promise> {
    let fetch = find(platform, "fetch")?;
    let sent = match fetch.call2(&JsValue::UNDEFINED, &url.into(), init) {
        Ok(sent) => Promise::resolve(&sent),
        Err(thrown) => Promise::reject(&thrown),
    };
    Some(sent)
}

/// Makes a `WebSocket`. `None`: there is no such class.
pub fn web_socket(
    platform: &dyn ApiOverrides,
    url: &str,
    protocol: &str,
) -> Option<Result<JsValue, JsValue>> {
    let class = find(platform, "WebSocket")?;
    let arguments = Array::of2(&url.into(), &protocol.into());
    Some(Reflect::construct(&class, &arguments))
}
