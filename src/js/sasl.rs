//! `SaslCore`: one SASL exchange, as the page sees it (pkg-template/src/sasl-client.ts).
//!
//! Messages cross as bytes. What a method refuses is thrown as an error of the given maker's making.

use super::settings::pairs;
use super::sink::Sink;
use crate::web::derive::derive;
use crate::web::entropy::{self, Entropy};
use crate::web::unicode::PlatformUnicode;
use epode_proto::error::CloseReason;
use epode_proto::sasl::{
    ChallengeReply, Derivation, Exchange, ExchangeInput, KnownKeys, SaslError, base64,
};
use js_sys::Promise;
use js_sys::Uint8Array;
use js_sys::futures::future_to_promise;
use serde::Serialize;
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::prelude::*;

/// SCRAM's keys, by the names that pages know (`scram_keys` of Strophe.js); the last three are Base64.
#[derive(Serialize)]
struct ScramKeys<'a> {
    name: &'a str,
    iter: u32,
    salt: String,
    ck: String,
    sk: String,
}

impl<'a> ScramKeys<'a> {
    fn of(keys: &'a KnownKeys) -> Self {
        Self {
            name: &keys.hash,
            iter: keys.iterations,
            salt: base64::encode(&keys.salt),
            ck: base64::encode(&keys.client_key),
            sk: base64::encode(&keys.server_key),
        }
    }
}

struct State {
    exchange: Exchange,
    /// What the answer to the last challenge waits for.
    derivation: Option<Derivation>,
}

/// One SASL exchange.
#[wasm_bindgen]
pub struct SaslCore {
    state: Rc<RefCell<State>>,
    errors: Sink,
}

fn refuse(errors: &Sink, error: SaslError) -> JsValue {
    errors.reason(&CloseReason::Sasl(error), None)
}

/// Credentials, as names and values in turn. The keys' parts come in the order of [`SaslCore::keys`].
fn read(flat: Vec<String>) -> Option<ExchangeInput> {
    let mut input = ExchangeInput::default();
    let mut keys = KnownKeys::default();
    for (name, value) in pairs(flat) {
        match name.as_str() {
            "username" => input.username = Some(value),
            "secret" => input.secret = Some(value),
            "authzid" => input.authzid = Some(value),
            "nonce" => input.nonce = Some(value),
            "hash" => keys.hash = value,
            "iterations" => keys.iterations = value.parse().ok()?,
            "salt" => keys.salt = base64::decode(&value)?,
            "clientKey" => keys.client_key = base64::decode(&value)?.into(),
            _ => {
                keys.server_key = base64::decode(&value)?.into();
                input.keys = Some(keys);
                keys = KnownKeys::default();
            }
        }
    }
    Some(input)
}

#[wasm_bindgen]
impl SaslCore {
    /// Whether there is such a mechanism.
    pub fn knows(mechanism: &str) -> bool {
        Exchange::knows(mechanism)
    }

    /// Starts a mechanism. `errors` makes the errors; of it only `problem` and `closeReason` are called.
    ///
    /// # Errors
    /// The problems `no-randomness`, `bad-keys`; what is wrong with the credentials.
    #[wasm_bindgen(constructor)]
    pub fn new(
        errors: Sink,
        mechanism: &str,
        credentials: Vec<String>,
    ) -> Result<SaslCore, JsValue> {
        if !entropy::is_available() {
            return Err(errors.error("no-randomness"));
        }
        let input = read(credentials).ok_or_else(|| errors.error("bad-keys"))?;
        match Exchange::start(mechanism, input, &mut Entropy, &PlatformUnicode) {
            Ok(exchange) => Ok(Self {
                state: Rc::new(RefCell::new(State {
                    exchange,
                    derivation: None,
                })),
                errors,
            }),
            Err(error) => Err(refuse(&errors, error)),
        }
    }

    /// The initial response, where the mechanism has one.
    pub fn initial(&self) -> Option<Vec<u8>> {
        self.state.borrow().exchange.initial().map(<[u8]>::to_vec)
    }

    /// Answers a challenge; `undefined` where the answer waits for [`SaslCore::derive`].
    ///
    /// # Errors
    /// The server's error.
    pub fn respond(&self, challenge: &[u8]) -> Result<Option<Vec<u8>>, JsValue> {
        let reply = self.state.borrow_mut().exchange.handle_challenge(challenge);
        match reply {
            Ok(ChallengeReply::Response(response)) => Ok(Some(response)),
            Ok(ChallengeReply::Derive(derivation)) => {
                self.state.borrow_mut().derivation = Some(derivation);
                Ok(None)
            }
            Err(error) => Err(refuse(&self.errors, error)),
        }
    }

    /// Derives SCRAM's keys, by the platform where it can; a promise of the answer to the challenge, as bytes.
    pub fn derive(&self) -> Promise {
        let state = Rc::clone(&self.state);
        let errors = self.errors.clone();
        future_to_promise(async move {
            let derivation = state.borrow_mut().derivation.take();
            let derived = match derivation {
                Some(derivation) => derive(derivation).await,
                None => None,
            };
            let answer = state.borrow_mut().exchange.handle_derived(derived);
            match answer {
                Ok(answer) => Ok(Uint8Array::from(answer.as_slice()).into()),
                Err(error) => Err(refuse(&errors, error)),
            }
        })
    }

    /// Whether the login succeeded: handles what came with `<success/>`.
    pub fn verify(&self, additional: Option<Vec<u8>>) -> bool {
        let additional = additional.as_deref();
        self.state
            .borrow_mut()
            .exchange
            .handle_success(additional)
            .is_ok()
    }

    /// SCRAM's signature that the server has to show, in Base64, between the challenge and [`SaslCore::verify`].
    #[wasm_bindgen(js_name = serverSignature)]
    pub fn server_signature(&self) -> Option<String> {
        let state = self.state.borrow();
        state.exchange.server_signature().map(base64::encode)
    }

    /// SCRAM's keys, as `ScramKeys` of pkg-template/src/sasl-client.ts; `undefined` if there are none.
    pub fn keys(&self) -> JsValue {
        let state = self.state.borrow();
        let keys = state.exchange.keys();
        let keys = keys.and_then(|keys| serde_wasm_bindgen::to_value(&ScramKeys::of(&keys)).ok());
        keys.unwrap_or(JsValue::UNDEFINED)
    }
}
