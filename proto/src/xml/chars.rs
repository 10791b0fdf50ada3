//! XML 1.0 (fifth edition) §2.2 and §2.3: the characters of texts and of names.
//!
//! Every scan classifies bytes by one table and decodes characters only where a byte may matter.

/// A byte of text to be examined: a control character, `\r`, `]`, or the start of U+F000 and above (U+FFFE is among
/// them).
pub(super) const TEXT: u8 = 1;
/// A byte of an attribute's value to be examined: as above without `]`, and white space, `<`, `&`.
pub(super) const VALUE: u8 = 2;
/// A byte that text must not contain unescaped: written as a reference, or replaced.
pub(super) const ESCAPE_TEXT: u8 = 4;
/// The same for an attribute's value.
pub(super) const ESCAPE_VALUE: u8 = 8;
/// A byte that may begin a name, when it is ASCII.
pub(super) const NAME_START: u8 = 16;
/// A byte that may be in a name, when it is ASCII.
pub(super) const NAME: u8 = 32;
/// White space of XML.
const WHITE: u8 = 64;

static CLASSES: [u8; 256] = {
    let mut classes = [0u8; 256];
    let mut at = 0;
    while at < 256 {
        let byte = at as u8;
        classes[at] = match byte {
            b'\t' | b'\n' => VALUE | ESCAPE_VALUE | WHITE,
            b'\r' => TEXT | VALUE | ESCAPE_TEXT | ESCAPE_VALUE | WHITE,
            0..0x20 => TEXT | VALUE | ESCAPE_TEXT | ESCAPE_VALUE,
            b' ' => WHITE,
            b'&' | b'<' => VALUE | ESCAPE_TEXT | ESCAPE_VALUE,
            b'>' => ESCAPE_TEXT | ESCAPE_VALUE,
            b'\'' | b'"' => ESCAPE_VALUE,
            b']' => TEXT,
            0xEF => TEXT | VALUE | ESCAPE_TEXT | ESCAPE_VALUE,
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => NAME_START | NAME,
            b'0'..=b'9' | b'-' | b'.' => NAME,
            _ => 0,
        };
        at += 1;
    }
    classes
};

/// The classes of a byte.
#[inline(always)]
pub(super) fn class(byte: u8) -> u8 {
    CLASSES[byte as usize]
}

/// Whether the byte is white space in XML.
#[inline(always)]
pub(super) fn is_white(byte: u8) -> bool {
    class(byte) & WHITE != 0
}

/// The classes of all bytes together.
#[inline]
pub(super) fn classes(text: &str) -> u8 {
    text.bytes().fold(0, |all, byte| all | class(byte))
}

/// Whether XML 1.0 allows a character (production 2, `Char`).
pub(super) fn is_xml_char(char: char) -> bool {
    !matches!(char, '\0'..='\x08' | '\x0b' | '\x0c' | '\x0e'..='\x1f' | '\u{fffe}' | '\u{ffff}')
}

/// Whether XML 1.0 allows every character of `text` (§2.2): no control characters except tab, line feed and carriage
/// return, no U+FFFE and no U+FFFF.
pub fn is_xml_text(text: &str) -> bool {
    classes(text) & TEXT == 0 || text.chars().all(is_xml_char)
}

/// Whether `text` is a name without a colon (Namespaces in XML 1.0, production 4, `NCName`).
pub(super) fn is_name(text: &str) -> bool {
    let Some(first) = text.bytes().next() else {
        return false;
    };
    if (first < 0x80 && class(first) & NAME_START != 0)
        && text.bytes().all(|byte| class(byte) & NAME != 0)
    {
        return true;
    }
    text.chars().enumerate().all(|(at, char)| {
        if char.is_ascii() {
            class(char as u8) & if at == 0 { NAME_START } else { NAME } != 0
        } else {
            is_name_start(char)
                || at > 0
                    && matches!(
                        char,
                        '\u{b7}' | '\u{300}'..='\u{36f}' | '\u{203f}' | '\u{2040}'
                    )
        }
    })
}

/// Production 4 of XML 1.0, `NameStartChar`, beyond ASCII.
fn is_name_start(char: char) -> bool {
    matches!(char,
        '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{2ff}' | '\u{370}'..='\u{37d}'
        | '\u{37f}'..='\u{1fff}' | '\u{200c}' | '\u{200d}' | '\u{2070}'..='\u{218f}'
        | '\u{2c00}'..='\u{2fef}' | '\u{3001}'..='\u{d7ff}' | '\u{f900}'..='\u{fdcf}'
        | '\u{fdf0}'..='\u{fffd}' | '\u{10000}'..='\u{effff}')
}
