//! `PubsubItem` at the boundary: the class is JavaScript (its payload is decoded there, when it is read); here it is made.

use super::object::date;
use super::stanza::stanza_to_js;
use epode_proto::xep::pubsub::Item;
use std::cell::RefCell;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// A function that makes a `PubsubItem`.
    type Maker;

    /// Calls it. A method of the function, so that strings go over as strings and no list of arguments is built.
    #[wasm_bindgen(method, catch)]
    #[allow(clippy::too_many_arguments)]
    fn call(
        this: &Maker,
        receiver: &JsValue,
        id: Option<&str>,
        node: &str,
        payload: &JsValue,
        publisher: Option<&str>,
        time: &JsValue,
        via: &str,
        decode: &JsValue,
    ) -> Result<JsValue, JsValue>;
}

thread_local! {
    /// What makes items, once the entry has said so.
    static MAKER: RefCell<JsValue> = const { RefCell::new(JsValue::UNDEFINED) };
}

/// Tells how a `PubsubItem` is made: the entry's word, once, when the module is loaded.
#[wasm_bindgen(js_name = makeItemsBy, skip_typescript)]
pub fn make_items_by(maker: JsValue) {
    MAKER.replace(maker);
}

/// A `PubsubItem`. `time`: when it was published, in milliseconds since 1970, where that is told. `via`: how it came, `"snapshot"`, `"live"`, `"catch-up"` or `"items"`. `decode`: the page's own decoder
/// of payloads, or `undefined`. What comes of it is `undefined` when nobody has told how items are made.
pub fn item_to_js(
    item: &Item,
    node: &str,
    time: Option<i64>,
    via: &str,
    decode: &JsValue,
) -> JsValue {
    let payload = item
        .payload
        .as_ref()
        .map_or(JsValue::UNDEFINED, stanza_to_js);
    let time = time.map_or(JsValue::UNDEFINED, date);
    // No borrow while JavaScript runs.
    let maker = MAKER.with_borrow(JsValue::clone);
    maker
        .unchecked_ref::<Maker>()
        .call(
            &JsValue::UNDEFINED,
            item.id.as_deref(),
            node,
            &payload,
            item.publisher.as_deref(),
            &time,
            via,
            decode,
        )
        .unwrap_or(JsValue::UNDEFINED)
}
