//! Plain JavaScript objects: options read field by field, dates.

use super::error::Problem;
use js_sys::{Array, Object, Reflect};
use std::cell::RefCell;
use wasm_bindgen::prelude::*;

/// A field of whatever object it is; `undefined` when there is none.
pub fn field(object: &JsValue, name: &str) -> JsValue {
    if object.is_object() {
        Reflect::get(object, &name.into()).unwrap_or(JsValue::UNDEFINED)
    } else {
        JsValue::UNDEFINED
    }
}

/// Sets a field of a fresh object.
pub fn set(object: &JsValue, name: &str, value: &JsValue) {
    // A fresh object takes any field.
    let _ = Reflect::set(object, &name.into(), value);
}

/// A plain object of texts: `names`, apart by spaces, and a value for each. A third of the wasm that a view of them costs.
pub fn texts(names: &str, values: &[Option<&str>]) -> JsValue {
    let object = Object::new();
    for (name, value) in names.split(' ').zip(values) {
        set(&object, name, &(*value).into());
    }
    object.into()
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

/// Reads an options object field by field.
///
/// What is wrong with it is noted, and told at the end: the first thing first. An early return from each field would cost
/// 60 bytes of wasm apiece, for everything that is dropped there.
pub struct Reader<'a> {
    object: &'a JsValue,
    wrong: RefCell<Option<Problem>>,
}

impl<'a> Reader<'a> {
    /// Of that object, which may be none.
    pub fn of(object: &'a JsValue) -> Self {
        Self {
            object,
            wrong: RefCell::new(None),
        }
    }

    /// Notes a mistake; the first one counts.
    pub fn fail(&self, problem: Problem) {
        let mut wrong = self.wrong.borrow_mut();
        if wrong.is_none() {
            *wrong = Some(problem);
        }
    }

    /// What went well; a mistake is noted.
    pub fn ok<T>(&self, result: Result<T, Problem>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(problem) => {
                self.fail(problem);
                None
            }
        }
    }

    /// Notes a mistake in the option of that name: what it should be.
    pub fn refuse(&self, name: &str, should: &str) {
        let mut message = String::from("The option '");
        message.push_str(name);
        message.push_str("' ");
        message.push_str(should);
        message.push('.');
        self.fail(Problem::new("bad-argument", &message));
    }

    /// An error if there was a mistake.
    pub fn done(&self) -> Result<(), Problem> {
        match self.wrong.take() {
            None => Ok(()),
            Some(problem) => Err(problem),
        }
    }

    /// A field that may be left out: `None` for `undefined` and `null`.
    pub fn given(&self, name: &str) -> Option<JsValue> {
        let value = field(self.object, name);
        (!value.is_undefined() && !value.is_null()).then_some(value)
    }

    /// A text.
    pub fn text(&self, name: &str) -> Option<String> {
        let text = self.given(name)?.as_string();
        if text.is_none() {
            self.refuse(name, "is a string");
        }
        text
    }

    /// A yes or no.
    pub fn flag(&self, name: &str, default: bool) -> bool {
        match self.given(name) {
            None => default,
            Some(value) => value.as_bool().unwrap_or_else(|| {
                self.refuse(name, "is true or false");
                default
            }),
        }
    }

    /// A number within bounds, which `should` tells.
    pub fn number(&self, name: &str, least: u32, most: u32, should: &str) -> Option<u32> {
        let value = self.given(name)?.as_f64().unwrap_or(f64::NAN);
        if value >= f64::from(least) && value <= f64::from(most) {
            // Within bounds: nothing but a fraction is lost.
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            return Some(value as u32);
        }
        self.refuse(name, should);
        None
    }

    /// Texts by name, from a plain object.
    pub fn texts(&self, name: &str) -> Vec<(String, String)> {
        let mut texts = Vec::new();
        for (key, value) in entries(&field(self.object, name)) {
            match value.as_string() {
                Some(value) => texts.push((key, value)),
                None => self.refuse(name, "is an object whose values are strings"),
            }
        }
        texts
    }

    /// Several texts: an array of strings; empty when left out.
    pub fn list(&self, name: &str) -> Vec<String> {
        let mut texts = Vec::new();
        if let Some(value) = self.given(name) {
            let all = Array::is_array(&value);
            let array: Array = value.unchecked_into();
            for at in 0..if all { array.length() } else { 0 } {
                texts.extend(array.get(at).as_string());
            }
            if !all || texts.len() < array.length() as usize {
                self.refuse(name, "is an array of strings");
            }
        }
        texts
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
