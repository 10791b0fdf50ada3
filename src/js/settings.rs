//! `Settings`: the options of a client or a stream by hand. The surface has read and validated the page's options
//! (pkg-template/src/options.ts); this file converts those of the transport to the configuration of the protocol and of
//! the network.
//!
//! Options are read by name: one import of the module for all of them.

use crate::web::address::Address;
use crate::web::http::HttpOptions;
use epode_proto::time::Millis;
use epode_proto::transport::Service;
use epode_proto::transport::bosh::BoshConfig;
use js_sys::Array;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// The options of a client: pkg-template/src/core.ts.
    #[wasm_bindgen(typescript_type = "Settings")]
    pub type Settings;

    /// The options of a stream by hand: pkg-template/src/core.ts.
    #[wasm_bindgen(extends = Settings, typescript_type = "StreamSettings")]
    pub type StreamSettings;

    #[wasm_bindgen(method, indexing_getter)]
    fn get(this: &Settings, name: &str) -> JsValue;
}

/// Converts alternating names and values to pairs.
pub fn pairs(flat: Vec<String>) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    let mut all = flat.into_iter();
    while let (Some(name), Some(value)) = (all.next(), all.next()) {
        pairs.push((name, value));
    }
    pairs
}

impl Settings {
    /// A text; `None` if the page did not give the option.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.get(name).as_string()
    }

    /// Several texts; `None` if the page did not give the option.
    pub(super) fn texts(&self, name: &str) -> Option<Vec<String>> {
        let value = self.get(name);
        let texts = |array: &Array| array.iter().filter_map(|text| text.as_string()).collect();
        value.dyn_ref().map(texts)
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        self.get(name).is_truthy()
    }

    /// A whole number below 2^32.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    pub(super) fn number(&self, name: &str) -> Option<u32> {
        self.get(name).as_f64().map(|number| number as u32)
    }

    /// A duration, in milliseconds.
    pub(super) fn millis(&self, name: &str) -> Option<Millis> {
        self.number(name).map(|count| Millis(u64::from(count)))
    }

    /// How long an attempt to connect may take.
    pub(super) fn timeout(&self) -> Millis {
        self.millis("timeout").unwrap_or_default()
    }

    pub(super) fn domain(&self) -> String {
        self.text("domain").unwrap_or_default()
    }

    /// The services, in the order in which they are tried; `None` if an address is not that of a service.
    pub(super) fn services(&self) -> Option<Vec<Service>> {
        let mut services = Vec::new();
        for text in self.texts("services")? {
            let address = Address::resolve(&text)?;
            services.push(Service {
                kind: address.kind?,
                address: address.href.into(),
                confidential: address.confidential,
            });
        }
        Some(services)
    }

    /// What a client's streams and a stream by hand have in common.
    pub(super) fn fill(&self, bosh: &mut BoshConfig) {
        bosh.lang = self.text("lang");
        bosh.wait = self.number("wait").unwrap_or_default();
        bosh.hold = self.number("hold").unwrap_or_default();
        bosh.limits.bytes = self.max_bytes();
    }

    fn max_bytes(&self) -> usize {
        self.number("maxBytes").unwrap_or_default() as usize
    }

    /// The options of the network.
    pub fn http(&self) -> HttpOptions {
        HttpOptions {
            headers: pairs(self.texts("headers").unwrap_or_default()),
            with_credentials: self.flag("withCredentials"),
            max_bytes: self.max_bytes(),
        }
    }
}
