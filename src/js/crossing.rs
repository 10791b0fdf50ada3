//! Elements on their way to the page: packed ([`epode_proto::xml::Packed`]), with the text as a value of JavaScript.

use epode_proto::xml::{Element, Packed};
use js_sys::{JsString, Uint8Array};
use std::rc::Rc;
use wasm_bindgen::prelude::*;

/// Longer texts, in bytes, cross as bytes: they are decoded when the page first reads them, if it does.
const LONG: usize = 4096;

/// A packed element; for no element, its text is `undefined` and there are no words.
pub struct Crossing {
    /// A string, or the bytes of a long one.
    pub text: JsValue,
    /// The words, which point into the text.
    pub words: Vec<u32>,
}

impl Crossing {
    /// The element with a text of its own.
    pub fn alone(element: &Element) -> Self {
        let Packed { text, words } = element.pack();
        let text = if text.len() > LONG {
            Uint8Array::from(text.as_bytes()).into()
        } else {
            JsValue::from_str(&text)
        };
        Self { text, words }
    }

    /// The element as a part of the frame that the page received, if `frame_of` still has that by its number: a string that
    /// is there already need not be made again.
    pub fn of(element: &Element, frame_of: impl FnOnce(u32) -> Option<Rc<JsString>>) -> Self {
        let number = element.frame();
        let frame = if number == 0 { None } else { frame_of(number) };
        let in_frame = frame.and_then(|frame| Some((frame, element.pack_in_frame()?)));
        match in_frame {
            Some((frame, Packed { text, words })) => {
                let text = if text.is_empty() {
                    (*frame).clone().into()
                } else {
                    frame.concat(&JsValue::from_str(&text)).into()
                };
                Self { text, words }
            }
            None => Self::alone(element),
        }
    }

    /// No element.
    pub fn nothing() -> Self {
        Self {
            text: JsValue::UNDEFINED,
            words: Vec::new(),
        }
    }

    /// The element with a text of its own, if there is one.
    pub fn of_optional(element: Option<&Element>) -> Self {
        element.map_or_else(Self::nothing, Self::alone)
    }
}
