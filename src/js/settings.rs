//! `Settings`: the options of a client. The surface has read and validated the page's options
//! (pkg-template/src/options.ts); this file converts them to the configuration of the protocol and of the network.

use crate::web::address::Address;
use crate::web::http::HttpOptions;
use epode_proto::client::ClientConfig;
use epode_proto::raw_stream::RawConfig;
use epode_proto::reconnect::Reconnect;
use epode_proto::sasl::allowable_name;
use epode_proto::session::Goal;
use epode_proto::time::Millis;
use epode_proto::transport::Service;
use epode_proto::transport::bosh::BoshConfig;
use epode_proto::xep::audience::Audience;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// The options of a client: pkg-template/src/core.ts.
    #[wasm_bindgen(typescript_type = "Settings")]
    pub type Settings;

    #[wasm_bindgen(method, getter)]
    fn services(this: &Settings) -> Vec<String>;

    #[wasm_bindgen(method, getter)]
    fn domain(this: &Settings) -> String;

    #[wasm_bindgen(method, getter)]
    fn account(this: &Settings) -> Option<String>;

    #[wasm_bindgen(method, getter)]
    fn resource(this: &Settings) -> Option<String>;

    #[wasm_bindgen(method, getter)]
    fn anonymous(this: &Settings) -> bool;

    /// Names and values alternating; absent if the client logs in.
    #[wasm_bindgen(method, getter)]
    fn registration(this: &Settings) -> Option<Vec<String>>;

    #[wasm_bindgen(method, getter, js_name = allowPlainText)]
    fn allow_plain_text(this: &Settings) -> bool;

    #[wasm_bindgen(method, getter)]
    fn mechanisms(this: &Settings) -> Option<Vec<String>>;

    #[wasm_bindgen(method, getter)]
    fn presence(this: &Settings) -> bool;

    #[wasm_bindgen(method, getter)]
    fn lang(this: &Settings) -> Option<String>;

    #[wasm_bindgen(method, getter)]
    fn wait(this: &Settings) -> u32;

    #[wasm_bindgen(method, getter)]
    fn hold(this: &Settings) -> u32;

    #[wasm_bindgen(method, getter)]
    fn keys(this: &Settings) -> bool;

    /// Names and values alternating.
    #[wasm_bindgen(method, getter)]
    fn headers(this: &Settings) -> Vec<String>;

    #[wasm_bindgen(method, getter, js_name = withCredentials)]
    fn with_credentials(this: &Settings) -> bool;

    #[wasm_bindgen(method, getter)]
    fn timeout(this: &Settings) -> u32;

    #[wasm_bindgen(method, getter, js_name = maxBytes)]
    fn max_bytes(this: &Settings) -> u32;

    #[wasm_bindgen(method, getter)]
    fn reconnect(this: &Settings) -> bool;

    #[wasm_bindgen(method, getter)]
    fn least(this: &Settings) -> Option<u32>;

    #[wasm_bindgen(method, getter)]
    fn most(this: &Settings) -> Option<u32>;

    #[wasm_bindgen(method, getter, js_name = streamManagement)]
    fn stream_management(this: &Settings) -> bool;

    #[wasm_bindgen(method, getter)]
    fn silence(this: &Settings) -> u32;

    /// The name under which the session is stored over a reload, if it is.
    #[wasm_bindgen(method, getter)]
    pub fn keep(this: &Settings) -> Option<String>;

    #[wasm_bindgen(method, getter)]
    fn name(this: &Settings) -> Option<String>;

    #[wasm_bindgen(method, getter)]
    fn version(this: &Settings) -> Option<String>;

    #[wasm_bindgen(method, getter)]
    fn os(this: &Settings) -> Option<String>;

    #[wasm_bindgen(method, getter)]
    fn features(this: &Settings) -> Vec<String>;

    #[wasm_bindgen(method, getter, js_name = answerTo)]
    fn answer_to(this: &Settings) -> Option<String>;

    /// What a stream by hand is made with: pkg-template/src/core.ts. Its getters are those above, and these.
    #[wasm_bindgen(extends = Settings, typescript_type = "StreamSettings")]
    pub type StreamSettings;

    /// Who is going to log in, for the stream's header.
    #[wasm_bindgen(method, getter)]
    fn from(this: &StreamSettings) -> Option<String>;

    #[wasm_bindgen(method, getter)]
    fn route(this: &StreamSettings) -> Option<String>;
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

