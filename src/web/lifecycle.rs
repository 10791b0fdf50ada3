//! What happens to a page and its network, as far as a connection cares: the network is back, the tab woke.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// A window, a worker's scope, a document.
    type Target;

    #[wasm_bindgen(method, js_name = addEventListener)]
    fn add(this: &Target, kind: &str, listener: &JsValue);

    #[wasm_bindgen(method, js_name = removeEventListener)]
    fn remove(this: &Target, kind: &str, listener: &JsValue);

    #[wasm_bindgen(thread_local_v2, js_name = document)]
    static DOCUMENT: Option<Target>;

    type Happening;

    #[wasm_bindgen(method, getter, js_name = type)]
    fn kind(this: &Happening) -> String;
}

/// A turn of the page's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// The network is back, or the page is seen again, or thawed: timers may not have run for long.
    Awake,
}

/// What the global scope tells, and what the document does.
const GLOBAL: [&str; 2] = ["online", "pageshow"];
const DOCUMENT_TELLS: [&str; 2] = ["visibilitychange", "resume"];

/// Listens until dropped.
pub struct Lifecycle {
    listener: Closure<dyn FnMut(Happening)>,
}

impl Lifecycle {
    /// `hear` is told of each turn. Where there is no page (Node), none comes.
    pub fn listen(hear: impl Fn(Turn) + 'static) -> Self {
        let listener = Closure::new(move |happening: Happening| {
            let slept = happening.kind() != "visibilitychange" || !super::global::is_hidden();
            if slept {
                hear(Turn::Awake);
            }
        });
        let lifecycle = Self { listener };
        lifecycle.each(Target::add);
        lifecycle
    }

    fn each(&self, act: fn(&Target, &str, &JsValue)) {
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
        self.each(Target::remove);
    }
}
