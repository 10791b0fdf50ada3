//! Plain JavaScript objects: options read field by field, dates.

use super::error::Problem;
use js_sys::{Array, Object, Reflect};
use std::ops::RangeInclusive;
use wasm_bindgen::prelude::*;

/// A field of whatever object it is; `undefined` when there is none.
pub fn field(object: &JsValue, name: &str) -> JsValue {
    if object.is_object() {
        Reflect::get(object, &name.into()).unwrap_or(JsValue::UNDEFINED)
    } else {
        JsValue::UNDEFINED
    }
}

/// A field that may be left out: `None` for `undefined` and `null`.
pub fn given(object: &JsValue, name: &str) -> Option<JsValue> {
    let value = field(object, name);
    (!value.is_undefined() && !value.is_null()).then_some(value)
}

/// An error that names the option.
pub fn wrong(name: &str, should: &str) -> Problem {
    let mut message = String::from("The option '");
    message.push_str(name);
    message.push_str("' ");
    message.push_str(should);
    message.push('.');
    Problem::new("bad-argument", &message)
}

/// A text option.
pub fn text(options: &JsValue, name: &str) -> Result<Option<String>, Problem> {
    match given(options, name) {
        None => Ok(None),
        Some(value) => match value.as_string() {
            Some(text) => Ok(Some(text)),
            None => Err(wrong(name, "is a string")),
        },
    }
}

/// A yes or no.
pub fn flag(options: &JsValue, name: &str, default: bool) -> Result<bool, Problem> {
    match given(options, name) {
        None => Ok(default),
        Some(value) => value
            .as_bool()
            .ok_or_else(|| wrong(name, "is true or false")),
    }
}

/// A number within bounds, which are part of the message.
pub fn number(
    options: &JsValue,
    name: &str,
    bounds: RangeInclusive<u32>,
    should: &str,
) -> Result<Option<u32>, Problem> {
    match given(options, name) {
        None => Ok(None),
        Some(value) => match value.as_f64() {
            // Whole and within bounds: nothing is lost.
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            Some(value)
                if value >= f64::from(*bounds.start()) && value <= f64::from(*bounds.end()) =>
            {
                Ok(Some(value as u32))
            }
            _ => Err(wrong(name, should)),
        },
    }
}

/// Texts by name, from a plain object.
pub fn texts(options: &JsValue, name: &str) -> Result<Vec<(String, String)>, Problem> {
    let Some(value) = given(options, name) else {
        return Ok(Vec::new());
    };
    let mut texts = Vec::new();
    for (key, value) in entries(&value) {
        match value.as_string() {
            Some(value) => texts.push((key, value)),
            None => return Err(wrong(name, "is an object whose values are strings")),
        }
    }
    Ok(texts)
}

/// The own fields of an object.
pub fn entries(object: &JsValue) -> Vec<(String, JsValue)> {
    if !object.is_object() {
        return Vec::new();
    }
    let found = Object::entries(object.unchecked_ref::<Object>());
    let mut entries = Vec::new();
    for at in 0..found.length() {
        let entry: Array = found.get(at).unchecked_into();
        entries.push((entry.get(0).as_string().unwrap_or_default(), entry.get(1)));
    }
    entries
}

/// Several texts: an array of strings; empty when left out.
pub fn list(options: &JsValue, name: &str) -> Result<Vec<String>, Problem> {
    let Some(value) = given(options, name) else {
        return Ok(Vec::new());
    };
    if !Array::is_array(&value) {
        return Err(wrong(name, "is an array of strings"));
    }
    let array: Array = value.unchecked_into();
    let mut texts = Vec::new();
    for at in 0..array.length() {
        match array.get(at).as_string() {
            Some(text) => texts.push(text),
            None => return Err(wrong(name, "is an array of strings")),
        }
    }
    Ok(texts)
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
