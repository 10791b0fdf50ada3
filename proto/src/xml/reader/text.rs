//! Character data and references, unescaped; adjacent pieces become one text.

use super::super::XmlError;
use super::super::chars::{self, TEXT};
use super::super::document::{Record, TextSpan};
use super::{DocumentReader, PendingText};

impl DocumentReader<'_> {
    /// Parses character data up to the next tag or reference.
    pub(super) fn plain(&mut self, start: usize) -> Result<usize, XmlError> {
        let mut classes = 0;
        let mut end = start;
        // Most of a document is text. Where the compiler optimises for size, adapters of iterators are calls for each byte.
        for byte in self.source.as_bytes().get(start..).unwrap_or(&[]) {
            if *byte == b'<' || *byte == b'&' {
                break;
            }
            classes |= chars::class(*byte);
            end += 1;
        }
        self.text(start, end, classes, false)?;
        Ok(end)
    }

    /// Adds a piece of character data with the known classes of its bytes.
    pub(super) fn text(
        &mut self,
        start: usize,
        end: usize,
        classes: u8,
        cdata: bool,
    ) -> Result<(), XmlError> {
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
        if !line_ends && matches!(self.pending, PendingText::Nothing) {
            self.pending = PendingText::Source(TextSpan::new(start, start + piece.len()));
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

    /// Parses a reference in character data from the position after `&`.
    pub(super) fn reference(&mut self, start: usize) -> Result<usize, XmlError> {
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

    /// Moves the pending text to the unescaped text.
    fn unescape(&mut self) {
        match self.pending {
            PendingText::Unescaped(_) => {}
            PendingText::Nothing => self.pending = PendingText::Unescaped(self.document.text.len()),
            PendingText::Source(span) => {
                self.pending = PendingText::Unescaped(self.document.text.len());
                let piece = self.slice(span.start as usize, span.end() as usize);
                self.document.text.push_str(piece);
            }
        }
    }

    /// Adds the pending text to the table.
    pub(super) fn flush(&mut self) -> Result<(), XmlError> {
        let span = match core::mem::replace(&mut self.pending, PendingText::Nothing) {
            PendingText::Nothing => return Ok(()),
            PendingText::Source(span) => span,
            PendingText::Unescaped(start) => {
                let base = self.source.len();
                TextSpan::new(base + start, base + self.document.text.len())
            }
        };
        self.count()?;
        self.document.records.push(Record::Text(span));
        Ok(())
    }

    /// Appends the character that `&name;` stands for (XML 1.0 §4.1, §4.6).
    pub(super) fn push_reference(&mut self, name: &str) -> Result<(), XmlError> {
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
}

/// Refuses a first character that XML does not allow.
pub(super) fn check_char(text: &str) -> Result<(), XmlError> {
    match text.chars().next() {
        Some(char) if !chars::is_xml_char(char) => {
            Err(XmlError::Malformed("a character that XML cannot carry"))
        }
        _ => Ok(()),
    }
}

/// The character of the reference `&#…;`, given the part after `#`.
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
