//! RFC 6120 §8.3: stanza errors, parsed and built.
//!
//! Left out: the numeric codes of XEP-0086, which nothing needs beside the conditions.

use core::fmt;

use crate::ns;
use crate::xml::Element;

/// The error type: what the sender of the refused stanza may do (RFC 6120 §8.3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// Retry after giving credentials.
    Auth,
    /// Do not retry.
    Cancel,
    /// Only a warning: go on.
    Continue,
    /// Retry after changing what was sent.
    Modify,
    /// Retry after waiting.
    Wait,
}

impl ErrorKind {
    /// The `type` attribute.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Cancel => "cancel",
            Self::Continue => "continue",
            Self::Modify => "modify",
            Self::Wait => "wait",
        }
    }

    /// Parses the `type` attribute. An absent or unknown type is `Cancel`, so that nothing is retried.
    fn parse(text: Option<&str>) -> Self {
        match text {
            Some("auth") => Self::Auth,
            Some("continue") => Self::Continue,
            Some("modify") => Self::Modify,
            Some("wait") => Self::Wait,
            _ => Self::Cancel,
        }
    }
}

/// Why a stanza was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StanzaError {
    /// The error type.
    pub kind: ErrorKind,
    /// The defined condition, `item-not-found` for instance; `undefined-condition` when the peer gave none.
    pub condition: String,
    /// The peer's text.
    pub text: Option<String>,
    /// The condition of an extension, name and namespace (`closed-node` in [`ns::PUBSUB_ERRORS`]).
    pub application: Option<(String, String)>,
    /// The alternative address inside `<gone/>` or `<redirect/>` (RFC 6120 §8.3.3.5, §8.3.3.14).
    pub address: Option<String>,
}

impl StanzaError {
    /// An error with nothing but its condition.
    pub fn new(kind: ErrorKind, condition: &str) -> Self {
        Self {
            kind,
            condition: condition.into(),
            text: None,
            application: None,
            address: None,
        }
    }

    /// Reads the error of a stanza of type `error`. Never fails: a missing or invalid condition becomes `undefined-condition`.
    pub fn parse(stanza: &Element) -> Self {
        let mut error = Self::new(ErrorKind::Cancel, "undefined-condition");
        let Some(element) = stanza.children().find(|child| child.name() == "error") else {
            return error;
        };
        error.kind = ErrorKind::parse(element.attr("type"));
        let mut defined = false;
        for child in element.children() {
            if child.ns() != ns::STANZA_ERROR {
                if error.application.is_none() {
                    error.application = Some((child.name().into(), child.ns().into()));
                }
            } else if child.name() == "text" {
                if error.text.is_none() {
                    error.text = said(&child);
                }
            } else if !defined {
                defined = true;
                error.condition = child.name().into();
                error.address = said(&child);
            }
        }
        if error.text.is_none() && !defined {
            // Errors from before RFC 3920 contain only text.
            error.text = said(&element);
        }
        error
    }

    /// The `<error/>` child of a stanza of type `error`.
    pub fn to_element(&self) -> Element {
        let condition = Element::builder(&self.condition, ns::STANZA_ERROR)
            .text(self.address.as_deref().unwrap_or_default())
            .build();
        let text = self.text.as_deref().map(|text| {
            Element::builder("text", ns::STANZA_ERROR)
                .text(text)
                .build()
        });
        let application = self
            .application
            .as_ref()
            .map(|(name, namespace)| Element::builder(name, namespace).build());
        Element::builder("error", ns::CLIENT)
            .attr("type", self.kind.as_str())
            .child(condition)
            .children(text)
            .children(application)
            .build()
    }

    /// Whether the application-specific condition is `name` in `namespace`.
    pub fn is_application(&self, name: &str, namespace: &str) -> bool {
        self.application
            .as_ref()
            .is_some_and(|(own, owner)| own == name && owner == namespace)
    }
}

impl fmt::Display for StanzaError {
    /// The condition and the peer's text.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.condition)?;
        if let Some(text) = &self.text {
            out.write_str(": ")?;
            out.write_str(text)?;
        }
        Ok(())
    }
}

/// An element's text without the white space around it; `None` when nothing is left.
fn said(element: &Element) -> Option<String> {
    let text = element.text();
    let text = text.trim();
    (!text.is_empty()).then(|| text.into())
}
