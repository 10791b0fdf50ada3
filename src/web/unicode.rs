//! Unicode by the platform: `String.prototype.normalize`, `toLowerCase`, and `URL` for IDNA. No tables in the wasm.

use epode_proto::unicode::Unicode;
use js_sys::JsString;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    type URL;

    #[wasm_bindgen(constructor, catch)]
    fn new(url: &str) -> Result<URL, JsValue>;

    #[wasm_bindgen(method, getter)]
    fn hostname(this: &URL) -> String;
}

/// The platform's Unicode.
#[derive(Clone, Copy, Debug, Default)]
pub struct PlatformUnicode;

impl Unicode for PlatformUnicode {
    fn nfc(&self, text: &str) -> String {
        JsString::from(text).normalize("NFC").into()
    }

    fn nfkc(&self, text: &str) -> String {
        JsString::from(text).normalize("NFKC").into()
    }

    fn lowercase(&self, text: &str) -> String {
        JsString::from(text).to_lower_case().into()
    }

    fn domain(&self, text: &str) -> Option<String> {
        // A special scheme makes URL apply IDNA and parse addresses; what would not be part of the host name is refused first.
        if text.bytes().any(|byte| b" %/?#@\\:".contains(&byte)) {
            return None;
        }
        let mut url = String::from("https://");
        url.push_str(text);
        let hostname = URL::new(&url).ok()?.hostname();
        if hostname.is_empty() || hostname.contains('%') {
            return None;
        }
        // URL gives A-labels; RFC 7622 §3.2.1 wants U-labels, which is how servers know their own names.
        Some(if text.is_ascii() {
            hostname
        } else {
            self.lowercase(&self.nfc(text))
        })
    }
}
