//! Randomness from `crypto.getRandomValues`, which exists on plain-http pages too.

use super::global::get_random_values;
use epode_proto::random::Random;
use js_sys::Uint8Array;

/// Whether the platform has a generator. Without one no client may be created: rids and nonces would be predictable.
pub fn is_available() -> bool {
    get_random_values(&Uint8Array::new_with_length(1)).is_ok()
}

/// The platform's generator.
#[derive(Clone, Copy, Debug, Default)]
pub struct Entropy;

impl Random for Entropy {
    fn fill(&mut self, bytes: &mut [u8]) {
        // The quota is 65,536 bytes a call; nothing here asks for more than 64.
        #[allow(clippy::cast_possible_truncation)]
        let view = Uint8Array::new_with_length(bytes.len() as u32);
        if get_random_values(&view).is_ok() {
            view.copy_to(bytes);
        }
    }
}
