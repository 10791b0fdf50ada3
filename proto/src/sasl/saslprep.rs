//! RFC 4013: SASLprep, the stringprep profile (RFC 3454) for names and passwords, as a query string.
//!
//! Kept: the mappings (B.1, C.1.2) and the prohibitions (C.2 to C.9), which are a few ranges. The platform normalises
//! by today's Unicode and not by 3.2: characters that were assigned in 3.2 normalise the same.
//! Left out, because their tables would be larger than all of SASL: the check for characters unassigned in Unicode 3.2
//! (A.1; a query may have them, so every emoji passes) and the bidirectional rules (D.1, D.2). A server that applies
//! the bidirectional rules refuses the password itself.

use super::SecretText;
use crate::unicode::Unicode;

/// Prepares `text`; `None` if it is empty, becomes empty, or has a prohibited character.
pub(super) fn saslprep(text: &str, unicode: &dyn Unicode) -> Option<String> {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return (!text.is_empty()).then(|| String::from(text));
    }
    let mut mapped = String::with_capacity(text.len());
    for character in text.chars() {
        if is_space(character) {
            mapped.push(' ');
        } else if !is_nothing(character) {
            mapped.push(character);
        }
    }
    let prepared = unicode.nfkc(&mapped);
    drop(SecretText::new(mapped));
    (!prepared.is_empty() && !prepared.chars().any(is_prohibited)).then_some(prepared)
}

/// C.1.2: mapped to a space. U+200B is in B.1 too; here, as in libidn, the space comes first.
fn is_space(character: char) -> bool {
    matches!(
        character,
        '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200b}' | '\u{202f}' | '\u{205f}' | '\u{3000}'
    )
}

/// B.1: commonly mapped to nothing.
fn is_nothing(character: char) -> bool {
    matches!(
        character,
        '\u{ad}'
            | '\u{34f}'
            | '\u{1806}'
            | '\u{180b}'..='\u{180d}'
            | '\u{200c}'
            | '\u{200d}'
            | '\u{2060}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
    )
}

/// C.2 to C.9; surrogates (C.5) are not `char`s.
fn is_prohibited(character: char) -> bool {
    // C.4: the last two code points of every plane are noncharacters.
    if u32::from(character) & 0xfffe == 0xfffe {
        return true;
    }
    matches!(
        character,
        // C.2.1, C.2.2: controls
        '\0'..='\u{1f}'
            | '\u{7f}'..='\u{9f}'
            | '\u{6dd}'
            | '\u{70f}'
            | '\u{180e}'
            | '\u{2028}'
            | '\u{2029}'
            | '\u{2061}'..='\u{2063}'
            | '\u{1d173}'..='\u{1d17a}'
        // C.3: private use
            | '\u{e000}'..='\u{f8ff}'
            | '\u{f0000}'..='\u{10ffff}'
        // C.4: noncharacters
            | '\u{fdd0}'..='\u{fdef}'
        // C.6, C.7: not plain text, not canonical
            | '\u{fff9}'..='\u{fffd}'
            | '\u{2ff0}'..='\u{2ffb}'
        // C.8: marks that change how text is displayed
            | '\u{340}'
            | '\u{341}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{206a}'..='\u{206f}'
        // C.9: tags
            | '\u{e0001}'
            | '\u{e0020}'..='\u{e007f}'
    )
}
