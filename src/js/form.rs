//! Data forms at the boundary: plain objects of values in, values and fields out. `pubsub#` goes without saying.

use super::object::{entries, record, set, texts};
use super::reader::Reader;
use epode_proto::xep::data_form::{Field, Form};
use js_sys::{Array, Object};
use wasm_bindgen::prelude::*;

const PREFIX: &str = "pubsub#";

#[wasm_bindgen]
extern "C" {
    /// As `String(value)`.
    #[wasm_bindgen(js_name = String, catch)]
    fn js_string(value: &JsValue) -> Result<JsValue, JsValue>;
}

/// Values by the name of their field, from a plain object; `name` is what it is called in errors. One that is `undefined` or `null`
/// is left out.
pub fn values(read: &Reader<'_>, name: &str, object: &JsValue) -> Vec<(String, Vec<String>)> {
    let mut values = Vec::new();
    for (var, value) in entries(object) {
        if value.is_undefined() || value.is_null() {
            continue;
        }
        let Some(mut var) = read.sent(name, &JsValue::from_str(&var)) else {
            continue;
        };
        if !var.contains('#') {
            var.insert_str(0, PREFIX);
        }
        let mut texts = Vec::new();
        if Array::is_array(&value) {
            let all: Array = value.unchecked_into();
            for at in 0..all.length() {
                texts.extend(text(read, name, &all.get(at)));
            }
        } else {
            texts.extend(text(read, name, &value));
        }
        values.push((var, texts));
    }
    values
}

fn text(read: &Reader<'_>, name: &str, value: &JsValue) -> Option<String> {
    match value.as_bool() {
        // Data forms' booleans as digits are read everywhere, as words not (XEP-0004 §3.3 allows both).
        Some(value) => Some(if value { "1" } else { "0" }.to_owned()),
        None => match js_string(value) {
            Ok(value) => read.sent(name, &value),
            Err(_) => {
                read.refuse(
                    name,
                    "is an object of strings, numbers, booleans, or arrays of them",
                );
                None
            }
        },
    }
}

/// What a form says: `{ values, fields }`; nothing where there is none.
pub fn form_to_js(form: Option<&Form>) -> JsValue {
    let values = record();
    let fields = Array::new();
    for field in form.map_or(&[][..], |form| &form.fields) {
        let Some(var) = field.var.as_deref().filter(|var| *var != "FORM_TYPE") else {
            continue;
        };
        let name = var.strip_prefix(PREFIX).unwrap_or(var);
        let value = value_of(field);
        set(&values, name, &value);
        fields.push(&field_to_js(field, name, &value));
    }
    let read = Object::new();
    set(&read, "values", &values);
    set(&read, "fields", &fields);
    read.into()
}

fn field_to_js(field: &Field, name: &str, value: &JsValue) -> JsValue {
    let options = Array::new();
    for (label, value) in &field.options {
        options.push(&texts("value label", &[Some(value), label.as_deref()]));
    }
    let kind = field.kind.as_deref().unwrap_or("text-single");
    let label = field.label.as_deref();
    let description = field.description.as_deref();
    let read = texts(
        "name type label description",
        &[Some(name), Some(kind), label, description],
    );
    set(&read, "required", &field.required.into());
    set(&read, "value", value);
    set(&read, "options", &options);
    read
}

/// Yes or no, a list, a text, or nothing. In results types are mostly left out: then several values are a list.
fn value_of(field: &Field) -> JsValue {
    if field.is("boolean") {
        return matches!(field.value(), Some("1" | "true")).into();
    }
    let multi = field
        .kind
        .as_deref()
        .is_some_and(|kind| kind.ends_with("-multi"));
    if multi || field.values.len() > 1 {
        let list = Array::new();
        for value in &field.values {
            list.push(&JsValue::from_str(value));
        }
        return list.into();
    }
    field.value().map(JsValue::from_str).into()
}
