//! What happens to a page and its network, as far as a connection cares: the network is back, the tab woke, the page goes.
//!
//! Page Lifecycle and HTML's page transitions: `pagehide` is the last that a page hears before it is gone, or goes into the
//! back/forward cache, from which `pageshow` tells of its return; `freeze` and `resume` are the same of a page that sleeps.
//! After `pagehide`, a page that was seen is told by `visibilitychange` that it is not any more (HTML §7.4.6, unloading documents).

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// A window, a worker's scope, a document.
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

    /// Of `pagehide`: may the page come back?
    #[wasm_bindgen(method, getter)]
    fn persisted(this: &PageEvent) -> Option<bool>;
}

/// A turn of the page's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageChange {
    /// The network is back, or the page is seen again, or thawed: timers may not have run for long.
    Awake,
    /// The page is being left, and may come back. Listeners of its own may be told after this one.
    Parting,
    /// The page is being left, and is not known to come back. Listeners of its own may be told after this one.
    Leaving,
    /// The page is not seen any more. After the two above: all listeners have been told.
    Hidden,
    /// The page is about to sleep, and may never wake.
    Resting,
}

/// What the global scope tells, and what the document does.
const GLOBAL: [&str; 3] = ["online", "pageshow", "pagehide"];
const DOCUMENT_TELLS: [&str; 3] = ["visibilitychange", "resume", "freeze"];

/// Listens until dropped.
pub struct Lifecycle {
    listener: Closure<dyn FnMut(PageEvent)>,
}

impl Lifecycle {
    /// `hear` is told of each turn. Where there is no page (Node), none comes.
    pub fn listen(hear: impl Fn(PageChange) + 'static) -> Self {
        let listener = Closure::new(move |happening: PageEvent| {
            hear(match happening.kind().as_str() {
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
        // COMPAT(Node): its global scope is no event target.
        if js_sys::Reflect::has(&global, &"addEventListener".into()) == Ok(true) {
            for kind in GLOBAL {
                act(global.unchecked_ref(), kind, listener);
            }
        }
        DOCUMENT.with(|document| {
            for kind in DOCUMENT_TELLS {
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
