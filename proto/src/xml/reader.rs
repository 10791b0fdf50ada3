//! Reading: XML 1.0 (fifth edition) and Namespaces in XML 1.0 (third edition), within the bounds of RFC 6120 §11.
//!
//! quick-xml finds where a tag ends; the rest is done here. Its `Reader` costs 4 KB gzip of wasm more, for DTDs, comments,
//! processing instructions and streams that XMPP has no use for, and passes over most of what makes a tag ill-formed.
//! Everything is done in one pass, and whatever an input can make grow is bounded by [`Limits`].

mod attributes;

use quick_xml::parser::{ElementParser, Parser};

use super::chars::{self, NAME, NAME_START, TEXT};
use super::document::{Document, ElementRecord, NO_NS, NsId, Record, Span};
use super::{Limits, XmlError};

/// Spans are counted in 32 bits, and unescaped text can at most double the buffer.
const MOST_BYTES: usize = 1 << 30;

/// Reads a document; `default_ns` is the default namespace around its root.
pub(super) fn read(
    bytes: Vec<u8>,
    limits: &Limits,
    default_ns: &str,
) -> Result<Document, XmlError> {
    if bytes.len() > limits.bytes.min(MOST_BYTES) {
        return Err(XmlError::TooLarge);
    }
    let source = String::from_utf8(bytes).map_err(|_| XmlError::NotUtf8)?;
    // A guess at what a stanza is made of: short ones fit without growing, long ones may be nothing but text.
    let expected = 4 + (source.len() / 48).min(4096);
    let mut reading = Reading {
        source: &source,
        limits,
        document: Document::with_capacity(0, expected, expected),
        open: Vec::with_capacity(8),
        bindings: Vec::new(),
        pending: Pending::Nothing,
        outer_ns: NO_NS,
    };
    reading.surround(default_ns);
    reading.run()?;
    let mut document = reading.document;
    // What had to be unescaped was gathered apart and is counted from the end of the source: here it gets there.
    let unescaped = core::mem::replace(&mut document.text, source);
    if !unescaped.is_empty() {
        document.text.reserve_exact(unescaped.len());
        document.text.push_str(&unescaped);
    }
    Ok(document)
}

/// An element whose end tag has not come yet.
struct Open {
    record: u32,
    /// Its name as it stands in the source, prefix and all: the end tag's must be the same.
    name: Span,
    /// The default namespace within it.
    default_ns: NsId,
    /// How many prefixes were bound outside of it.
    outer_bindings: u32,
}

/// A prefix in scope.
struct Binding<'a> {
    prefix: &'a str,
    ns: NsId,
}

/// Character data that may go on in the next event.
enum Pending {
    Nothing,
    /// One piece, as it stands in the source.
    Source(Span),
    /// From here to the end of the unescaped text.
    Unescaped(usize),
}

struct Reading<'a> {
    source: &'a str,
    limits: &'a Limits,
    /// Its text is the unescaped text while reading.
    document: Document,
    open: Vec<Open>,
    bindings: Vec<Binding<'a>>,
    pending: Pending,
    /// The default namespace around the root.
    outer_ns: NsId,
}

impl<'a> Reading<'a> {
    /// Sets the default namespace around the root, as if the root stood in an element that declares it.
    fn surround(&mut self, default_ns: &str) {
        if !default_ns.is_empty() {
            let start = self.source.len() + self.document.text.len();
            self.document.text.push_str(default_ns);
            self.outer_ns = self.intern(Span::new(start, start + default_ns.len()));
        }
    }

    fn run(&mut self) -> Result<(), XmlError> {
        // A byte order mark is no part of the document.
        let start = if self.source.starts_with('\u{feff}') {
            3
        } else {
            0
        };
        let mut at = start;
        while at < self.source.len() {
            at = match (self.byte(at), self.byte(at + 1)) {
                (b'<', b'/') => self.end_tag(at + 2)?,
                (b'<', b'!') => self.bang(at + 2)?,
                (b'<', b'?') => self.question(at + 2, at == start)?,
                (b'<', _) => self.start_tag(at + 1)?,
                (b'&', _) => self.reference(at + 1)?,
                _ => self.plain(at)?,
            };
        }
        if self.open.is_empty() && !self.document.records.is_empty() {
            Ok(())
        } else {
            Err(XmlError::Truncated)
        }
    }

