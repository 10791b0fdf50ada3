//! Events of a page and its network that matter to a connection: network online, tab resumed, page unloading.
//!
//! Page Lifecycle and HTML's page transitions: `pagehide` is the last event before a page is unloaded or enters the
//! back/forward cache; `pageshow` reports its return. `freeze` and `resume` are the same for a frozen page.
//! After `pagehide`, a visible page gets a `visibilitychange` to hidden (HTML §7.4.6, unloading documents).

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// A window, a worker's scope, or a document.
    type EventTarget;

    #[wasm_bindgen(method, js_name = addEventListener)]
    fn add(this: &EventTarget, kind: &str, listener: &JsValue);

    #[wasm_bindgen(method, js_name = removeEventListener)]
    fn remove(this: &EventTarget, kind: &str, listener: &JsValue);

    #[wasm_bindgen(thread_local_v2, js_name = document)]
    static DOCUMENT: Option<EventTarget>;

    type PageEvent;

    #[wasm_bindgen(method, getter, js_name = type)]
    fn kind(this: &PageEvent) -> String;

    /// For `pagehide`: whether the page may return from the back/forward cache.
    #[wasm_bindgen(method, getter)]
    fn persisted(this: &PageEvent) -> Option<bool>;
}

/// A change in the life of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageChange {
    /// The network is back, or the page is visible or resumed: timers may not have run for long.
    Awake,
    /// The page is unloading and may return. The page's own listeners may run after this one.
    Parting,
    /// The page is unloading and is not expected to return. The page's own listeners may run after this one.
    Leaving,
    /// The page is hidden. Follows `Parting` and `Leaving`: all listeners have run.
    Hidden,
    /// The page is about to be frozen, and may never resume.
    Resting,
}

/// The events of the global scope, and those of the document.
const GLOBAL_EVENTS: [&str; 3] = ["online", "pageshow", "pagehide"];
const DOCUMENT_EVENTS: [&str; 3] = ["visibilitychange", "resume", "freeze"];

/// Listens until dropped.
pub struct Lifecycle {
    listener: Closure<dyn FnMut(PageEvent)>,
}

impl Lifecycle {
    /// Calls `on_change` for each change. Without a page (Node) there are no changes.
    pub fn listen(on_change: Box<dyn Fn(PageChange)>) -> Self {
        let listener = Closure::new(move |happening: PageEvent| {
            on_change(match happening.kind().as_str() {
                "visibilitychange" if super::global::is_hidden() => PageChange::Hidden,
                "freeze" => PageChange::Resting,
                "pagehide" if happening.persisted() == Some(true) => PageChange::Parting,
                "pagehide" => PageChange::Leaving,
                _ => PageChange::Awake,
            });
        });
        let lifecycle = Self { listener };
        lifecycle.each(EventTarget::add);
        lifecycle
    }

    fn each(&self, act: fn(&EventTarget, &str, &JsValue)) {
        let listener = self.listener.as_ref();
        let global = js_sys::global();
        // COMPAT(Node): its global scope is not an event target.
        if js_sys::Reflect::has(&global, &"addEventListener".into()) == Ok(true) {
            for kind in GLOBAL_EVENTS {
                act(global.unchecked_ref(), kind, listener);
            }
        }
        DOCUMENT.with(|document| {
            for kind in DOCUMENT_EVENTS {
                if let Some(document) = document {
                    act(document, kind, listener);
                }
            }
        });
    }
}

impl Drop for Lifecycle {
    fn drop(&mut self) {
        self.each(EventTarget::remove);
    }
}
