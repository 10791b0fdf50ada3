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

    fn lowercase(&self, char: char) -> String {
        char.to_lowercase().collect()
    }

    /// As a browser's `URL` does it: what a host name cannot have is refused, and only A-labels come out.
    fn domain_to_ascii(&self, text: &str) -> Option<String> {
        let ascii = idna::domain_to_ascii_cow(text.as_bytes(), idna::AsciiDenyList::URL).ok()?;
        Some(ascii.into_owned())
    }
}