    /// Where `end` begins, from `at` on.
    fn find(&self, at: usize, end: &[u8]) -> Result<usize, XmlError> {
        let bytes = self.source.as_bytes();
        for place in at..bytes.len() {
            if bytes.get(place..place + end.len()) == Some(end) {
                return Ok(place);
            }
        }
        Err(XmlError::Truncated)
    }

    /// From behind `<`; the answer, as of all these, is where to go on.
    fn start_tag(&mut self, start: usize) -> Result<usize, XmlError> {
        let rest = self.source.as_bytes().get(start..).unwrap_or(&[]);
        let Some(len) = ElementParser::default().feed(rest) else {
            return Err(XmlError::Truncated);
        };
        let end = start + len;
        let empty = self.byte(end - 1) == b'/' && len > 0;
        self.start(start, if empty { end - 1 } else { end })?;
        if empty {
            self.end();
        }
        Ok(end + 1)
    }

    /// From behind `</`.
    fn end_tag(&mut self, start: usize) -> Result<usize, XmlError> {
        let end = self.find(start, b">")?;
        let name = self.slice(start, end);
        let name = name.trim_end_matches(|char| char < '!' && chars::is_white(char as u8));
        match self.open.last() {
            Some(open)
                if name == self.slice(open.name.start as usize, open.name.end() as usize) => {}
            _ => return Err(XmlError::Malformed("an end tag that closes nothing")),
        }
        self.flush()?;
        self.end();
        Ok(end + 1)
    }

    /// From behind `<!`: character data, or what XMPP forbids.
    fn bang(&mut self, start: usize) -> Result<usize, XmlError> {
        match self.byte(start) {
            b'[' => {}
            b'-' => return Err(XmlError::Forbidden("comment")),
            b'D' | b'd' => return Err(XmlError::Forbidden("DTD")),
            _ => return Err(XmlError::Malformed("`<!` without a meaning")),
        }
        let inner = start + "[CDATA[".len();
        if self.slice(start, inner) != "[CDATA[" {
            return Err(XmlError::Truncated);
        }
        let end = self.find(inner, b"]]>")?;
        self.text(inner, end, chars::classes(self.slice(inner, end)), true)?;
        Ok(end + 3)
    }

    /// From behind `<?`: only an XML declaration at the very start is allowed.
    fn question(&mut self, start: usize, first: bool) -> Result<usize, XmlError> {
        let named = self.slice(start, start + 3) == "xml";
        let ends = self.byte(start + 3);
        if !first || !named || !(chars::is_white(ends) || ends == b'?') {
            return Err(XmlError::Forbidden("processing instruction"));
        }
        let end = self.find(start, b"?>")?;
        self.declaration(start, end)?;
        Ok(end + 2)
    }

    /// Character data up to the next tag or reference.
    fn plain(&mut self, start: usize) -> Result<usize, XmlError> {
        let mut classes = 0;
        let mut end = start;
        for byte in self.source.bytes().skip(start) {
            if byte == b'<' || byte == b'&' {
                break;
            }
            classes |= chars::class(byte);
            end += 1;
        }
        self.text(start, end, classes, false)?;
        Ok(end)
    }

