//! Unicode by crates; in a page the browser does it (`src/web/unicode.rs`).

use epode_proto::unicode::Unicode;
use unicode_normalization::UnicodeNormalization;

/// The native implementation.
#[derive(Clone, Copy, Debug, Default)]
pub struct NativeUnicode;

impl Unicode for NativeUnicode {
    fn nfc(&self, text: &str) -> String {
        text.nfc().collect()
    }

    fn nfkc(&self, text: &str) -> String {
        text.nfkc().collect()
    }

    fn lowercase(&self, text: &str) -> String {
        text.to_lowercase()
    }

    fn domain(&self, text: &str) -> Option<String> {
        let ascii = idna::domain_to_ascii(text).ok()?;
        let (unicode, result) = idna::domain_to_unicode(&ascii);
        result.ok().map(|()| unicode)
    }
}
