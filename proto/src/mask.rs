//! Elements as XML for the inspector and the log, with secrets masked.

use super::ns;
use super::xml::{Element, Secrets};

/// The element as XML; SASL data, passwords, keys and tokens are replaced by `…`.
pub fn masked(element: &Element) -> String {
    element
        .without(&Secrets {
            text: is_secret,
            attribute: is_secret_attribute,
            mask: "…",
        })
        .to_xml()
}

/// The name of passwords everywhere: in registrations, rooms, and invitations to rooms (as an attribute: XEP-0249).
/// XEP-0249).
const PASSWORD: &str = "password";

/// Whether the value of this attribute is secret, such as XEP-0484's tokens.
fn is_secret_attribute(element: &Element, name: &str) -> bool {
    name == PASSWORD || (name == "token" && element.ns() == ns::FAST)
}

/// Whether the text of this element is secret.
fn is_secret(element: &Element) -> bool {
    let name = element.name();
    match element.ns() {
        ns::SASL => matches!(name, "auth" | "challenge" | "response" | "success"),
        ns::SASL2 => matches!(
            name,
            "initial-response" | "challenge" | "response" | "additional-data"
        ),
        ns::REGISTER => matches!(name, PASSWORD | "key"),
        ns::DATA_FORM => {
            // XEP-0004 §3.3 defines a type for it; a submission need not repeat the type.
            element.attr("type") == Some("text-private")
                || element.attr("var").is_some_and(|var| {
                    let var = var.to_ascii_lowercase();
                    holds(&var, PASSWORD) || holds(&var, "secret")
                })
        }
        _ => name == PASSWORD,
    }
}

/// Whether `text` contains `word`. The standard library's search is optimised for long texts, and costs 2 KB of wasm
/// more.
fn holds(text: &str, word: &str) -> bool {
    let mut windows = text.as_bytes().windows(word.len());
    windows.any(|window| window == word.as_bytes())
}
