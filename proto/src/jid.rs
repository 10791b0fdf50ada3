//! RFC 7622: addresses, `local@domain/resource`, normalised so that equal addresses are equal strings.
//!
//! The localpart is prepared with UsernameCaseMapped (RFC 8265 §3.3), the resourcepart with OpaqueString (§4.2), the domainpart with
//! IDNA (`jid/domain.rs`). ASCII is handled here; the platform is only called for other characters.
//!
//! Specification: RFC 7622, XEP-0106 1.1.
//!
//! Left out, because their tables are not in the wasm: the exact category tables of PRECIS (RFC 8264 §9), the
//! contextual rules of joiners and the bidi rule. Instead, the localpart refuses characters with a compatibility form
//! and the blocks of symbols, punctuation and ignorable characters; the resourcepart refuses control characters,
//! noncharacters and characters that change the direction of text. An IPv6 address is not converted to a canonical
//! form.

mod domain;

use core::fmt;

use super::unicode::{Unicode, is_invisible, is_noncharacter, narrow};
use domain::push_domain;

/// The most bytes of one part (RFC 7622 §3.2, §3.3, §3.4).
const PART_BYTES: usize = 1023;

/// A normalised address. Two addresses of the same entity compare, hash and print the same.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Jid {
    text: String,
    /// The length of the localpart; 0 if there is none (an empty localpart is refused).
    local_len: u16,
    /// The length up to the slash, or of the whole text.
    bare_len: u16,
}

/// The error of an invalid address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JidError {
    /// An `@` without a localpart before it.
    EmptyLocal,
    /// No domain.
    EmptyDomain,
    /// A slash without a resource after it.
    EmptyResource,
    /// A part longer than 1023 bytes.
    TooLong,
    /// A character that is not allowed in the localpart (RFC 7622 §3.3.1).
    Local,
    /// Neither a domain name nor an IP address.
    Domain,
    /// A character that is not allowed in the resourcepart.
    Resource,
}

impl JidError {
    /// A short reason in English.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EmptyLocal => "an address with nothing before the @",
            Self::EmptyDomain => "an address without a domain",
            Self::EmptyResource => "an address with nothing after the slash",
            Self::TooLong => "a part of an address longer than 1023 bytes",
            Self::Local => "a character that the part before the @ cannot have",
            Self::Domain => "an address whose domain is none",
            Self::Resource => {
                "a control character or a mark of direction behind the slash of an address"
            }
        }
    }
}

impl fmt::Display for JidError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

impl core::error::Error for JidError {}

impl Jid {
    /// Parses and normalises an address (RFC 7622 §3.1: the first slash ends the bare part, the first `@` in that part
    /// ends the localpart).
    ///
    /// # Errors
    /// [`JidError`] names the invalid part.
    pub fn parse(text: &str, unicode: &dyn Unicode) -> Result<Self, JidError> {
        let (bare, resource) = match text.split_once('/') {
            Some((bare, resource)) => (bare, Some(resource)),
            None => (text, None),
        };
        let (local, domain) = match bare.split_once('@') {
            Some((local, domain)) => (Some(local), domain),
            None => (None, bare),
        };
        Self::from_parts(local, domain, resource, unicode)
    }

    /// Combines and normalises the parts of an address. Pass a user name with characters that are not allowed in a
    /// localpart through [`escape_local`] first.
    ///
    /// # Errors
    /// [`JidError`] names the invalid part.
    pub fn from_parts(
        local: Option<&str>,
        domain: &str,
        resource: Option<&str>,
        unicode: &dyn Unicode,
    ) -> Result<Self, JidError> {
        let resource_room = resource.map_or(0, |resource| resource.len() + 1);
        let local_room = local.map_or(0, |local| local.len() + 1);
        let mut text = String::with_capacity(local_room + domain.len() + resource_room);
        let mut local_len = 0;
        if let Some(local) = local {
            push_local(&mut text, local, unicode)?;
            local_len = part_len(&text, 0, JidError::EmptyLocal)?;
            text.push('@');
        }
        let start = text.len();
        push_domain(&mut text, domain, unicode)?;
        part_len(&text, start, JidError::EmptyDomain)?;
        let bare = Self {
            local_len,
            bare_len: text.len() as u16,
            text,
        };
        match resource {
            Some(resource) => bare.with_resource_owned(resource, unicode),
            None => Ok(bare),
        }
    }

    /// The part before the `@`.
    pub fn local(&self) -> Option<&str> {
        match self.local_len {
            0 => None,
            len => self.text.get(..len as usize),
        }
    }

