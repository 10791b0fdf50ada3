//! Unicode by the platform: `String.prototype.normalize`, `toLowerCase`, and `URL` for IDNA. No tables in the wasm.

use crate::proto::unicode::Unicode;
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
        // A special scheme makes URL apply IDNA and parse addresses; what it leaves out of a host name would change its meaning.
        if text.contains(['/', '?', '#', '@', '\\', ':']) {
            return None;
        }
        let mut url = String::from("https://");
        url.push_str(text);
        // A-labels: two spellings of one domain are one domain.
        URL::new(&url)
            .ok()
            .map(|url| url.hostname())
            .filter(|host| !host.is_empty())
    }
}
