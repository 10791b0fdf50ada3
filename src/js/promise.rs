//! Promises of asynchronous work: boxed once, so that their machinery is in the wasm once.

use js_sys::Promise;
pub use js_sys::futures::spawn_local as spawn;
use std::future::Future;
use std::pin::Pin;
use wasm_bindgen::prelude::*;

type Work = Pin<Box<dyn Future<Output = Result<JsValue, JsValue>>>>;

/// The promise of what `work` results in.
pub fn promise(work: impl Future<Output = Result<JsValue, JsValue>> + 'static) -> Promise {
    boxed(Box::pin(work))
}

fn boxed(work: Work) -> Promise {
    let mut work = Some(work);
    Promise::new(&mut |resolve, reject| {
        if let Some(work) = work.take() {
            spawn(async move {
                let (settle, value) = match work.await {
                    Ok(value) => (resolve, value),
                    Err(error) => (reject, error),
                };
                // The platform's own functions do not throw.
                let _ = settle.call1(&JsValue::UNDEFINED, &value);
            });
        }
    })
}