    /// The domain.
    pub fn domain(&self) -> &str {
        let start = match self.local_len {
            0 => 0,
            len => len as usize + 1,
        };
        self.text.get(start..self.bare_len as usize).unwrap_or("")
    }

    /// The part after the slash: the resource, or the nick of a room's occupant.
    pub fn resource(&self) -> Option<&str> {
        self.text.get(self.bare_len as usize + 1..)
    }

    /// The address without its resource.
    pub fn bare(&self) -> Jid {
        Self {
            text: self.bare_str().into(),
            ..*self
        }
    }

    /// The address without its resource, as text.
    pub fn bare_str(&self) -> &str {
        self.text.get(..self.bare_len as usize).unwrap_or("")
    }

    /// Whether the address has no resource.
    pub fn is_bare(&self) -> bool {
        self.text.len() == self.bare_len as usize
    }

    /// The same bare address with this resource.
    ///
    /// # Errors
    /// [`JidError::EmptyResource`], [`JidError::TooLong`] or [`JidError::Resource`].
    pub fn with_resource(&self, resource: &str, unicode: &dyn Unicode) -> Result<Jid, JidError> {
        self.bare().with_resource_owned(resource, unicode)
    }

    fn with_resource_owned(
        mut self,
        resource: &str,
        unicode: &dyn Unicode,
    ) -> Result<Jid, JidError> {
        self.text.push('/');
        let start = self.text.len();
        push_resource(&mut self.text, resource, unicode)?;
        part_len(&self.text, start, JidError::EmptyResource)?;
        Ok(self)
    }

    /// The whole address.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether both belong to the same account, room or service: all but the resources is equal.
    pub fn same_bare(&self, other: &Jid) -> bool {
        self.bare_str() == other.bare_str()
    }
}

impl fmt::Display for Jid {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.text)
    }
}

impl fmt::Debug for Jid {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.text)
    }
}

/// The length of the part that starts at `start`, checked against the limits.
fn part_len(text: &str, start: usize, empty: JidError) -> Result<u16, JidError> {
    match text.len().saturating_sub(start) {
        0 => Err(empty),
        len if len > PART_BYTES => Err(JidError::TooLong),
        len => Ok(len as u16),
    }
}

/// The normalised length is not known beforehand; a part that is far too long is refused without normalising.
fn check_raw_len(part: &str) -> Result<(), JidError> {
    if part.len() > 4 * PART_BYTES {
        return Err(JidError::TooLong);
    }
    Ok(())
}

/// UsernameCaseMapped (RFC 8265 §3.3.2): width, case (character by character), NFC, in this order.
fn push_local(out: &mut String, part: &str, unicode: &dyn Unicode) -> Result<(), JidError> {
    check_raw_len(part)?;
    if part.is_ascii() {
        let start = out.len();
        out.push_str(part);
        if let Some(local) = out.get_mut(start..) {
            local.make_ascii_lowercase();
        }
        return check_local(part);
    }
    let mut lower = String::with_capacity(part.len());
    for char in part.chars() {
        match narrow(char).unwrap_or(char) {
            char @ '\u{ff66}'..='\u{ff9f}' => {
                lower.push_str(&unicode.nfkc(char.encode_utf8(&mut [0; 4])));
            }
            char if char.is_ascii() => lower.push(char.to_ascii_lowercase()),
            // Character by character: within a word the platform would write the last sigma as `ς`.
            char => lower.push_str(&unicode.lowercase(char)),
        }
    }
    let local = unicode.nfc(&lower);
    check_local(&local)?;
    if !local.is_ascii() && unicode.nfkc(&local) != local {
        return Err(JidError::Local);
    }
    out.push_str(&local);
    Ok(())
}