    fn slice(&self, start: usize, end: usize) -> &'a str {
        self.source.get(start..end).unwrap_or("")
    }

    /// The byte at `at`; 0, which no document holds, where there is none.
    fn byte(&self, at: usize) -> u8 {
        self.source.as_bytes().get(at).copied().unwrap_or(0)
    }

    /// One more element, attribute or text.
    fn count(&self) -> Result<(), XmlError> {
        if self.document.records.len() + self.document.attributes.len() < self.limits.nodes {
            Ok(())
        } else {
            Err(XmlError::TooManyNodes)
        }
    }

    /// Opens an element, whose tag stands from `start` to `end`, without `<` and `>` or `/>`.
    fn start(&mut self, start: usize, end: usize) -> Result<(), XmlError> {
        self.flush()?;
        if self.open.is_empty() && !self.document.records.is_empty() {
            return Err(XmlError::Malformed("a second root element"));
        }
        if self.open.len() >= self.limits.depth {
            return Err(XmlError::TooDeep);
        }
        let mut name_end = start;
        while name_end < end && !chars::is_white(self.byte(name_end)) {
            name_end += 1;
        }
        let attributes = self.document.attributes.len();
        let outer_bindings = self.bindings.len() as u32;
        let mut default_ns = self
            .open
            .last()
            .map_or(self.outer_ns, |open| open.default_ns);
        if name_end < end {
            if let Some(declared) = self.attributes(name_end, end)? {
                default_ns = declared;
            }
            self.resolve(attributes)?;
        }
        let (prefix, name) = self.qualified_name(start, name_end)?;
        let ns = if prefix.is_empty() {
            default_ns
        } else {
            self.bound(prefix)?
        };
        self.count()?;
        self.open.push(Open {
            record: self.document.records.len() as u32,
            name: Span::new(start, name_end),
            default_ns,
            outer_bindings,
        });
        self.document.records.push(Record::Element(ElementRecord {
            name,
            ns,
            end: 0,
            attributes: attributes as u32,
            attribute_count: (self.document.attributes.len() - attributes) as u32,
        }));
        Ok(())
    }

    /// Closes the innermost element.
    fn end(&mut self) {
        let Some(open) = self.open.pop() else { return };
        self.bindings.truncate(open.outer_bindings as usize);
        let end = self.document.records.len() as u32;
        if let Some(Record::Element(element)) = self.document.records.get_mut(open.record as usize)
        {
            element.end = end;
        }
    }

    /// Splits a name at its colon, into the prefix (empty when there is none) and the local part.
    fn qualified_name(&self, start: usize, end: usize) -> Result<(&'a str, Span), XmlError> {
        let bytes = self.source.as_bytes().get(start..end).unwrap_or(&[]);
        // Where the local part begins in it, and what all bytes have in common.
        let mut local = 0;
        let mut common = NAME;
        for (at, byte) in bytes.iter().enumerate() {
            if *byte == b':' && local == 0 {
                local = at + 1;
            } else {
                common &= chars::class(*byte);
            }
        }
        let begins = |at: usize| matches!(bytes.get(at), Some(byte) if chars::class(*byte) & NAME_START != 0);
        let prefix = match local.checked_sub(1) {
            Some(colon) => self.slice(start, start + colon),
            None => "",
        };
        let local = start + local;
        // Most names are ASCII, and known to be names by now.
        let known = common & NAME != 0 && begins(0) && begins(local - start);
        if known
            || (local == start || chars::is_name(prefix)) && chars::is_name(self.slice(local, end))
        {
            Ok((prefix, Span::new(local, end)))
        } else {
            Err(XmlError::Malformed("a name that is none"))
        }
    }

    /// Takes a piece of character data, of whose bytes the classes are known.
    fn text(&mut self, start: usize, end: usize, classes: u8, cdata: bool) -> Result<(), XmlError> {
        let piece = self.slice(start, end);
        if self.open.is_empty() {
            if cdata || !piece.bytes().all(chars::is_white) {
                return Err(XmlError::Malformed("text outside the root element"));
            }
            return Ok(());
        }
        if piece.is_empty() {
            return Ok(());
        }
        let mut line_ends = false;
        if classes & TEXT != 0 {
            for (at, byte) in piece.bytes().enumerate() {
                match byte {
                    b'\r' => line_ends = true,
                    b']' if !cdata && piece.as_bytes().get(at..at + 3) == Some(b"]]>") => {
                        return Err(XmlError::Malformed("`]]>` in text"));
                    }
                    byte if chars::class(byte) & TEXT != 0 => {
                        check_char(self.slice(start + at, start + piece.len()))?;
                    }
                    _ => {}
                }
            }
        }
        if !line_ends && matches!(self.pending, Pending::Nothing) {
            self.pending = Pending::Source(Span::new(start, start + piece.len()));
            return Ok(());
        }
        self.unescape();
        if !line_ends {
            self.document.text.push_str(piece);
            return Ok(());
        }
        // XML 1.0 §2.11: a carriage return, with or without a line feed, is a line feed.
        for (place, line) in piece.split('\r').enumerate() {
            if place > 0 && !line.starts_with('\n') {
                self.document.text.push('\n');
            }
            self.document.text.push_str(line);
        }
        Ok(())
    }

    /// Takes a reference in character data, from behind its `&`.
    fn reference(&mut self, start: usize) -> Result<usize, XmlError> {
        if self.open.is_empty() {
            return Err(XmlError::Malformed("text outside the root element"));
        }
        let mut end = start;
        while !matches!(self.byte(end), b';' | b'&' | b'<' | 0) {
            end += 1;
        }
        if self.byte(end) != b';' {
            return Err(XmlError::Malformed("`&` without a reference"));
        }
        self.unescape();
        self.push_reference(self.slice(start, end))?;
        Ok(end + 1)
    }

    /// From now on the pending text is gathered in the unescaped text.
    fn unescape(&mut self) {
        match self.pending {
            Pending::Unescaped(_) => {}
            Pending::Nothing => self.pending = Pending::Unescaped(self.document.text.len()),
            Pending::Source(span) => {
                self.pending = Pending::Unescaped(self.document.text.len());
                let piece = self.slice(span.start as usize, span.end() as usize);
                self.document.text.push_str(piece);
            }
        }
    }

    /// Enters the pending text.
    fn flush(&mut self) -> Result<(), XmlError> {
        let span = match core::mem::replace(&mut self.pending, Pending::Nothing) {
            Pending::Nothing => return Ok(()),
            Pending::Source(span) => span,
            Pending::Unescaped(start) => {
                let base = self.source.len();
                Span::new(base + start, base + self.document.text.len())
            }
        };
        self.count()?;
        self.document.records.push(Record::Text(span));
        Ok(())
    }

    /// Appends what `&name;` stands for (XML 1.0 §4.1, §4.6).
    fn push_reference(&mut self, name: &str) -> Result<(), XmlError> {
        let char = match name {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "apos" => '\'',
            "quot" => '"',
            _ => match name.strip_prefix('#') {
                Some(number) => char_of(number)
                    .ok_or(XmlError::Malformed("a reference to no character of XML"))?,
                None => return Err(XmlError::Malformed("an undefined entity")),
            },
        };
        self.document.text.push(char);
        Ok(())
    }

    /// Checks an XML declaration (XML 1.0 §2.8, §2.9): a version 1, no encoding but UTF-8, in their order and once each.
    fn declaration(&self, start: usize, end: usize) -> Result<(), XmlError> {
        let mut at = start + "xml".len();
        let wrong = XmlError::Malformed("an XML declaration that is none");
        let mut last = 0;
        while let Some(raw) = self.next_attribute(&mut at, end)? {
            let value = self.slice(raw.value_start, raw.value_end);
            let (place, fine) = match self.slice(raw.name_start, raw.name_end) {
                "version" => (1, is_version(value)),
                "encoding" if !value.eq_ignore_ascii_case("utf-8") => {
                    return Err(XmlError::NotUtf8);
                }
                "encoding" => (2, last > 0),
                "standalone" => (3, last > 0 && matches!(value, "yes" | "no")),
                _ => (0, false),
            };
            if !fine || !raw.spaced || place <= last {
                return Err(wrong);
            }
            last = place;
        }
        if last > 0 { Ok(()) } else { Err(wrong) }
    }
}

/// Whether it is a version 1 of XML (production 26, `VersionNum`).
fn is_version(value: &str) -> bool {
    let minor = value.strip_prefix("1.").unwrap_or("");
    !minor.is_empty() && minor.bytes().all(|byte| byte.is_ascii_digit())
}

/// Refuses a first character that XML does not carry.
fn check_char(text: &str) -> Result<(), XmlError> {
    match text.chars().next() {
        Some(char) if !chars::is_xml_char(char) => {
            Err(XmlError::Malformed("a character that XML cannot carry"))
        }
        _ => Ok(()),
    }
}

/// The character that `#…;` names, by what follows `#`.
fn char_of(number: &str) -> Option<char> {
    let (digits, radix) = match number.strip_prefix('x') {
        Some(digits) => (digits, 16),
        None => (number, 10),
    };
    if digits.is_empty() {
        return None;
    }
    let mut code: u32 = 0;
    for digit in digits.chars() {
        code = code
            .checked_mul(radix)?
            .checked_add(digit.to_digit(radix)?)?;
    }
    char::from_u32(code).filter(|char| chars::is_xml_char(*char))
}