const fn millis(count: u32) -> Millis {
    Millis(count as u64)
}

impl Settings {
    /// The services, in the order in which they are tried; `None` if an address is not that of a service.
    fn read_services(&self) -> Option<Vec<Service>> {
        let mut services = Vec::new();
        for text in self.services() {
            let address = Address::resolve(&text)?;
            services.push(Service {
                kind: address.kind?,
                address: address.href.into(),
                confidential: address.confidential,
            });
        }
        Some(services)
    }

    /// The configuration of the client; `None` if a service is invalid.
    pub fn client(&self) -> Option<ClientConfig> {
        let mut services = self.read_services()?;
        let domain = self.domain();
        let first = (!services.is_empty()).then(|| services.remove(0))?;
        let mut config = ClientConfig::for_service(first, &domain);
        config.initial_presence = self.presence();
        config.ephemeral = self.anonymous();
        config.audience = self
            .answer_to()
            .and_then(|name| Audience::parse(&name))
            .unwrap_or_default();
        let about = &mut config.about;
        about.identity.name = self.name();
        about.version.name = self.name().unwrap_or_else(|| "epode".to_owned());
        if let Some(version) = self.version() {
            about.version.version = version;
        }
        about.version.os = self.os();
        about.features = self.features();
        let connection = &mut config.connection;
        connection.services.append(&mut services);
        connection.timeout = millis(self.timeout());
        connection.stream_management = self.stream_management();
        connection.silence = millis(self.silence());
        let mut pauses = Reconnect::default();
        pauses.least = self.least().map_or(pauses.least, millis);
        pauses.most = self.most().map_or(pauses.most, millis);
        connection.reconnect = self.reconnect().then_some(pauses);
        connection.bosh.pauses = connection.reconnect.unwrap_or_default();
        connection.bosh.keys = self.keys();
        self.fill(&mut connection.bosh);
        let session = &mut connection.session;
        session.account = self.account();
        session.resource = self.resource();
        session.plain_text_allowed = self.allow_plain_text();
        session.mechanisms = self.mechanisms().map(|names| {
            let names = names.iter();
            names.filter_map(|name| allowable_name(name)).collect()
        });
        if let Some(fields) = self.registration() {
            session.goal = Goal::Register(pairs(fields));
        }
        Some(config)
    }

    /// What a client's streams and a stream by hand have in common.
    fn fill(&self, bosh: &mut BoshConfig) {
        bosh.lang = self.lang();
        bosh.wait = self.wait();
        bosh.hold = self.hold();
        bosh.limits.bytes = self.max_bytes() as usize;
    }

    /// The options of the network.
    pub fn http(&self) -> HttpOptions {
        HttpOptions {
            headers: pairs(self.headers()),
            with_credentials: self.with_credentials(),
            max_bytes: self.max_bytes() as usize,
        }
    }
}

impl StreamSettings {
    /// The configuration of a stream by hand; `None` where the service is none.
    pub fn stream(&self) -> Option<RawConfig> {
        let mut services = self.read_services()?;
        let service = (!services.is_empty()).then(|| services.remove(0))?;
        let mut config = RawConfig::for_service(service, &self.domain());
        config.timeout = millis(self.timeout());
        config.bosh.from = self.from();
        config.bosh.route = self.route();
        self.fill(&mut config.bosh);
        Some(config)
    }
}