/// Refuses the characters that RFC 7622 §3.3.1 names, and those outside RFC 8264's IdentifierClass that whole blocks
/// identify.
fn check_local(local: &str) -> Result<(), JidError> {
    let forbidden = |char: char| match char {
        '\0'..=' ' | '\x7f' | '"' | '&' | '\'' | '/' | ':' | '<' | '>' | '@' => true,
        '!'..='~' => false,
        // Latin-1 controls and symbols; the middle dot is a letter in Catalan.
        '\u{80}'..='\u{bf}' => char != '\u{b7}',
        '\u{d7}' | '\u{f7}' => true,
        // Old Hangul.
        '\u{1100}'..='\u{11ff}' | '\u{a960}'..='\u{a97f}' | '\u{d7b0}'..='\u{d7ff}' => true,
        // Invisible, but used in the spelling of words.
        '\u{200c}' | '\u{200d}' => false,
        // Letters among symbols.
        '\u{2183}' | '\u{2184}' => false,
        // Spaces, punctuation, arrows, mathematics, boxes, dingbats, patterns.
        '\u{2000}'..='\u{2bff}' | '\u{2e00}'..='\u{3004}' => true,
        // Private use, variation selectors, specials, emoji and pictographs, tags.
        '\u{e000}'..='\u{f8ff}' | '\u{fe00}'..='\u{fe1f}' | '\u{feff}' => true,
        '\u{ff00}'..='\u{ffff}' | '\u{1f000}'..='\u{1fbff}' | '\u{e0000}'..='\u{10ffff}' => true,
        _ => false,
    };
    if local
        .chars()
        .any(|char| forbidden(char) || is_invisible(char) || is_noncharacter(char))
    {
        return Err(JidError::Local);
    }
    Ok(())
}

/// OpaqueString (RFC 8265 §4.2.2): spaces beyond ASCII become ASCII's, then NFC.
fn push_resource(out: &mut String, part: &str, unicode: &dyn Unicode) -> Result<(), JidError> {
    check_raw_len(part)?;
    // In addition to controls: line and paragraph separators and marks that reorder displayed text, which both PRECIS
    // and the stringprep of older servers refuse. Other invisible characters are allowed: emoji are composed with them
    // (U+200D, U+FE0F).
    let forbidden = |char: char| {
        matches!(char, '\0'..='\x1f' | '\x7f'..='\u{9f}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{206f}')
            || is_noncharacter(char)
    };
    if part.chars().any(forbidden) {
        return Err(JidError::Resource);
    }
    if part.is_ascii() {
        out.push_str(part);
        return Ok(());
    }
    let mut spaced = String::with_capacity(part.len());
    for char in part.chars() {
        spaced.push(match char {
            '\u{a0}'
            | '\u{1680}'
            | '\u{2000}'..='\u{200a}'
            | '\u{202f}'
            | '\u{205f}'
            | '\u{3000}' => ' ',
            _ => char,
        });
    }
    out.push_str(&unicode.nfc(&spaced));
    Ok(())
}

/// The characters of XEP-0106 with their codes; the backslash is last because it is escaped by a separate rule.
const ESCAPES: [(char, &str); 10] = [
    (' ', "20"),
    ('"', "22"),
    ('&', "26"),
    ('\'', "27"),
    ('/', "2f"),
    (':', "3a"),
    ('<', "3c"),
    ('>', "3e"),
    ('@', "40"),
    ('\\', "5c"),
];

/// The character whose code is at the start of `text`.
fn escaped(text: &str) -> Option<char> {
    let code = text.get(..2)?;
    let found = ESCAPES.iter().find(|(_, known)| *known == code)?;
    Some(found.0)
}

/// XEP-0106 §4.2: converts a name with characters that are not allowed in a localpart, such as `d'artagnan`, to a
/// localpart.
///
/// A space at either end is not converted, since its code is not allowed there; [`Jid::parse`] refuses it.
pub fn escape_local(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 8);
    let last = name.len().saturating_sub(1);
    for (at, char) in name.char_indices() {
        let needed = match char {
            // Escape only a backslash that would be read as the start of an escape.
            '\\' => escaped(name.get(at + 1..).unwrap_or("")).is_some(),
            ' ' => at != 0 && at != last,
            _ => true,
        };
        match ESCAPES.iter().find(|(known, _)| *known == char) {
            Some((_, code)) if needed => {
                out.push('\\');
                out.push_str(code);
            }
            _ => out.push(char),
        }
    }
    out
}

/// XEP-0106 §4.3: the name that a localpart stands for, for display. Do not compare addresses with it.
pub fn unescape_local(local: &str) -> String {
    let mut out = String::with_capacity(local.len());
    let mut rest = local;
    while let Some(at) = rest.find('\\') {
        let (before, after) = rest.split_at(at);
        out.push_str(before);
        let after = after.get(1..).unwrap_or("");
        let tail = after.get(2..).unwrap_or("");
        match escaped(after) {
            // The code of a space at either end is not an escape.
            Some(' ') if out.is_empty() || tail.is_empty() => {
                out.push('\\');
                rest = after;
            }
            Some(char) => {
                out.push(char);
                rest = tail;
            }
            None => {
                out.push('\\');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}
