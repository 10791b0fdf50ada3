//! Promises of asynchronous work: boxed once, so that their machinery is in the wasm once.

use js_sys::Promise;
use js_sys::futures::future_to_promise;
use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use wasm_bindgen::prelude::*;

type Work = Pin<Box<dyn Future<Output = Result<JsValue, JsValue>>>>;

/// The promise of what `work` results in.
pub fn promise(work: impl Future<Output = Result<JsValue, JsValue>> + 'static) -> Promise {
    boxed(Box::pin(work))
}

fn boxed(work: Work) -> Promise {
    future_to_promise(work)
}

/// Runs `work`, which nobody waits for.
pub fn spawn(work: impl Future<Output = ()> + 'static) {
    let work: Pin<Box<dyn Future<Output = ()>>> = Box::pin(work);
    js_sys::futures::spawn_local(work);
}

/// A promise whose rejection nobody must handle.
pub fn quietly(promise: Promise) -> Promise {
    thread_local! {
        static IGNORE: RefCell<Option<Closure<dyn FnMut(JsValue)>>> = const { RefCell::new(None) };
    }
    IGNORE.with(|ignore| {
        let mut ignore = ignore.borrow_mut();
        let ignore = ignore.get_or_insert_with(|| Closure::new(|_| {}));
        let _ = promise.catch(ignore);
    });
    promise
}
