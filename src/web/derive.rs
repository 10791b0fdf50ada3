//! PBKDF2 by the Web Cryptography API, outside the page's thread. Pages without a secure context (plain http) have no
//! `crypto.subtle`.

use epode_proto::sasl::{Derivation, SaltedPassword};
use js_sys::futures::JsFuture;
use js_sys::{Array, Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    // Bytes are a view of the module's memory, of which the call takes a copy before it returns (§14.3.9).
    #[wasm_bindgen(js_namespace = ["crypto", "subtle"], js_name = importKey, catch)]
    fn import_key(
        format: &str,
        bytes: &[u8],
        algorithm: &str,
        extractable: bool,
        usages: &Array,
    ) -> Result<Promise, JsValue>;

    #[wasm_bindgen(js_namespace = ["crypto", "subtle"], js_name = deriveBits, catch)]
    fn derive_bits(algorithm: &Object, key: &JsValue, bits: u32) -> Result<Promise, JsValue>;
}

/// The derived key; `None` if the platform has no such function or refuses.
pub async fn derive(derivation: Derivation) -> Option<SaltedPassword> {
    let usages = Array::of1(&"deriveBits".into());
    let imported = import_key("raw", derivation.password(), "PBKDF2", false, &usages);
    let key = JsFuture::from(imported.ok()?).await.ok()?;
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
    let derived = derive_bits(&algorithm, &key, bits).ok()?;
    let view = Uint8Array::new(&JsFuture::from(derived).await.ok()?);
    let bytes = view.to_vec();
    view.fill(0, 0, view.length());
    Some(SaltedPassword::new(bytes))
}
