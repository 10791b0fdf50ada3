//! Unicode functions of the platform: `String.prototype.normalize`, `toLowerCase`, and `URL` for IDNA. The wasm has no tables.

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

    fn lowercase(&self, char: char) -> String {
        let mut bytes = [0; 4];
        let text: &str = char.encode_utf8(&mut bytes);
        JsString::from(text).to_lower_case().into()
    }

    fn domain_to_ascii(&self, text: &str) -> Option<String> {
        // A special scheme makes URL apply IDNA; refuse characters that would end the host name.
        if text.bytes().any(|byte| b" %/?#@\\:".contains(&byte)) {
            return None;
        }
        // The last label keeps URL from reading a name of digits as an IPv4 address.
        let mut url = String::from("https://");
        url.push_str(text);
        url.push_str(GUARD);
        let hostname = URL::new(&url).ok()?.hostname();
        Some(hostname.strip_suffix(GUARD)?.to_owned())
    }
}

/// A label that prevents the host name from ending in a number.
const GUARD: &str = ".a";
