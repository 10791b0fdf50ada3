//! `Stanza` at the boundary: the class is TypeScript (pkg-template/src/stanza.ts), a view of the packed element; here it is made.

use epode_proto::xml::Element;
use std::cell::RefCell;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// A function that makes a `Stanza`.
    type Maker;

    #[wasm_bindgen(method, catch)]
    fn call(this: &Maker, receiver: &JsValue, words: &[u32]) -> Result<JsValue, JsValue>;
}

thread_local! {
    /// What makes stanzas, once the entry has said so.
    static MAKER: RefCell<JsValue> = const { RefCell::new(JsValue::UNDEFINED) };
}

/// Tells how a `Stanza` is made: the entry's word, once, when the module is loaded.
#[wasm_bindgen(js_name = makeStanzasBy, skip_typescript)]
pub fn make_stanzas_by(maker: JsValue) {
    MAKER.replace(maker);
}

/// A `Stanza`, which holds its own element and nothing of what surrounded it. What comes of it is `undefined` when nobody has told how
/// stanzas are made.
pub fn stanza_to_js(element: &Element) -> JsValue {
    // No borrow while JavaScript runs.
    let maker = MAKER.with_borrow(JsValue::clone);
    maker
        .unchecked_ref::<Maker>()
        .call(&JsValue::UNDEFINED, &element.pack())
        .unwrap_or(JsValue::UNDEFINED)
}
