//! Options of a page, read field by field and checked.

use super::error::Problem;
use super::object::{entries, field, text_of};
use js_sys::Array;
use std::cell::RefCell;
use wasm_bindgen::prelude::*;

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
        self.sent(name, &self.given(name)?)
    }

    /// A value of the option of that name as a text that can be sent; a mistake is noted.
    pub fn sent(&self, name: &str, value: &JsValue) -> Option<String> {
        match text_of(value) {
            Ok(text) => Some(text),
            Err(should) => {
                self.refuse(name, should);
                None
            }
        }
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
            if !value.is_string() {
                self.refuse(name, "is an object whose values are strings");
            }
            let key = self.sent(name, &JsValue::from_str(&key));
            texts.extend(key.zip(self.sent(name, &value)));
        }
        texts
    }

    /// Several texts: an array of strings; empty when left out.
    pub fn list(&self, name: &str) -> Vec<String> {
        let mut texts = Vec::new();
        if let Some(value) = self.given(name) {
            let all = Array::is_array(&value);
            let array: Array = value.unchecked_into();
            let mut right = all;
            for at in 0..if all { array.length() } else { 0 } {
                right &= array.get(at).is_string();
                texts.extend(self.sent(name, &array.get(at)));
            }
            if !right {
                self.refuse(name, "is an array of strings");
            }
        }
        texts
    }
}
