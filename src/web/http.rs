//! HTTP exchanges by `fetch`, identified by the ids of the connection.

use super::address::Address;
use super::platform::{ApiOverrides, fetch};
use epode_proto::io::{ExchangeId, Input, NetworkFailure};
use epode_proto::vec_map::VecMap;
use js_sys::futures::{JsFuture, spawn_local};
use js_sys::{Promise, Reflect, Uint8Array};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use web_sys::{
    AbortController, Headers, RequestCredentials, RequestInit, RequestMode, RequestRedirect,
    Response,
};

#[wasm_bindgen]
extern "C" {
    /// Streams' `ReadableStream`.
    type Stream;

    #[wasm_bindgen(method, catch, js_name = getReader)]
    fn reader(this: &Stream) -> Result<StreamReader, JsValue>;

    type StreamReader;

    #[wasm_bindgen(method, catch)]
    fn read(this: &StreamReader) -> Result<Promise, JsValue>;

    type Chunk;

    #[wasm_bindgen(method, getter)]
    fn done(this: &Chunk) -> bool;

    #[wasm_bindgen(method, getter)]
    fn value(this: &Chunk) -> Uint8Array;
}

/// The limit of a browser for the bodies of all keepalive requests: 64 KiB (Fetch §2.9).
const KEEPALIVE_LIMIT: usize = 60 * 1024;
/// A response that announces at most this many bytes is read at once; others in chunks, so that reading stops at the
/// limit even if the length is wrong or the body compressed.
const SHORT: usize = 64 * 1024;

/// The page's options for its requests.
#[derive(Clone, Debug)]
pub struct HttpOptions {
    /// Headers of each request, `Content-Type` among them; names and values are allowed in HTTP.
    pub headers: Vec<(String, String)>,
    /// Whether to send cookies and HTTP authentication across origins.
    pub with_credentials: bool,
    /// The maximal size of a response, in bytes.
    pub max_bytes: usize,
}

/// The pending exchanges.
pub struct Http {
    options: HttpOptions,
    platform: Rc<dyn ApiOverrides>,
    flying: RefCell<VecMap<ExchangeId, Option<AbortController>>>,
    /// Bytes of the pending keepalive requests.
    outliving: Cell<usize>,
    /// Whether a response has been read before: then a later failure is one of the network, not of the configuration.
    answered: Cell<bool>,
}

impl Http {
    /// Creates a set without pending exchanges.
    pub fn new(options: HttpOptions, platform: Rc<dyn ApiOverrides>) -> Self {
        Self {
            options,
            platform,
            flying: RefCell::default(),
            outliving: Cell::new(0),
            answered: Cell::new(false),
        }
    }

    /// POSTs `body`; `done` receives the response or the failure later, unless the exchange is cancelled. `foreign`: the page's
    /// headers and credentials are not for this address.
    pub fn post(
        self: &Rc<Self>,
        exchange: ExchangeId,
        address: &str,
        foreign: bool,
        body: &str,
        farewell: bool,
        done: Rc<dyn Fn(Input)>,
    ) {
        let controller = AbortController::new().ok();
        let init = self.init(body, foreign, controller.as_ref());
        let outlives = if farewell { body.len() } else { 0 };
        let outliving = self.outliving.get() + outlives;
        if farewell && outliving < KEEPALIVE_LIMIT {
            // `keepalive`: the browser completes the request after the page is unloaded. Setting a field of a new object cannot fail.
            let _ = Reflect::set(&init, &"keepalive".into(), &JsValue::TRUE);
        }
        self.outliving.set(outliving);
        let sent = fetch(&*self.platform, address, &init);
        // Only the map holds the controller: a `fetch` of the page that never settles must not keep it alive, nor the
        // objects that the error of its abort refers to.
        self.flying.borrow_mut().insert(exchange, controller);
        let http = Rc::clone(self);
        let address = address.to_owned();
        spawn_local(async move {
            let outcome = match sent {
                Some(sent) => http.answer(sent).await,
                None => Err(Some(NetworkFailure::Unsupported("fetch"))),
            };
            http.outliving
                .set(http.outliving.get().saturating_sub(outlives));
            // Ignore the result if the exchange was cancelled meanwhile.
            let flying = http.flying.borrow_mut().remove(&exchange);
            let Some(controller) = flying else { return };
            if let (Err(Some(_)), Some(controller)) = (&outcome, controller) {
                // Discard the rest of the response.
                controller.abort();
            }
            let input = match outcome {
                Ok((status, content_type, body)) => Input::HttpAnswered {
                    exchange,
                    status,
                    content_type,
                    body,
                },
                Err(None) => Input::HttpFailed {
                    exchange,
                    failure: http.diagnose(&address).await,
                },
                Err(Some(failure)) => Input::HttpFailed { exchange, failure },
            };
            done(input);
        });
    }

