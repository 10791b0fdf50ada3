//! Resolves the address of a service and determines its security.

use super::global::LOCATION;
use epode_proto::transport::Kind;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    type URL;

    #[wasm_bindgen(constructor, catch)]
    fn new(url: &str) -> Result<URL, JsValue>;

    #[wasm_bindgen(constructor, catch)]
    fn with_base(url: &str, base: &str) -> Result<URL, JsValue>;

    #[wasm_bindgen(method, getter)]
    fn href(this: &URL) -> String;

    #[wasm_bindgen(method, getter)]
    fn protocol(this: &URL) -> String;

    #[wasm_bindgen(method, getter)]
    fn hostname(this: &URL) -> String;

    #[wasm_bindgen(method, getter)]
    fn origin(this: &URL) -> String;
}

/// A service's address.
#[derive(Clone, Debug)]
pub struct Address {
    /// The absolute address.
    pub href: String,
    /// Whether the address is encrypted or a loopback address.
    pub confidential: bool,
    /// Whether the address is cross-origin: CORS decides which responses the page may read.
    pub cross_origin: bool,
    /// Whether the address is unencrypted on an encrypted page (mixed content): the browser refuses it.
    pub mixed: bool,
    /// The transport: `http:` and `https:` are BOSH, `ws:` and `wss:` WebSocket; `None` for any other scheme.
    pub kind: Option<Kind>,
}

impl Address {
    /// Resolves an address against the page's location. `None` if it is not an address.
    pub fn resolve(text: &str) -> Option<Self> {
        let page = LOCATION.with(|location| {
            location
                .as_ref()
                .and_then(|location| URL::new(&location.href()).ok())
        });
        let url = match &page {
            Some(page) => URL::with_base(text, &page.href()),
            None => URL::new(text),
        }
        .ok()?;
        let protocol = url.protocol();
        let encrypted = matches!(protocol.as_str(), "https:" | "wss:");
        let loopback = is_loopback(&url.hostname());
        let page_encrypted = page
            .as_ref()
            .is_some_and(|page| page.protocol() == "https:");
        Some(Self {
            confidential: encrypted || loopback,
            cross_origin: page.is_some_and(|page| page.origin() != url.origin()),
            mixed: page_encrypted && !encrypted && !loopback,
            kind: match protocol.as_str() {
                "http:" | "https:" => Some(Kind::Bosh),
                "ws:" | "wss:" => Some(Kind::WebSocket),
                _ => None,
            },
            href: url.href(),
        })
    }
}

/// Whether a host is potentially trustworthy without encryption (Secure Contexts §3.1).
fn is_loopback(hostname: &str) -> bool {
    hostname == "localhost"
        || hostname.ends_with(".localhost")
        || hostname == "[::1]"
        // `URL` normalises every spelling of an IPv4 address to four numbers.
        || hostname.starts_with("127.") && hostname.bytes().all(|byte| byte == b'.' || byte.is_ascii_digit())
}
