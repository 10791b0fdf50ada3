//! Unicode as an argument: the tables are the platform's, never in the wasm.

/// What JIDs (RFC 7622) and SASLprep (RFC 4013) need of Unicode beyond what Rust's core has.
///
/// In a page: `String.prototype.normalize`, `toLowerCase` and `URL` (`src/web/unicode.rs`); natively, in tests: crates
/// (`proto/tests/support/unicode.rs`). Callers skip it for plain ASCII.
pub trait Unicode {
    /// Normalisation form C.
    fn nfc(&self, text: &str) -> String;
    /// Normalisation form KC.
    fn nfkc(&self, text: &str) -> String;
    /// Full lower case, locale independent.
    fn lowercase(&self, text: &str) -> String;
    /// A domain name as IDNA U-labels in lower case; `None` when it is not a domain name or address.
    fn domain(&self, text: &str) -> Option<String>;
}
