//! PBKDF2 by the Web Cryptography API, beside the page's thread. Pages that are not a secure context (plain http) have no
//! `crypto.subtle`.

use super::task::settled;
use epode_proto::sasl::{Derivation, SaltedPassword};
use js_sys::{Array, Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(thread_local_v2, js_name = crypto)]
    static CRYPTO: Option<Crypto>;

    type Crypto;

    #[wasm_bindgen(method, getter)]
    fn subtle(this: &Crypto) -> Option<Subtle>;

    type Subtle;

    #[wasm_bindgen(method, js_name = importKey, catch)]
    fn import_key(
        this: &Subtle,
        format: &str,
        bytes: &Uint8Array,
        algorithm: &str,
        extractable: bool,
        usages: &Array,
    ) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(method, js_name = deriveBits, catch)]
    fn derive_bits(
        this: &Subtle,
        algorithm: &Object,
        key: &JsValue,
        bits: u32,
    ) -> Result<JsValue, JsValue>;
}

/// What the platform derives; `None` if it has no such function, or refuses.
pub async fn derive(derivation: Derivation) -> Option<SaltedPassword> {
    let subtle = CRYPTO.with(|crypto| crypto.as_ref().and_then(Crypto::subtle))?;
    let password = Uint8Array::from(derivation.password());
    let usages = Array::of1(&"deriveBits".into());
    let imported = subtle.import_key("raw", &password, "PBKDF2", false, &usages);
    // `importKey` has taken a copy (Web Cryptography API §14.3.9).
    password.fill(0, 0, password.length());
    let key = outcome(imported).await?;
    let algorithm = Object::new();
    for (name, value) in [
        ("name", "PBKDF2".into()),
        ("hash", derivation.hash().into()),
        ("salt", Uint8Array::from(derivation.salt()).into()),
        ("iterations", derivation.iterations().into()),
    ] {
        Reflect::set(&algorithm, &name.into(), &value).ok()?;
    }
    #[allow(clippy::cast_possible_truncation)]
    let bits = 8 * derivation.length() as u32;
    let derived = outcome(subtle.derive_bits(&algorithm, &key, bits)).await?;
    let view = Uint8Array::new(&derived);
    let bytes = view.to_vec();
    view.fill(0, 0, view.length());
    Some(SaltedPassword::new(bytes))
}

/// What such a call gives in the end.
async fn outcome(called: Result<JsValue, JsValue>) -> Option<JsValue> {
    settled(&Promise::resolve(&called.ok()?)).await?.ok()
}
