//! Markup other than elements: CDATA sections, XML declarations, and the markup that XMPP forbids.

use super::super::XmlError;
use super::super::chars;
use super::DocumentReader;

impl DocumentReader<'_> {
    /// Parses the markup after `<!`: a CDATA section, or forbidden markup.
    pub(super) fn bang(&mut self, start: usize) -> Result<usize, XmlError> {
        match self.byte(start) {
            b'[' => {}
            b'-' if self.lenience.is_some() => return Ok(self.find(start, b"-->")? + 3),
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

    /// Parses the markup after `<?`: only an XML declaration at the very start is allowed.
    pub(super) fn question(&mut self, start: usize, first: bool) -> Result<usize, XmlError> {
        let named = self.slice(start, start + 3) == "xml";
        let ends = self.byte(start + 3);
        if self.lenience.is_some() {
            return Ok(self.find(start, b"?>")? + 2);
        }
        if !first || !named || !(chars::is_white(ends) || ends == b'?') {
            return Err(XmlError::Forbidden("processing instruction"));
        }
        let end = self.find(start, b"?>")?;
        self.declaration(start, end)?;
        Ok(end + 2)
    }

    /// Checks an XML declaration (XML 1.0 §2.8, §2.9): version 1, no encoding but UTF-8, in order and once each.
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

/// Whether the value is a version 1 of XML (production 26, `VersionNum`).
fn is_version(value: &str) -> bool {
    let minor = value.strip_prefix("1.").unwrap_or("");
    !minor.is_empty() && minor.bytes().all(|byte| byte.is_ascii_digit())
}
