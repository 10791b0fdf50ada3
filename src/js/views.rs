//! What events and small results look like to a page: the plain objects of `types.d.ts`, field by field.

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_wasm_bindgen::preserve;
use wasm_bindgen::prelude::*;

/// A struct that becomes a plain object.
pub trait View {
    /// The plain object; what is absent is `undefined`.
    fn to_js(&self) -> JsValue;
}

/// The value of a field.
enum Value<'a> {
    Text(&'a str),
    Flag(bool),
    Js(&'a JsValue),
    Absent,
}

/// An object's fields. One type for all objects: deriving `Serialize` for each of them costs 300 bytes of wasm apiece, and
/// serde-wasm-bindgen's way with structs a hash table.
struct Fields<'a>(&'a [(&'static str, Value<'a>)]);

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Text(text) => serializer.serialize_str(text),
            Value::Flag(flag) => serializer.serialize_bool(*flag),
            Value::Js(value) => preserve::serialize(*value, serializer),
            Value::Absent => serializer.serialize_unit(),
        }
    }
}

fn object(fields: &[(&'static str, Value<'_>)]) -> JsValue {
    let serializer = serde_wasm_bindgen::Serializer::new().serialize_maps_as_objects(true);
    // Texts, flags and JavaScript's own values cannot fail to become an object.
    Fields(fields)
        .serialize(&serializer)
        .unwrap_or(JsValue::UNDEFINED)
}

/// What a field of a view can be.
trait Field {
    fn value(&self) -> Value<'_>;
}

impl Field for &str {
    fn value(&self) -> Value<'_> {
        Value::Text(self)
    }
}

impl Field for Option<&str> {
    fn value(&self) -> Value<'_> {
        self.map_or(Value::Absent, Value::Text)
    }
}

impl Field for bool {
    fn value(&self) -> Value<'_> {
        Value::Flag(*self)
    }
}

impl Field for JsValue {
    fn value(&self) -> Value<'_> {
        Value::Js(self)
    }
}

/// The name that pages know a field by.
macro_rules! known {
    ($field:ident) => {
        stringify!($field)
    };
    ($field:ident $known:literal) => {
        $known
    };
}

/// A view: its fields, their types, and the names that pages know them by where those are others.
macro_rules! view {
    ($(#[$doc:meta])* $name:ident { $($field:ident $(as $known:literal)? : $kind:ty),* $(,)? }) => {
        $(#[$doc])*
        pub struct $name<'a> {
            $(#[allow(missing_docs)] pub $field: $kind,)*
        }

        impl View for $name<'_> {
            fn to_js(&self) -> JsValue {
                object(&[$((known!($field $($known)?), self.$field.value()),)*])
            }
        }
    };
}

view! {
    /// `StatusChange` without an error.
    Status { status: &'a str }
}
view! {
    /// `StatusChange` with one.
    Failed {
        status: &'a str,
        error: JsValue,
    }
}
view! {
    /// `StatusChange` to `online`.
    Online { status: &'a str, resumed: bool }
}
view! {
    /// `StatusChange` to `reconnecting`.
    Reconnecting {
        status: &'a str,
        error: JsValue,
        attempt: JsValue,
        retry_at as "retryAt": JsValue,
    }
}
view! {
    /// The `undelivered` event.
    Undelivered {
        xml: &'a str,
        error: JsValue,
    }
}
view! {
    /// A feed's `retract`.
    Retract { id: &'a str, node: &'a str, via: &'a str }
}
view! {
    /// A feed's `gap`.
    Gap { node: &'a str, after: Option<&'a str>, before: Option<&'a str> }
}
view! {
    /// One of a batch, of which there is nothing more to say.
    Change { kind as "type": &'a str }
}
view! {
    /// One of a batch.
    ItemChange { kind as "type": &'a str, item: JsValue }
}
view! {
    /// One of a batch.
    RetractChange { kind as "type": &'a str, id: &'a str, via: &'a str }
}
view! {
    /// One of a batch.
    GapChange { kind as "type": &'a str, after: Option<&'a str>, before: Option<&'a str> }
}
view! {
    /// A feed's `purge`, `live` and `configuration`.
    Node { node: &'a str }
}
view! {
    /// A feed's `delete`.
    Delete { node: &'a str, redirect: Option<&'a str> }
}
view! {
    /// A feed's `subscription`.
    Subscription { node: &'a str, state: &'a str }
}
view! {
    /// `Occupant`.
    Occupant {
        nick: &'a str,
        role: &'a str,
        affiliation: &'a str,
        jid: Option<&'a str>,
        show: Option<&'a str>,
        status_text as "statusText": Option<&'a str>,
        own as "self": bool,
    }
}
view! {
    /// `RoomMessage`.
    RoomMessage {
        nick: Option<&'a str>,
        body: &'a str,
        id: Option<&'a str>,
        time: JsValue,
        received_at as "receivedAt": JsValue,
        delayed: bool,
        own: bool,
        private: bool,
        stanza: JsValue,
    }
}
view! {
    /// A room's `subject`.
    Subject { subject: &'a str, nick: Option<&'a str> }
}
view! {
    /// A room's `leave`.
    Leave {
        occupant: JsValue,
        reason: &'a str,
        text: Option<&'a str>,
    }
}
view! {
    /// A room's `nick`.
    Nick {
        from: &'a str,
        to: &'a str,
        own as "self": bool,
    }
}
view! {
    /// A room's `out`.
    Out { reason: &'a str, text: Option<&'a str>, alternative: Option<&'a str> }
}
