//! Plain JavaScript objects, field by field: what events and small results are made of.

use js_sys::{Object, Reflect};
use wasm_bindgen::prelude::*;

/// A plain object in the making.
pub struct Record(Object);

impl Record {
    /// Empty.
    pub fn new() -> Self {
        Self(Object::new())
    }

    /// Sets a field. What is absent is there as `undefined`, as the types say.
    pub fn with(self, name: &str, value: impl Into<JsValue>) -> Self {
        // Defining a field of a fresh plain object cannot fail.
        let _ = Reflect::set(&self.0, &name.into(), &value.into());
        self
    }

    /// Sets a text field.
    pub fn text(self, name: &str, value: Option<&str>) -> Self {
        self.with(name, value.map(JsValue::from_str))
    }
}

impl From<Record> for JsValue {
    fn from(record: Record) -> Self {
        record.0.into()
    }
}

/// A field of whatever object it is; `undefined` when there is none.
pub fn field(object: &JsValue, name: &str) -> JsValue {
    if object.is_object() {
        Reflect::get(object, &name.into()).unwrap_or(JsValue::UNDEFINED)
    } else {
        JsValue::UNDEFINED
    }
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
