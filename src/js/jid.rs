//! Addresses, for the surface.

use crate::web::unicode::PlatformUnicode;
use epode_proto::jid::Jid;
use wasm_bindgen::prelude::*;

/// Normalises an address (RFC 7622).
///
/// # Errors
/// A string with the reason why the address is invalid.
#[wasm_bindgen(js_name = normalizeJid)]
pub fn normalize_jid(text: &str) -> Result<String, JsValue> {
    match Jid::parse(text, &PlatformUnicode) {
        Ok(jid) => Ok(jid.as_str().to_owned()),
        Err(error) => Err(error.as_str().into()),
    }
}
