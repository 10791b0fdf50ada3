//! `register`: an account made over a connection of its own (XEP-0077), before anybody logs in.

use super::held::Held;
use super::inner::Inner;
use super::options::{self, Waiting};
use super::promise::promise;
use js_sys::Promise;
use wasm_bindgen::prelude::*;

/// Makes an account; resolves when the server has made it.
#[wasm_bindgen(skip_typescript)]
pub fn register(services: JsValue, options: JsValue) -> Promise {
    promise(async move {
        let waiting = Waiting::read(&options)?;
        // Pinned from the beginning: no object of the page owns it.
        let held = Held::new();
        let options = options::registration(&services, &options, &held)?;
        let inner = Inner::new(options, held);
        let beginning = inner.begin(waiting.signal.as_ref(), None)?;
        inner.finish(beginning, waiting.signal).await?;
        Ok(JsValue::UNDEFINED)
    })
}
