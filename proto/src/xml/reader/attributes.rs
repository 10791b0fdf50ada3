//! The attributes of a tag: syntax, values, and namespaces.

use super::super::XmlError;
use super::super::chars::{self, VALUE};
use super::super::document::{
    AttributeRecord, FIRST_NS, INTERN_WINDOW, NO_NS, NsId, TextSpan, XML_NS, known_ns,
};
use super::text::check_char;
use super::{DocumentReader, PrefixBinding};
use crate::ns;

/// The positions of the parts of an attribute.
pub(super) struct RawAttribute {
    /// Whether there is white space before the attribute.
    pub(super) spaced: bool,
    pub(super) name_start: usize,
    pub(super) name_end: usize,
    pub(super) value_start: usize,
    pub(super) value_end: usize,
    /// The combined classes of the value's bytes.
    classes: u8,
}

/// The position of the first byte from `at` on that is not white space.
fn skip_white(bytes: &[u8], mut at: usize) -> usize {
    while bytes.get(at).is_some_and(|byte| chars::is_white(*byte)) {
        at += 1;
    }
    at
}

impl<'a> DocumentReader<'a> {
    /// Parses the attributes of a tag from `at` to `end`. Declarations take effect; the other attributes are added with
    /// the length of their prefix instead of their namespace, which a later attribute may declare. Returns the default
    /// namespace if it was declared.
    pub(super) fn attributes(
        &mut self,
        mut at: usize,
        end: usize,
    ) -> Result<Option<NsId>, XmlError> {
        let mut default_ns = None;
        let mut count = 0;
        let outer_bindings = self.bindings.len();
        loop {
            let Some(raw) = self.next_attribute(&mut at, end)? else {
                return Ok(default_ns);
            };
            if !raw.spaced {
                return Err(XmlError::Malformed("no space before an attribute"));
            }
            count += 1;
            if count > self.limits.attributes {
                return Err(XmlError::TooManyAttributes);
            }
            let (prefix, name) = self.qualified_name(raw.name_start, raw.name_end)?;
            let value = if raw.classes & VALUE == 0 {
                TextSpan::new(raw.value_start, raw.value_end)
            } else {
                self.value(raw.value_start, raw.value_end)?
            };
            if prefix == "xmlns" {
                let prefix = self.slice(name.start as usize, name.end() as usize);
                self.declare(prefix, value, outer_bindings)?;
            } else if prefix.is_empty() && self.text_of(name) == "xmlns" {
                if default_ns.is_some() {
                    return Err(XmlError::Malformed("a namespace declared twice"));
                }
                let uri = self.text_of(value);
                if uri == ns::XMLNS || uri == ns::XML {
                    return Err(XmlError::Malformed("a reserved namespace declared"));
                }
                default_ns = Some(self.intern(value));
            } else {
                self.count()?;
                self.document.attributes.push(AttributeRecord {
                    name,
                    ns: prefix.len() as NsId,
                    value,
                });
            }
        }
    }

    /// Parses the next attribute from `at` on.
    pub(super) fn next_attribute(
        &self,
        at: &mut usize,
        end: usize,
    ) -> Result<Option<RawAttribute>, XmlError> {
        let bytes = self.source.as_bytes().get(..end).unwrap_or(&[]);
        let name_start = skip_white(bytes, *at);
        if name_start >= end {
            return Ok(None);
        }
        let spaced = name_start > *at;
        let mut name_end = name_start;
        while let Some(&byte) = bytes.get(name_end) {
            if byte == b'=' || chars::is_white(byte) {
                break;
            }
            name_end += 1;
        }
        let equals = skip_white(bytes, name_end);
        if bytes.get(equals) != Some(&b'=') {
            return Err(XmlError::Malformed("an attribute without a value"));
        }
        let opening = skip_white(bytes, equals + 1);
        let quote = match bytes.get(opening) {
            Some(&quote @ (b'\'' | b'"')) => quote,
            _ => {
                let reason = "an attribute's value without quotes";
                return Err(XmlError::Malformed(reason));
            }
        };
        let value_start = opening + 1;
        let mut value_end = value_start;
        let mut classes = 0;
        loop {
            match bytes.get(value_end) {
                Some(&byte) if byte == quote => break,
                Some(&byte) => classes |= chars::class(byte),
                None => {
                    let reason = "an attribute's value without an end";
                    return Err(XmlError::Malformed(reason));
                }
            }
            value_end += 1;
        }
        *at = value_end + 1;
        Ok(Some(RawAttribute {
            spaced,
            name_start,
            name_end,
            value_start,
            value_end,
            classes,
        }))
    }

    /// The text of a span while parsing: in the source, or in the unescaped text.
    fn text_of(&self, span: TextSpan) -> &str {
        let start = span.start as usize;
        match start.checked_sub(self.source.len()) {
            Some(start) => self.document.text.get(start..start + span.len as usize),
            None => self.source.get(start..start + span.len as usize),
        }
        .unwrap_or("")
    }

