//! Prepares and checks the options of a connection before anything is sent: a value that a stream or a stanza cannot
//! carry is an error of the caller, not of the stream.
//!
//! Texts that travel inside stanzas are checked when the stanza is sent ([`SendError::IllegalCharacter`]).
//!
//! [`SendError::IllegalCharacter`]: crate::connection::SendError::IllegalCharacter

use core::fmt;

use crate::connection::Config;
use crate::jid::Jid;
use crate::session::Goal;
use crate::unicode::Unicode;
use crate::xml::is_xml_text;

/// The largest length of a language tag in bytes: far beyond any registered tag (RFC 5646 §4.4.1 recommends 35).
const TAG_BYTES: usize = 255;

/// An invalid option: its name in the JavaScript API, and the valid values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadOption {
    /// The option's name.
    pub name: &'static str,
    /// The valid values, as the end of a sentence that begins with the name.
    pub should: &'static str,
}

impl fmt::Display for BadOption {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "The option '{}' {}", self.name, self.should)
    }
}

impl core::error::Error for BadOption {}

impl Config {
    /// Converts the options to the form in which they are sent: the domain and the resource as parts of a JID (RFC 7622
    /// §3.2, §3.4), no language if the tag is empty. Idempotent.
    ///
    ///  # Errors
    ///  The first option that cannot be sent.
    pub fn prepare(&mut self, unicode: &dyn Unicode) -> Result<(), BadOption> {
        let domain =
            Jid::from_parts(None, &self.session.domain, None, unicode).map_err(|_| BadOption {
                name: "domain",
                should: "is the name of a server, such as \"example.org\"",
            })?;
        domain.domain().clone_into(&mut self.session.domain);
        domain.domain().clone_into(&mut self.bosh.to);
        if let Some(resource) = &self.session.resource {
            let full = domain
                .with_resource(resource, unicode)
                .map_err(|_| BadOption {
                    name: "resource",
                    should: "is a text of 1 to 1023 bytes without control characters (RFC 7622 §3.4); leave it out, and the server chooses one",
                })?;
            self.session.resource = full.resource().map(str::to_owned);
        }
        if self.bosh.lang.as_deref() == Some("") {
            self.bosh.lang = None;
        }
        if let Some(lang) = &self.bosh.lang
            && !is_language_tag(lang)
        {
            return Err(BadOption {
                name: "lang",
                should: "is a language tag, such as \"en\" or \"pt-BR\" (RFC 5646)",
            });
        }
        if let Goal::Register(values) = &self.session.goal {
            for (name, value) in values {
                if !(is_xml_text(name) && is_xml_text(value)) {
                    return Err(unsendable(match name.as_str() {
                        "username" => "username",
                        "password" => "password",
                        _ => "fields",
                    }));
                }
            }
        }
        Ok(())
    }
}

/// The error for an option with a character that XML cannot carry.
fn unsendable(name: &'static str) -> BadOption {
    BadOption {
        name,
        should: "holds a character that XML cannot carry, such as a control character: remove it",
    }
}

/// Whether a text has the shape of a language tag (RFC 5646 §2.1): subtags of 1 to 8 letters and digits, the first of
/// letters. Does not check whether the subtags are registered.
pub fn is_language_tag(tag: &str) -> bool {
    let fits = |(at, subtag): (usize, &str)| {
        (1..=8).contains(&subtag.len())
            && subtag.bytes().all(|byte| match at {
                0 => byte.is_ascii_alphabetic(),
                _ => byte.is_ascii_alphanumeric(),
            })
    };
    tag.len() <= TAG_BYTES && tag.split('-').enumerate().all(fits)
}
