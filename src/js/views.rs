//! What events and small results look like to a page: the plain objects of `types.d.ts`, field by field.

use super::object::to_js;
use serde::Serialize;
use serde_wasm_bindgen::preserve;
use wasm_bindgen::prelude::*;

/// An object that becomes a JavaScript value.
pub trait View: Serialize {
    /// The plain object.
    fn to_js(&self) -> JsValue;
}

/// Makes a plain object of JavaScript out of a struct of texts, flags and JavaScript values.
macro_rules! view {
    ($(#[$doc:meta])* $name:ident { $($(#[$meta:meta])* $field:ident : $kind:ty),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        pub struct $name<'a> {
            $($(#[$meta])* #[allow(missing_docs)] pub $field: $kind,)*
        }

        impl View for $name<'_> {
            fn to_js(&self) -> JsValue {
                to_js(self)
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
        #[serde(with = "preserve")] error: JsValue,
    }
}
view! {
    /// The `undelivered` event.
    Undelivered {
        xml: &'a str,
        #[serde(with = "preserve")] error: JsValue,
    }
}
view! {
    /// `PubsubItem`.
    Item {
        id: Option<&'a str>,
        node: &'a str,
        #[serde(with = "preserve")] payload: JsValue,
        publisher: Option<&'a str>,
        #[serde(with = "preserve")] time: JsValue,
        #[serde(with = "preserve")] received_at: JsValue,
    }
}
view! {
    /// A feed's `retract`.
    Retract { id: &'a str, node: &'a str }
}
view! {
    /// A feed's `purge` and `configuration`.
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
        status_text: Option<&'a str>,
        #[serde(rename = "self")] own: bool,
    }
}
view! {
    /// `RoomMessage`.
    RoomMessage {
        nick: Option<&'a str>,
        body: &'a str,
        id: Option<&'a str>,
        #[serde(with = "preserve")] time: JsValue,
        #[serde(with = "preserve")] received_at: JsValue,
        delayed: bool,
        own: bool,
        private: bool,
        #[serde(with = "preserve")] stanza: JsValue,
    }
}
view! {
    /// A room's `subject`.
    Subject { subject: &'a str, nick: Option<&'a str> }
}
view! {
    /// A room's `leave`.
    Leave {
        #[serde(with = "preserve")] occupant: JsValue,
        reason: &'a str,
        text: Option<&'a str>,
    }
}
view! {
    /// A room's `nick`.
    Nick {
        from: &'a str,
        to: &'a str,
        #[serde(rename = "self")] own: bool,
    }
}
view! {
    /// A room's `out`.
    Out { reason: &'a str, text: Option<&'a str>, alternative: Option<&'a str> }
}