    /// The id of the namespace with this name, which is added if it is new. No namespace is added twice, so two
    /// namespaces are equal exactly if their ids are.
    pub(super) fn intern(&mut self, name: TextSpan) -> NsId {
        let text = self.text_of(name);
        if let Some(known) = known_ns(&self.document.namespaces, text, |span| self.text_of(span)) {
            return known;
        }
        if self.document.namespaces.len() < INTERN_WINDOW {
            return self.document.enter_ns(name);
        }
        if self.known.is_empty() {
            for (at, span) in self.document.namespaces.iter().enumerate() {
                let entered = self.text_of(*span).to_owned();
                self.known.insert(entered, at as NsId + FIRST_NS);
            }
        }
        let text = self.text_of(name);
        if let Some(known) = self.known.get(text) {
            return *known;
        }
        let text = text.to_owned();
        let id = self.document.enter_ns(name);
        self.known.insert(text, id);
        id
    }

    /// The same for a name that is not in the source.
    pub(super) fn intern_text(&mut self, name: &str) -> NsId {
        if let Some(known) = known_ns(&self.document.namespaces, name, |span| self.text_of(span)) {
            return known;
        }
        let start = self.source.len() + self.document.text.len();
        self.document.text.push_str(name);
        self.intern(TextSpan::new(start, start + name.len()))
    }

    /// Binds a prefix (Namespaces in XML 1.0 §3).
    fn declare(
        &mut self,
        prefix: &'a str,
        uri: TextSpan,
        outer_bindings: usize,
    ) -> Result<(), XmlError> {
        let text = self.text_of(uri);
        if prefix == "xml" && text == ns::XML {
            return Ok(());
        }
        if prefix == "xml" || prefix == "xmlns" || text == ns::XML || text == ns::XMLNS {
            return Err(XmlError::Malformed("a reserved namespace declared"));
        }
        if text.is_empty() {
            return Err(XmlError::Malformed("a prefix undeclared"));
        }
        let mut own = self.bindings.iter().skip(outer_bindings);
        if own.any(|binding| binding.prefix == prefix) {
            return Err(XmlError::Malformed("a namespace declared twice"));
        }
        if self.bindings.len() >= self.limits.attributes {
            return Err(XmlError::TooManyAttributes);
        }
        let ns = self.intern(uri);
        self.bindings.push(PrefixBinding { prefix, ns });
        Ok(())
    }

    /// The namespace to which a prefix is bound.
    pub(super) fn bound(&mut self, prefix: &str) -> Result<NsId, XmlError> {
        if prefix == "xml" {
            return Ok(XML_NS);
        }
        let mut inner_first = self.bindings.iter().rev();
        if let Some(binding) = inner_first.find(|binding| binding.prefix == prefix) {
            return Ok(binding.ns);
        }
        match self.lenience {
            Some(lenience) if chars::is_name(prefix) => {
                Ok(self.intern_text(lenience.well_known(prefix).unwrap_or(prefix)))
            }
            _ => Err(XmlError::Malformed("a prefix without a declaration")),
        }
    }

    /// Resolves the namespaces of the attributes from `first` on, and refuses duplicates.
    pub(super) fn resolve(&mut self, first: usize) -> Result<(), XmlError> {
        for at in first..self.document.attributes.len() {
            let Some(&AttributeRecord { name, ns, .. }) = self.document.attributes.get(at) else {
                break;
            };
            let ns = if ns == 0 {
                NO_NS
            } else {
                let colon = (name.start as usize).saturating_sub(1);
                self.bound(self.slice(colon.saturating_sub(ns as usize), colon))?
            };
            if let Some(attribute) = self.document.attributes.get_mut(at) {
                attribute.ns = ns;
            }
            let mut earlier = self.document.attributes.iter().take(at).skip(first);
            if earlier.any(|other| {
                other.ns == ns
                    && other.name.len == name.len
                    && self.text_of(other.name) == self.text_of(name)
            }) {
                return Err(XmlError::Malformed("an attribute twice"));
            }
        }
        Ok(())
    }

    /// Unescapes and normalises an attribute's value (XML 1.0 §3.3.3).
    fn value(&mut self, start: usize, end: usize) -> Result<TextSpan, XmlError> {
        let unescaped = self.document.text.len();
        let mut at = start;
        let mut plain = start;
        while at < end {
            let byte = self.byte(at);
            if chars::class(byte) & VALUE == 0 {
                at += 1;
                continue;
            }
            self.document.text.push_str(self.slice(plain, at));
            at += 1;
            plain = at;
            match byte {
                // A line end of two characters counts as one and becomes one space.
                b'\r' if self.byte(at) == b'\n' => {}
                b'\t' | b'\n' | b'\r' => self.document.text.push(' '),
                b'<' => return Err(XmlError::Malformed("`<` in an attribute's value")),
                b'&' => {
                    let name = self.slice(at, end);
                    let Some(len) = name.bytes().position(|byte| byte == b';') else {
                        return Err(XmlError::Malformed("`&` without a reference"));
                    };
                    self.push_reference(self.slice(at, at + len))?;
                    at += len + 1;
                    plain = at;
                }
                // The whole character is checked and kept.
                _ => {
                    plain = at - 1;
                    check_char(self.slice(plain, end))?;
                }
            }
        }
        self.document.text.push_str(self.slice(plain, end));
        let base = self.source.len();
        Ok(TextSpan::new(
            base + unescaped,
            base + self.document.text.len(),
        ))
    }
}
