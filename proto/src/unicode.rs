//! Unicode as an argument: the platform has the tables, the wasm has none. Functions that need only a few ranges are
//! here.

/// The Unicode functions for JIDs (RFC 7622) and SASLprep (RFC 4013) that Rust's core lacks.
///
/// In a page: `String.prototype.normalize`, `toLowerCase` and `URL` (`src/web/unicode.rs`); natively, in tests: crates
/// (`proto/tests/support/unicode.rs`). Callers skip it for plain ASCII.
pub trait Unicode {
    /// Normalisation form C.
    fn nfc(&self, text: &str) -> String;
    /// Normalisation form KC.
    fn nfkc(&self, text: &str) -> String;
    /// The full lower case of one character, independent of its neighbours and of the locale.
    fn lowercase(&self, char: char) -> String;
    /// A domain name in A-labels and lower case (UTS #46, not transitional: bidi and joiners checked, hyphens and lengths not);
    /// `None` if the text is not a domain name.
    fn domain_to_ascii(&self, text: &str) -> Option<String>;
}

/// Whether a character is invisible and can be hidden in a text: `Default_Ignorable_Code_Point` (UAX #44) without the
/// two joiners U+200C and U+200D, which change how their neighbours are written.
pub(crate) fn is_invisible(char: char) -> bool {
    matches!(
        char,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'
            | '\u{1160}'
            | '\u{17b4}'
            | '\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fff8}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

/// Whether a code point is a noncharacter (Unicode §23.7); XML 1.0 cannot carry U+FFFE and U+FFFF.
pub(crate) fn is_noncharacter(char: char) -> bool {
    u32::from(char) & 0xfffe == 0xfffe || matches!(char, '\u{fdd0}'..='\u{fdef}')
}

/// The ASCII character of a full-width form; `None` for all other characters.
pub(crate) fn narrow(char: char) -> Option<char> {
    match char {
        // Full-width forms have the order of ASCII.
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(char) - 0xfee0),
        _ => None,
    }
}
