//! Bindings to functions of the global scope that every JavaScript host has.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// Read once: the global scope looks it up anew at each access, which costs as much as the reading of the clock.
    #[wasm_bindgen(thread_local_v2, js_name = performance)]
    static PERFORMANCE: Performance;

    type Performance;

    #[wasm_bindgen(method)]
    fn now(this: &Performance) -> f64;

    #[wasm_bindgen(js_namespace = crypto, js_name = getRandomValues, catch)]
    pub fn get_random_values(bytes: &js_sys::Uint8Array) -> Result<JsValue, JsValue>;

    /// The location of the page or worker; Node has none.
    #[wasm_bindgen(thread_local_v2, js_name = location)]
    pub static LOCATION: Option<Location>;

    pub type Location;

    /// The page; workers and Node have none.
    #[wasm_bindgen(thread_local_v2, js_name = document)]
    static DOCUMENT: Option<PageDocument>;

    type PageDocument;

    #[wasm_bindgen(method, getter)]
    fn hidden(this: &PageDocument) -> bool;

    #[wasm_bindgen(method, getter)]
    pub fn href(this: &Location) -> String;
}

#[wasm_bindgen]
extern "C" {
    /// HTML's channel messaging: its tasks are not delayed in hidden pages.
    type MessageChannel;

    #[wasm_bindgen(constructor)]
    fn new() -> MessageChannel;

    #[wasm_bindgen(method, getter)]
    fn port1(this: &MessageChannel) -> Port;

    #[wasm_bindgen(method, getter)]
    fn port2(this: &MessageChannel) -> Port;

    type Port;

    #[wasm_bindgen(method, setter)]
    fn set_onmessage(this: &Port, listener: &JsValue);

    #[wasm_bindgen(method, js_name = postMessage)]
    fn post(this: &Port, message: bool);

    #[wasm_bindgen(method)]
    fn close(this: &Port);
}

/// The time since the page was opened, in milliseconds.
pub fn performance_now() -> f64 {
    PERFORMANCE.with(Performance::now)
}

/// Runs `task` in a separate task, after all tasks that were queued before, without a timer.
pub fn next_task(task: impl FnOnce() + 'static) {
    let channel = MessageChannel::new();
    let port = channel.port1();
    let listener = {
        let port = port.clone().unchecked_into::<Port>();
        Closure::once_into_js(move || {
            port.close();
            task();
        })
    };
    port.set_onmessage(&listener);
    channel.port2().post(true);
}

/// Whether this is a hidden page, whose timers are throttled.
pub fn is_hidden() -> bool {
    DOCUMENT.with(|document| document.as_ref().is_some_and(PageDocument::hidden))
}