    /// Cancels an exchange.
    pub fn cancel(&self, exchange: ExchangeId) {
        let controller = self.flying.borrow_mut().remove(&exchange);
        if let Some(controller) = controller.flatten() {
            controller.abort();
        }
    }

    /// Cancels all exchanges.
    pub fn cancel_all(&self) {
        let flying = core::mem::take(&mut *self.flying.borrow_mut());
        for (_, controller) in flying.into_entries() {
            if let Some(controller) = controller {
                controller.abort();
            }
        }
    }

    fn init(&self, body: &str, foreign: bool, controller: Option<&AbortController>) -> RequestInit {
        let init = RequestInit::new();
        init.set_method("POST");
        init.set_body(&JsValue::from_str(body));
        // The request holds a password, and headers for this address: do not follow redirects.
        init.set_redirect(RequestRedirect::Manual);
        if let Ok(headers) = Headers::new() {
            for (name, value) in &self.options.headers {
                if !foreign || name.eq_ignore_ascii_case("Content-Type") {
                    let _ = headers.set(name, value);
                }
            }
            init.set_headers(&headers);
        }
        if foreign {
            // This includes the page's own origin: a redirecting server must not make the page POST there with the
            // user's credentials.
            init.set_credentials(RequestCredentials::Omit);
        } else if self.options.with_credentials {
            init.set_credentials(RequestCredentials::Include);
        }
        if let Some(controller) = controller {
            init.set_signal(Some(&controller.signal()));
        }
        init
    }

    /// `Err(None)`: no response; the caller infers the reason.
    async fn answer(
        &self,
        sent: js_sys::Promise,
    ) -> Result<(u16, Option<String>, Vec<u8>), Option<NetworkFailure>> {
        let response: Response = JsFuture::from(sent)
            .await
            .ok()
            // A `fetch` given by the page may return any value.
            .filter(JsValue::is_object)
            .ok_or(None)?
            .unchecked_into();
        if response.status() == 0 {
            // Browsers reveal nothing else about a redirect (Fetch §2.2.6, an opaque-redirect filtered response).
            return Err(Some(NetworkFailure::Redirected));
        }
        let headers = response.headers();
        let announced = headers
            .get("Content-Length")
            .ok()
            .flatten()
            .and_then(|length| length.parse::<usize>().ok());
        if announced.is_some_and(|length| length > self.options.max_bytes) {
            return Err(Some(NetworkFailure::TooLarge));
        }
        let content_type = headers.get("Content-Type").ok().flatten();
        let bytes = if announced.is_some_and(|length| length <= SHORT) {
            let buffer = response.array_buffer().map_err(|_| None)?;
            let buffer = JsFuture::from(buffer).await.map_err(|_| None)?;
            let bytes = Uint8Array::new(&buffer);
            if bytes.length() as usize > self.options.max_bytes {
                return Err(Some(NetworkFailure::TooLarge));
            }
            bytes.to_vec()
        } else {
            self.read_pieces(&response).await?
        };
        self.answered.set(true);
        Ok((response.status(), content_type, bytes))
    }

    /// Reads a body up to the limit.
    async fn read_pieces(&self, response: &Response) -> Result<Vec<u8>, Option<NetworkFailure>> {
        let mut bytes = Vec::new();
        let body = Reflect::get(response, &"body".into()).map_err(|_| None)?;
        if !body.is_object() {
            // No body, as with status 204.
            return Ok(bytes);
        }
        let reader = body.unchecked_into::<Stream>().reader();
        let reader = reader.map_err(|_| None)?;
        loop {
            let chunk = reader.read().map_err(|_| None)?;
            let chunk = JsFuture::from(chunk).await.map_err(|_| None)?;
            let chunk: Chunk = chunk.unchecked_into();
            if chunk.done() {
                return Ok(bytes);
            }
            let piece = chunk.value();
            if bytes.len() + piece.length() as usize > self.options.max_bytes {
                return Err(Some(NetworkFailure::TooLarge));
            }
            bytes.append(&mut piece.to_vec());
        }
    }

    /// Infers a failure's reason, since `fetch` reports only "TypeError": a page on `https:` may not request an `http:` address; a
    /// cross-origin server that answers a `no-cors` request is reachable, but lacks CORS headers.
    async fn diagnose(&self, href: &str) -> NetworkFailure {
        let address = Address::resolve(href);
        if address.as_ref().is_some_and(|address| address.mixed) {
            return NetworkFailure::MixedContent;
        }
        if self.answered.get() || !address.is_some_and(|address| address.cross_origin) {
            return NetworkFailure::Unreachable;
        }
        let init = RequestInit::new();
        init.set_mode(RequestMode::NoCors);
        let Some(sent) = fetch(&*self.platform, href, &init) else {
            return NetworkFailure::Unreachable;
        };
        match JsFuture::from(sent).await {
            Ok(_) => NetworkFailure::BlockedByCors,
            Err(_) => NetworkFailure::Unreachable,
        }
    }
}
