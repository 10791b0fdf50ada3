//! Plain JavaScript objects: their fields, records, texts, dates.

use epode_proto::xml::is_xml_text;
use js_sys::{Array, JsString, Object, Reflect};
use wasm_bindgen::prelude::*;

/// A field of whatever object it is; `undefined` when there is none.
pub fn field(object: &JsValue, name: &str) -> JsValue {
    if object.is_object() {
        Reflect::get(object, &name.into()).unwrap_or(JsValue::UNDEFINED)
    } else {
        JsValue::UNDEFINED
    }
}

/// Sets a field of a fresh object. Names that a peer chooses belong in a [`record`].
pub fn set(object: &JsValue, name: &str, value: &JsValue) {
    // A fresh object takes any field.
    let _ = Reflect::set(object, &name.into(), value);
}

/// An object whose fields a peer names. It has no prototype, so that `__proto__` is a field like any other, and a field that is
/// not there is `undefined` whatever its name.
pub fn record() -> Object {
    Object::create(JsValue::NULL.unchecked_ref())
}

/// A string that can be sent as it is. An error says what it should be.
///
/// # Errors
/// The value is no string, holds half of a surrogate pair, which Rust would replace, or a character that XML cannot carry.
pub fn text_of(value: &JsValue) -> Result<String, &'static str> {
    let text = value.as_string().ok_or("is a string")?;
    let is_whole = || {
        value
            .dyn_ref::<JsString>()
            .is_none_or(JsString::is_valid_utf16)
    };
    if !is_xml_text(&text) || text.contains('\u{fffd}') && !is_whole() {
        return Err(
            "holds a character that XML cannot carry (a control character, half of a surrogate pair, U+FFFE or U+FFFF): remove it",
        );
    }
    Ok(text)
}

/// A plain object of texts: `names`, apart by spaces, and a value for each. A third of the wasm that a view of them costs.
pub fn texts(names: &str, values: &[Option<&str>]) -> JsValue {
    let object = Object::new();
    for (name, value) in names.split(' ').zip(values) {
        set(&object, name, &(*value).into());
    }
    object.into()
}

/// The own fields of an object. The key of one that cannot be sent is U+0000, which a reader of options refuses.
pub fn entries(object: &JsValue) -> Vec<(String, JsValue)> {
    if !object.is_object() {
        return Vec::new();
    }
    let found = Object::entries(object.unchecked_ref::<Object>());
    let mut entries = Vec::new();
    for at in 0..found.length() {
        let entry: Array = found.get(at).unchecked_into();
        // Keys of an object are strings. One that cannot be sent is kept unsendable, for whoever sends it.
        let key = text_of(&entry.get(0)).unwrap_or_else(|_| "\0".to_owned());
        entries.push((key, entry.get(1)));
    }
    entries
}

/// A date from milliseconds since 1970.
#[allow(clippy::cast_precision_loss)]
pub fn date(unix_ms: i64) -> JsValue {
    js_sys::Date::new(&JsValue::from_f64(unix_ms as f64)).into()
}

/// The date now.
pub fn date_now() -> JsValue {
    js_sys::Date::new_0().into()
}
